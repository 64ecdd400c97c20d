"""Where a broken chain goes on: which records are really unusable.

A record is sound when its hash follows from the hash before it, or when the record behind it proves
that hash. A stored hash is proved by the record behind it. So one flipped bit costs at most the one
record that it hit; a row that is gone costs also the next one, whose bytes nothing proves.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync import chain
from sync.journal import JournalError, JournalReader, Row
from sync.window import UNKNOWN, Mark

LOOKS = 500
"""Rows looked at in one step: some milliseconds."""
TRIES = 3
"""A disk that failed once may read the same row now."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A record that is as it was written; `hash` is the right one, whatever is stored."""

    seq: int
    body: bytes
    hash: str


@dataclass(slots=True)
class Search:
    """Looks behind `start`, from record to record, for a place from which the chain goes on.
    `since` says when the break was seen first."""

    start: Mark
    since: float
    waits: bool = True
    """Whether it has come to the end without a result: what can be read may change in time."""
    _next: int = 0

    def step(self, journal: JournalReader, last: int, bounded: bool) -> Sound | Mark | None:
        """Look at some rows up to `last`. A sound record right behind the start; or the mark up
        to which the records are lost; or None while nothing is found.

        At `last` its stored hash is believed. Where that is not to be had, the mark has the hash
        UNKNOWN if `bounded` (what is behind is delivered anyway), else more records are awaited.
        """
        if self.waits or self._next > last:
            self._next, self.waits = self.start.seq + 1, False
        row = self._row(journal, self._next)
        for _ in range(LOOKS):
            following = self._row(journal, self._next + 1)
            found = self._judge(row, following)
            if found is not None:
                return found
            if self._next == last:
                known = UNKNOWN if row is None else row.hash
                self.waits = not (bounded or known)
                return None if self.waits else Mark(self.start.epoch, last, known)
            self._next, row = self._next + 1, following
        return None

    def _judge(self, row: Row | None, following: Row | None) -> Sound | Mark | None:
        if row is None:
            return None
        if row.seq == self.start.seq + 1 and self.start.hash != UNKNOWN:
            right = chain.link(self.start.hash, row.body)
            if right == row.hash or _follows(right, following):
                return Sound(row.seq, row.body, right)
        if _follows(row.hash, following):
            return Mark(self.start.epoch, row.seq, row.hash)
        return None

    def _row(self, journal: JournalReader, seq: int) -> Row | None:
        row = row_at(journal, seq, self.start.epoch)
        if row is None or len(row.hash) == len(chain.GENESIS):
            return row
        return Sound(seq, row.body, UNKNOWN)


def row_at(journal: JournalReader, seq: int, epoch: str) -> Row | None:
    """The row with this number, if there is one that could be a record. Raises JournalError where
    it is not the row that cannot be read."""
    for _ in range(TRIES):
        try:
            rows = journal.rows(seq - 1, 1, 1, epoch)
        except JournalError as error:
            if not error.damaged:
                raise
            continue
        found = bool(rows) and rows[0].seq == seq and isinstance(rows[0].body, bytes)
        return rows[0] if found else None
    return None


def _follows(last: str, row: Row | None) -> bool:
    return row is not None and last != UNKNOWN and chain.link(last, row.body) == row.hash
