"""What has left the station, from the file of the sync service, as retention needs to know it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.store.archive import Archive
from edge.store.errors import StoreError
from edge.store.pruning import Acknowledged
from edge.store.shelf import ASKED, ESCALATED
from sync.position import BROKER, PositionFile, Positions

ALL = 1 << 62
NONE_OF_OURS = 0
"""Up to this number of a record: pictures that no record names wait for nothing."""
Images = Literal["none", "escalated", "labelled+random"]


@dataclass(frozen=True, slots=True)
class Uploads:
    """Which pictures follow their records, and up to which records that is done.

    `answers_sent` is false while there are answers whose pictures may not have been sent.
    """

    images: Images = "none"
    line: int = 0
    answers_sent: bool = True
    samples: bool = True

    def done(self, worth: int) -> int:
        """The record up to which pictures of this worth wait for no upload."""
        if self.images == "none":
            return ALL
        if self.images == "escalated":
            return self.line if worth >= ESCALATED else ALL
        if worth >= ASKED and not self.answers_sent:
            return NONE_OF_OURS
        return self.line if self.samples else ALL


class Elsewhere:
    """Reads `sync.json` again when it has changed, and how many answers there are.

    `samples`: whether a random share of all pictures is kept, and so is to be sent. With
    `collector` only a collector's word counts: the broker's is of another time.
    """

    def __init__(
        self,
        state_dir: Path,
        images: Images = "none",
        samples: bool = False,
        collector: bool = False,
    ) -> None:
        self._file = PositionFile(state_dir / "sync.json")
        self._queue = Archive(state_dir / "queue.db")
        self._images: Images = images
        self._samples = samples
        self._collector = collector
        self._seen: tuple[int, int] | None = None
        self._positions = Positions()

    def acknowledged(self, epoch: str) -> Acknowledged | None:
        """How far the line's records of this epoch are acknowledged, and by whom."""
        held = self._read().of("line", epoch)
        if held is None or not held.mark.hash or (self._collector and held.by == BROKER):
            return None
        return Acknowledged(epoch, held.mark.seq, held.mark.hash, held.by)

    def uploads(self, epoch: str) -> Uploads:
        """How far pictures have been sent. Answers that cannot be read count as not sent."""
        if self._images == "none":
            return Uploads()
        pictures = self._read().pictures
        line, answers = _place(pictures, "line"), _place(pictures, "queue")
        try:
            given, newest = self._queue.epoch, self._queue.head()[0]
        except (sqlite3.Error, StoreError):
            given, newest = "unknown", 0
        sent = given is None or (answers[0] == given and answers[1] >= newest)
        through = line[1] if line[0] == epoch else 0
        return Uploads(self._images, through, sent, self._samples)

    def close(self) -> None:
        """Let queue.db go."""
        self._queue.close()

    def _read(self) -> Positions:
        try:
            found = os.stat(self._file.path)
        except OSError:
            self._seen, self._positions = None, Positions()
            return self._positions
        if (found.st_ino, found.st_mtime_ns) != self._seen:
            self._positions = self._file.read()
            self._seen = (found.st_ino, found.st_mtime_ns)
        return self._positions


def _place(pictures: Mapping[str, object], stream: str) -> tuple[str | None, int]:
    place = pictures.get(stream)
    if isinstance(place, dict):
        epoch, seq = place.get("epoch"), place.get("seq")
        if isinstance(epoch, str) and isinstance(seq, int):
            return epoch, seq
    return None, 0
