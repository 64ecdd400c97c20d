"""The pictures on this station that are to be sent, read from its databases."""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.picking import in_sample, is_escalated, with_picture
from edge.picture_file import PictureFile, open_picture
from edge.review.correction import SCHEMA as CORRECTION
from edge.review.verdict import SCHEMA as VERDICT
from edge.review.verdicts import latest
from edge.store.archive import Archive
from edge.store.errors import StoreError
from edge.store.images import ImagePolicy
from edge.store.rows import INSPECTION
from sync.gallery import Place, Wanted
from sync.journal import JournalError
from sync.picture import nameable

LINE, QUEUE = "line", "queue"
PAGE, PAGE_BYTES = 200, 1 << 20
MOST_FOUND = 1000
"""Pictures looked up in advance, so that the status can say how many wait."""
Pick = Callable[[bytes], Wanted | None]


@dataclass(slots=True)
class _Found:
    place: Place
    wanted: Wanted


class Scan:
    """Goes through one database in order and picks pictures, some of them in advance."""

    def __init__(self, archive: Archive, place: Place | None, pick: Pick) -> None:
        self.found: deque[_Found] = deque()
        self._archive = archive
        self._pick = pick
        self._scanned = place
        self._checked = False

    @property
    def place(self) -> Place | None:
        """Behind which record everything is done."""
        if self.found:
            first = self.found[0].place
            return Place(first.epoch, first.seq - 1)
        return self._scanned

    def look(self) -> bool:
        """Read one page; whether there may be more. Raises JournalError."""
        if len(self.found) >= MOST_FOUND:
            return False
        try:
            return self._read()
        except StoreError as error:
            raise JournalError(str(error), error.hint) from error
        except (sqlite3.Error, OSError, TypeError, ValueError) as error:
            what = f"{self._archive.path} cannot be read: {error}"
            raise JournalError(what, "edge-inspect results --verify") from error

    def _read(self) -> bool:
        epoch = self._archive.epoch
        if epoch is None:
            return False
        start = self._start(epoch)
        rows = self._archive.rows(start.seq, PAGE, PAGE_BYTES, epoch)
        for row in rows:
            # In a damaged file a body may be anything.
            wanted = self._pick(row.body) if isinstance(row.body, bytes) else None
            if wanted is not None:
                self.found.append(_Found(Place(epoch, row.seq), wanted))
            self._scanned = Place(epoch, row.seq)
        return bool(rows)

    def _start(self, epoch: str) -> Place:
        """Where to go on: at the beginning when this is another database than before."""
        place = self._scanned
        ahead = not self._checked and place is not None and place.seq > self._archive.head()[0]
        self._checked = True
        if place is None or place.epoch != epoch or ahead:
            self.found.clear()
            place = self._scanned = Place(epoch, 0)
        return place


class StationGallery:
    """A `sync.gallery.Gallery` over line.db, queue.db and images/ of a state directory.

    `escalated`: parts that a person was asked about, in the order of their records. Otherwise
    the labelled ones, in the order of the answers, and with a random share in `policy` the random
    sample in the order of its records, in turns. `places` are those of an earlier gallery.
    """

    def __init__(
        self,
        state_dir: Path,
        escalated: bool,
        policy: ImagePolicy,
        places: Mapping[str, Place] | None = None,
    ) -> None:
        self._state_dir = state_dir
        self._policy = policy
        self._line = Archive(state_dir / "line.db")
        self._queue = Archive(state_dir / "queue.db")
        kept = places or {}
        scans: dict[str, Scan] = {}
        if escalated:
            scans[LINE] = Scan(self._line, kept.get(LINE), self._pick_escalated)
        else:
            scans[QUEUE] = Scan(self._queue, kept.get(QUEUE), self._pick_labelled)
            if policy.random_share:
                scans[LINE] = Scan(self._line, kept.get(LINE), self._pick_sampled)
        self._scans = scans
        self._turns = deque(scans)
        self._chosen: _Found | None = None

    @property
    def next(self) -> Wanted | None:
        """The first one that is found and not done."""
        if self._chosen is None:
            for stream in self._turns:
                if self._scans[stream].found:
                    self._chosen = self._scans[stream].found[0]
                    break
        return None if self._chosen is None else self._chosen.wanted

    @property
    def waiting(self) -> int:
        """How many are found and not done."""
        return sum(len(scan.found) for scan in self._scans.values())

    @property
    def places(self) -> Mapping[str, Place]:
        """For each stream, behind which record everything is done."""
        places = {stream: scan.place for stream, scan in self._scans.items()}
        return {stream: place for stream, place in places.items() if place is not None}

    def look(self) -> bool:
        """Read a page of each database. Raises JournalError."""
        more = [scan.look() for scan in self._scans.values()]
        return any(more)

    def open(self, wanted: Wanted) -> PictureFile:
        """The file, whose bytes have been compared with the hash. Raises Missing."""
        return open_picture(self._state_dir, wanted)

    def done(self) -> None:
        """Move on behind the next one; then it is the turn of the other stream."""
        chosen, self._chosen = self._chosen, None
        for stream, scan in self._scans.items():
            # It is no longer there when its database was replaced meanwhile.
            if chosen is not None and scan.found and scan.found[0] is chosen:
                scan.found.popleft()
                self._turns.remove(stream)
                self._turns.append(stream)
                return

    def close(self) -> None:
        """Let the databases go."""
        self._line.close()
        self._queue.close()

    def _pick_escalated(self, body: bytes) -> Wanted | None:
        content = _inspection(body)
        return _wanted(content) if content is not None and is_escalated(content) else None

    def _pick_sampled(self, body: bytes) -> Wanted | None:
        content = _inspection(body)
        if content is None or not in_sample(content, self._policy):
            return None
        wanted = _wanted(content)
        # What a person answered about is sent as labelled.
        labelled = nameable(wanted.inspection) and latest(self._queue, wanted.inspection)
        return None if labelled else wanted

    def _pick_labelled(self, body: bytes) -> Wanted | None:
        said = _parsed(body) or {}
        # a label without an answer; that of an answer has been picked with it
        labelled = said.get("schema") == CORRECTION and said.get("verdict") is None
        if said.get("schema") != VERDICT and not (labelled and said.get("to")):
            return None
        name = str(said.get("inspection"))
        rows = self._line.find(name) if nameable(name) else []
        found = [_parsed(row.body) or {} for row in rows]
        about = [one for one in found if one.get("id") == name]
        if not about:
            return Wanted(name, "", "")  # deleted: counted as missing when its turn comes
        return _wanted(about[0]) if with_picture(about[0]) else None


def _inspection(body: bytes) -> dict[str, Any] | None:
    """The record, if it is an inspection with a picture: most need not be parsed to say no."""
    if b'"image":null' in body or b'"schema":"' + INSPECTION.encode() + b'"' not in body:
        return None
    content = _parsed(body)
    return content if content is not None and with_picture(content) else None


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None  # a damaged record; `results --verify` finds it
    return content if isinstance(content, dict) else None


def _wanted(content: Mapping[str, Any]) -> Wanted:
    image = content["image"]
    return Wanted(str(content.get("id")), str(image.get("path")), str(image.get("sha256")))
