"""The contract of pictures to be sent: which is next, and its bytes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

MOST_SEQ = (1 << 63) - 1


class Missing(Exception):
    """The picture is not there any more, cannot be read, or is not the one of its record."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture that should be sent, as the record of its inspection names it."""

    inspection: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Place:
    """Behind record `seq` of one epoch of a stream."""

    epoch: str
    seq: int


def read_places(kept: Mapping[str, object]) -> dict[str, Place]:
    """The places in what was kept over a restart; what is not sound is left out."""
    places = {}
    for stream, said in kept.items():
        if isinstance(said, Mapping):
            epoch, seq = said.get("epoch"), said.get("seq")
            if isinstance(epoch, str) and isinstance(seq, int) and 0 <= seq <= MOST_SEQ:
                places[stream] = Place(epoch, int(seq))
    return places


class OpenPicture(Protocol):
    """The file of a picture. What is read stays the same when the file is deleted meanwhile."""

    @property
    def size(self) -> int:
        """Its bytes."""
        ...

    def read(self, offset: int, most: int) -> bytes:
        """Bytes from `offset` on; fewer than `most` only at the end. Raises Missing."""
        ...

    def close(self) -> None:
        """Let it go. May be called twice."""
        ...


class Gallery(Protocol):
    """The pictures to be sent, in order. `done` moves on; nothing else does."""

    @property
    def next(self) -> Wanted | None:
        """The first one that is found and not done; the same one until `done`."""
        ...

    @property
    def waiting(self) -> int:
        """How many are found and not done. No more than a bounded number is looked for."""
        ...

    @property
    def places(self) -> Mapping[str, Place]:
        """For each stream, behind which record everything is done: what to keep over a restart."""
        ...

    def look(self) -> bool:
        """Read a few more records; whether there may be more to read at once.

        Raises `sync.journal.JournalError`.
        """
        ...

    def open(self, wanted: Wanted) -> OpenPicture:
        """The file, whose bytes have been compared with the hash. Raises Missing."""
        ...

    def done(self) -> None:
        """The next one has arrived, or never will."""
        ...
