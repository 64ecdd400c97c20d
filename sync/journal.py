"""The contract of what is delivered: chains of records that can be read by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class JournalError(Exception):
    """The journal cannot be read now; trying again may help. `mend` says what a person can do.

    `damaged` when it is a part that cannot be read: other records may still be readable.
    """

    def __init__(self, what: str, mend: str, damaged: bool = False) -> None:
        super().__init__(what)
        self.mend = mend
        self.damaged = damaged


class Row(Protocol):
    """A record as the journal holds it. A damaged journal may hold anything."""

    @property
    def seq(self) -> int:
        """Its number in the chain, from 1."""
        ...

    @property
    def body(self) -> bytes:
        """The canonical bytes, as written."""
        ...

    @property
    def hash(self) -> str:
        """The chain's hash behind this record, as stored."""
        ...


class Anchor(NamedTuple):
    """The record before the oldest one held: (0, GENESIS) at first. `at` says when those up to it
    were deleted, `by` whose acknowledgement allowed it."""

    seq: int
    hash: str
    at: str | None = None
    by: str | None = None


class JournalReader(Protocol):
    """What delivery needs of a journal. Every method may raise JournalError.

    A journal may be set aside and begun anew at any moment: then `epoch` changes.
    """

    def epoch(self) -> str:
        """The id of the file's chain."""
        ...

    def anchor(self) -> Anchor:
        """Where the records held begin."""
        ...

    def head(self) -> int:
        """The number of the newest record; the anchor's when there is none."""
        ...

    def rows(self, after_seq: int, max_rows: int, max_bytes: int, epoch: str) -> Sequence[Row]:
        """The records behind `after_seq`, in order; at least one if there is any, and otherwise
        at most `max_rows` with at most `max_bytes` of bodies. JournalError in another epoch."""
        ...

    def last_hash(self, seq: int) -> str | None:
        """The hash of record `seq` (or of the anchor); None when the journal does not have it."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """A journal to be delivered. `name` is its own among all of the station, such as `line`;
    `salvaged` when it holds what was saved of a damaged one and gets no more records."""

    name: str
    stream: str
    journal: JournalReader
    salvaged: bool = False


class Shelf(Protocol):
    """All journals of a station."""

    def __call__(self) -> Sequence[Source]:
        """What is there now. The same journal is the same object every time. Never raises."""
        ...


def only(journal: JournalReader, stream: str = "line") -> Shelf:
    """A shelf with one journal."""
    sources = (Source(stream, stream, journal),)
    return lambda: sources
