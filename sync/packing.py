"""From rows of a journal to a payload that the broker takes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync import chain
from sync.gap import Gap, Why, encode_gap
from sync.journal import Row
from sync.segment import MAX_BYTES, Segment, encode
from sync.window import UNKNOWN, Mark


@dataclass(frozen=True, slots=True)
class Piece:
    """A message: the records between two marks, or why they do not come."""

    payload: bytes
    start: Mark
    end: Mark
    why: Why | None = None

    @property
    def records(self) -> int:
        """How many records it is about."""
        return self.end.seq - self.start.seq


class TooLarge(Exception):
    """A single record makes a larger message than the broker takes."""

    def __init__(self, row: Row, size: int) -> None:
        super().__init__(f"record {row.seq} makes a message of {size} bytes")
        self.row = row


def sound_beginning(start: Mark, rows: Sequence[Row]) -> Sequence[Row]:
    """Those rows that follow `start` without a gap, each with its right hash.

    When the end fits, so does all between: the hash is over every body, and numbers that rise
    cannot have a gap if the last one is right. Only where it does not, each row is looked at.
    """
    if rows and rows[-1].seq == start.seq + len(rows):
        end = chain.last_link(start.hash, [row.body for row in rows])
        if end == rows[-1].hash:
            return rows
    seq, last = start.seq, start.hash
    for index, row in enumerate(rows):
        seq, last = seq + 1, chain.link(last, row.body)
        if (row.seq, row.hash) != (seq, last):
            return rows[:index]
    return rows


def pack(stream: str, start: Mark, rows: Sequence[Row], most: int) -> Piece:
    """A message of at most `most` bytes with as many of these sound rows as fit when they are
    halved again and again. Raises TooLarge when even one does not."""
    while True:
        end = Mark(start.epoch, rows[-1].seq, rows[-1].hash)
        bodies = tuple(row.body for row in rows)
        first = start.seq + 1
        payload = encode(Segment(stream, end.epoch, first, end.seq, start.hash, end.hash, bodies))
        if len(payload) <= most and sum(map(len, bodies)) + len(bodies) <= MAX_BYTES:
            return Piece(payload, start, end)
        if len(rows) == 1:
            raise TooLarge(rows[0], len(payload))
        rows = rows[: len(rows) // 2]


def pack_gap(
    stream: str,
    start: Mark,
    end: Mark,
    why: Why,
    *,
    at: str | None = None,
    by: str | None = None,
    size: int | None = None,
) -> Piece:
    """A message that says why the records between these marks do not come."""
    before = None if start.hash == UNKNOWN else start.hash
    last = None if end.hash == UNKNOWN else end.hash
    gap = Gap(stream, end.epoch, start.seq + 1, end.seq, before, last, why, at, by, size)
    return Piece(encode_gap(gap), start, end, why)
