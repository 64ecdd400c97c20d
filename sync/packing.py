"""From rows of a journal to a payload that the broker takes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sync import chain
from sync.journal import Row
from sync.segment import Segment, encode
from sync.window import Mark


class TooLarge(Exception):
    """A single record makes a larger message than the broker takes."""

    def __init__(self, seq: int, size: int) -> None:
        super().__init__(f"record {seq} makes a message of {size} bytes")


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


def pack(stream: str, start: Mark, rows: Sequence[Row], most: int) -> tuple[bytes, Mark]:
    """A payload of at most `most` bytes with as many of these sound rows as fit when they are
    halved again and again, and the mark behind them. Raises TooLarge when even one does not."""
    while True:
        end = Mark(start.epoch, rows[-1].seq, rows[-1].hash)
        bodies = tuple(row.body for row in rows)
        first = start.seq + 1
        payload = encode(Segment(stream, end.epoch, first, end.seq, start.hash, end.hash, bodies))
        if len(payload) <= most:
            return payload, end
        if len(rows) == 1:
            raise TooLarge(end.seq, len(payload))
        rows = rows[: len(rows) // 2]
