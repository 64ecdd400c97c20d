"""Labels out: everything that `edge-inspect export` does, but the words for it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edge import __version__
from edge.calibrating.gathered import Heap
from edge.config import Config
from edge.records import utc
from edge.review.dataset import Example, Progress, Wanted, gather
from edge.review.export_table import disputed_csv, disputed_rows, labels_csv, row
from edge.review.out_folder import DISPUTED_FILE, LABELS_FILE, SCHEMA, OutFolder
from edge.review.places import DISPUTED, ELSEWHERE, Sharing, place_of, share
from edge.review.split import SPLITS, Shares
from edge.review.splits import Splits
from sync.gallery import Missing

NO_PICTURE = "no picture of it was kept"
GONE = "its picture is no longer there"
DAMAGED = "its picture is damaged, or cannot be read"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for. `shares` None: as the last time. `new`: only what no earlier export of
    this station had, or had with another label. `link`: second names instead of copies."""

    out: Path
    wanted: Wanted
    shares: Shares | None = None
    new: bool = False
    link: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An example with its place below OUT, None where there is a row only."""

    example: Example
    split: str | None
    place: PurePosixPath | None


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it. `manifest` is `export.json` without `complete`; `rows` is how many labels
    and disputed parts there are in all."""

    manifest: Mapping[str, Any]
    rows: int


def export(config: Config, wishes: Wishes, progress: Progress, wall: float | None = None) -> Report:
    """Write OUT, and keep splits and marks. Nothing is written for a dry run, or where there is
    nothing to export.

    Raises StoreError (a wrong OUT, another export under way), sqlite3.Error, OSError.
    """
    now = utc(time.time() if wall is None else wall)
    out = OutFolder(wishes.out, config.state_dir, config.station.path, wishes.new)
    dry = wishes.dry_run or not config.state_dir.is_dir()
    with Splits(config.state_dir, dry) as splits:
        work = _Work(config, wishes, splits, now)
        work.find(progress)
        if work.placed and not dry:
            out.begin(work.manifest())
            work.write(out, progress)
        return Report(work.manifest(), len(work.placed))


class _Work:
    """One export, step by step."""

    def __init__(self, config: Config, wishes: Wishes, splits: Splits, now: str) -> None:
        self._config, self._wishes, self._splits, self._now = config, wishes, splits, now
        self._before = splits.exported()
        self._shares = wishes.shares or splits.shares or Shares()
        self._heap = Heap()
        self._known = 0
        self._new_parts = 0
        self._sharing = Sharing({}, {}, 0)
        self.placed: list[Placed] = []

    def find(self, progress: Progress) -> None:
        """Which examples there are, and where each belongs."""
        found = gather(self._config.state_dir, self._wishes.wanted, progress)
        self._heap = found.heap
        usable = [one for one in found.examples if self._has_picture(one)]
        shared = [one for one in usable if one.use in ("training", "challenge")]
        sharing = share(shared, self._splits.parts(), self._splits.pictures(), self._shares)
        self._new_parts, self._sharing = sharing.new, sharing
        for one in usable:
            if self._wishes.new and self._before.get(one.inspection) == one.said:
                self._known += 1
            elif (placed := self._placed(one, sharing)) is not None:
                self.placed.append(placed)

    def write(self, out: OutFolder, progress: Progress) -> None:
        """Splits first, so that they stand whatever happens to OUT; then pictures, tables and the
        manifest; then what was exported is marked."""
        self._splits.give(self._sharing.splits, self._sharing.pictures, self._shares, self._now)
        sound = []
        for number, placed in enumerate(self.placed, 1):
            if placed.place is None or self._put(out, placed, placed.place):
                sound.append(placed)
            progress(number, len(self.placed))
        self.placed = sound
        keep = {placed.place for placed in sound if placed.place is not None}
        out.finish(keep, self._tables(), self.manifest())
        self._splits.mark({p.example.inspection: p.example.said for p in sound}, self._now)

    def manifest(self) -> dict[str, Any]:
        """What `export.json` says."""
        wanted, camera = self._wishes.wanted, self._config.camera
        left_out = [
            {"why": left.why, "count": left.count, "examples": list(left.examples)}
            for left in self._heap.left_out()
        ]
        return {
            "schema": SCHEMA,
            "station": self._config.station.path,
            "made_at": self._now,
            "software": __version__,
            "split": str(self._shares),
            "only_new": self._wishes.new,
            "since": wanted.since,
            "until": wanted.until,
            "roi": None if camera.roi is None else list(camera.roi),
            "rotate": camera.rotate,
            "figures": self._figures(),
            "left_out": left_out,
        }

    def _figures(self) -> dict[str, Any]:
        """Pictures by split and label, and the rest by what it is."""
        figures: dict[str, Any] = {}
        for split in SPLITS:
            names = (p.place for p in self.placed if p.split == split and p.place is not None)
            counts = Counter("/".join(place.parts[1:-1]) for place in names)
            figures[split] = dict(sorted(counts.items()))
        uses = Counter(placed.example.use for placed in self.placed)
        return {
            **figures,
            DISPUTED: uses["disputed"],
            "part_basis": uses["part"],
            "challenge": uses["challenge"],
            "new_parts": self._new_parts,
            "exported_before": self._known,
        }

    def _has_picture(self, one: Example) -> bool:
        """Whether there is a picture to export, or none is needed."""
        if one.use == "part":
            return True
        if one.kind is None and one.use != "disputed":
            self._heap.add("a challenge part whose truth is unknown", one.inspection)
            return False
        if one.picture is None:
            self._heap.add(NO_PICTURE, one.inspection)
            return False
        if not (self._config.state_dir / one.picture[0]).is_file():
            self._heap.add(GONE, one.inspection)
            return False
        return True

    def _placed(self, one: Example, sharing: Sharing) -> Placed | None:
        if one.use not in ("training", "challenge") or one.picture is None:
            return Placed(one, None, place_of(one, None))
        split = sharing.splits[one.part].split
        if sharing.splits[sharing.pictures[one.picture[1]]].split != split:
            self._heap.add(ELSEWHERE, one.inspection)
            return None
        return Placed(one, split, place_of(one, split))

    def _put(self, out: OutFolder, placed: Placed, place: PurePosixPath) -> bool:
        """Whether the picture is there now. A full disk ends the export: it is not the picture."""
        try:
            out.put(placed.example, place, self._wishes.link)
        except Missing:
            self._heap.add(DAMAGED, placed.example.inspection)
            return False
        return True

    def _tables(self) -> dict[str, str]:
        labels = [
            row(p.example, p.split, _text(p.place), self._before.get(p.example.inspection))
            for p in self.placed
            if p.example.use != "disputed"
        ]
        disputed = [
            line
            for p in self.placed
            if p.example.use == "disputed"
            for line in disputed_rows(p.example, _text(p.place))
        ]
        return {LABELS_FILE: labels_csv(labels), DISPUTED_FILE: disputed_csv(disputed)}


def _text(place: PurePosixPath | None) -> str | None:
    return None if place is None else str(place)
