"""The contract of what is delivered: a chain of records that can be read by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class JournalError(Exception):
    """The journal cannot be read now; trying again may help. `mend` says what a person can do."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


class Row(Protocol):
    """A record as the journal holds it."""

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


class JournalReader(Protocol):
    """What delivery needs of a journal. Every method may raise JournalError.

    A journal may be set aside and begun anew at any moment: then `epoch` changes.
    """

    def epoch(self) -> str:
        """The id of the file's chain."""
        ...

    def anchor(self) -> tuple[int, str]:
        """Number and hash of the record before the oldest one held: (0, GENESIS) at first."""
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
