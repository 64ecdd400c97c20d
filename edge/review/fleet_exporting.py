"""Labels of all stations out: what `edge-inspect fleet export` does, but the words for it.

A part's split follows from its name alone, so that every export, on every machine, of this year or
the next, gives it the same one. The shares are then met on average, not exactly.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from edge import __version__
from edge.calibrating.gathered import Heap
from edge.review.dataset import Example, LeftOut, Progress, Wanted, assemble
from edge.review.export_table import disputed_csv, disputed_rows, labels_csv, row
from edge.review.out_folder import DISPUTED_FILE, LABELS_FILE, SCHEMA, OutFolder
from edge.review.places import DISPUTED, ELSEWHERE, place_of
from edge.review.split import SPLITS, Shares, Split
from sync.fleet import pictures
from sync.fleet.database import Database
from sync.fleet.labelled import Labelled, labelled
from sync.fleet.pictures import Held
from sync.picture import nameable

FLEET = "the fleet"
NOT_HERE = "its inspection was not collected"
NO_PICTURE = "its picture was not collected (sync.images at its station)"
DAMAGED = "its picture is damaged in the database"
STEPS = 10_000
"""Into so many equal pieces the names of parts are hashed."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for. A station counts whose name matches one of `stations`."""

    out: Path
    wanted: Wanted
    stations: tuple[str, ...] = ("*",)
    shares: Shares = Shares()  # noqa: RUF009 - frozen
    dry_run: bool = False


def split_of(part: str, shares: Shares) -> Split:
    """The split of the part of this name: the same for ever."""
    number = int.from_bytes(hashlib.sha256(part.encode()).digest()[:8], "big") % STEPS
    end = 0
    for split in SPLITS:
        end += int(shares.of(split) * STEPS)
        if number < end:
            return split
    return SPLITS[0]


def export_fleet(database: Database, wishes: Wishes, at: str, progress: Progress) -> dict[str, Any]:
    """Write OUT; the manifest, with `rows` for how many there are. Nothing is written for a dry
    run, or where there is nothing to export.

    Raises StoreError (a wrong OUT), DatabaseError, OSError.
    """
    out = OutFolder(wishes.out, None, FLEET)
    work = _Work(database, wishes, at)
    work.find()
    if work.examples and not wishes.dry_run:
        out.begin(work.manifest())
        work.write(out, progress)
    return {**work.manifest(), "rows": len(work.examples)}


class _Work:
    """One export, step by step."""

    def __init__(self, database: Database, wishes: Wishes, at: str) -> None:
        self._database, self._wishes, self._at = database, wishes, at
        self._heap = Heap()
        self._splits: dict[str, Split] = {}
        self._held: dict[tuple[str, str], Held] = {}
        self.examples: list[tuple[Example, PurePosixPath | None]] = []

    def find(self) -> None:
        """Which examples there are, and where each belongs."""
        found = [one for said in labelled(self._database, self._counts) for one in self._read(said)]
        found.sort(key=lambda one: (str(one.record["captured_at"]), one.part, one.inspection))
        for one in found:
            self._place(one)

    def write(self, out: OutFolder, progress: Progress) -> None:
        """Pictures, tables, the manifest."""
        sound = []
        for number, (example, place) in enumerate(self.examples, 1):
            if place is None or self._put(out, example, place):
                sound.append((example, place))
            progress(number, len(self.examples))
        self.examples = sound
        out.finish({place for _, place in sound if place}, self._tables(), self.manifest())

    def manifest(self) -> dict[str, Any]:
        """What `export.json` says."""
        wishes = self._wishes
        left_out = [
            {"why": left.why, "count": left.count, "examples": list(left.examples)}
            for left in self._heap.left_out()
        ]
        return {
            "schema": SCHEMA,
            "station": FLEET,
            "stations": dict(Counter(str(one.record["station"]) for one, _ in self.examples)),
            "made_at": self._at,
            "software": __version__,
            "split": str(wishes.shares),
            "since": wishes.wanted.since,
            "until": wishes.wanted.until,
            "figures": self._figures(),
            "left_out": left_out,
        }

    def _counts(self, station: str) -> bool:
        return any(fnmatchcase(station, pattern) for pattern in self._wishes.stations)

    def _read(self, said: Labelled) -> Iterator[Example]:
        """The example, if it is one; else a reason on the heap."""
        try:
            if said.inspection is None:
                raise LeftOut(NOT_HERE)
            record = json.loads(said.inspection)
            named = record["id"], record["station"]
            if named != (said.id, said.station) or not nameable(said.id):
                raise ValueError(said.id)
            given = [json.loads(one) for one in said.said]
            fate = None if said.disposition is None else json.loads(said.disposition)
            example = assemble(record, given, fate, None, self._wishes.wanted)
            yield replace(example, part=f"{said.station} {example.part}")
        except LeftOut as reason:
            self._heap.add(str(reason), said.id)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            self._heap.add("a damaged record", said.id)

    def _place(self, one: Example) -> None:
        if one.use == "part":
            self.examples.append((one, None))
        elif one.picture is None:
            self._heap.add("no picture of it was kept", one.inspection)
        elif not self._is_here(one):
            self._heap.add(NO_PICTURE, one.inspection)
        elif one.use == "disputed":
            self.examples.append((one, place_of(one, None)))
        else:
            split = split_of(one.part, self._wishes.shares)
            # the same bytes under two names: they must not be in two splits
            if self._splits.setdefault(one.picture[1], split) != split:
                self._heap.add(ELSEWHERE, one.inspection)
            else:
                self.examples.append((one, place_of(one, split)))

    def _is_here(self, example: Example) -> bool:
        """Whether its picture was collected. Looked at first: nothing is begun, or promised by a
        dry run, that cannot be written."""
        assert example.picture is not None
        station, sha256 = str(example.record["station"]), example.picture[1]
        for one in pictures.find(self._database, example.inspection):
            if (one.station, one.sha256) == (station, sha256):
                self._held[station, example.inspection] = one
                return True
        return False

    def _put(self, out: OutFolder, example: Example, place: PurePosixPath) -> bool:
        held = self._held[str(example.record["station"]), example.inspection]
        data = pictures.data(self._database, held)
        if data is None:
            self._heap.add(DAMAGED, example.inspection)
            return False
        out.put_data(example, place, data)
        return True

    def _figures(self) -> dict[str, Any]:
        """Pictures by split and label, and the rest by what it is."""
        figures: dict[str, Any] = {}
        for split in SPLITS:
            inside = [place for _, place in self.examples if place and place.parts[0] == split]
            counts = Counter("/".join(place.parts[1:-1]) for place in inside)
            figures[split] = dict(sorted(counts.items()))
        uses = Counter(example.use for example, _ in self.examples)
        challenge = uses["challenge"]
        return {
            **figures,
            DISPUTED: uses["disputed"],
            "part_basis": uses["part"],
            "challenge": challenge,
            "new_parts": 0,
            "exported_before": 0,
        }

    def _tables(self) -> Mapping[str, str]:
        labels, disputed = [], []
        for example, place in self.examples:
            file = None if place is None else str(place)
            if example.use == "disputed":
                disputed += disputed_rows(example, file)
            else:
                split = None if place is None else place.parts[0]
                labels.append(row(example, split, file, None))
        return {LABELS_FILE: labels_csv(labels), DISPUTED_FILE: disputed_csv(disputed)}
