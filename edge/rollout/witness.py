"""Gathers the evidence of one candidate: pairs, deaths, persons' answers. Steps on the tend thread.

What is gathered goes into a file below `rollout/` (edge/rollout/pairs.py) and is read again at the
next start. A disk that takes nothing holds nobody up: the evidence goes on in memory. An answer
that is taken back has counted; an answer that takes its place counts too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.log import log
from edge.review.verdicts import after, is_verdict
from edge.rollout.breach import Breach
from edge.rollout.evidence import Evidence
from edge.rollout.pair import Pair, Side
from edge.rollout.pairs import (
    DECIDING,
    Died,
    Line,
    PairsFile,
    Word,
    apply,
    pair_line,
    replay,
    verdict_line,
)
from edge.store.archive import Archive
from edge.store.errors import StoreError

EVERY_NS = 200_000_000
ROWS = 500
"""Records of the queue that are read at once."""
TRIED = 60 * 10**9
"""The file is written to again so long after it could not be."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a witness hears from: each call gives what is new.

    `pairs` in the order of the parts, `deaths` a side for each child that died, and `deciding` for
    one of the newcomer's that decided parts. `spot_checks` says
    which bound of the active model's calibration the line's instruments find broken, if any.
    """

    pairs: Callable[[], Iterable[Pair]]
    deaths: Callable[[], Iterable[Died]]
    spot_checks: Callable[[], str | None] = lambda: None


class Deaths:
    """The children that died since the last call. All tuples are of monotonic times in ns.

    `deciding` are those of the candidate's whose children decided parts and ended by themselves.
    What died before this began says nothing about the candidate.
    """

    def __init__(
        self,
        candidate: Callable[[], tuple[int, ...]],
        active: Callable[[], tuple[int, ...]],
        deciding: Callable[[], tuple[int, ...]] = tuple,
    ) -> None:
        self._of: Mapping[Side, Callable[[], tuple[int, ...]]]
        self._of = {"candidate": candidate, "active": active}
        self._deciding = deciding
        self._until_ns = max(active(), default=0)

    def __call__(self) -> list[Died]:
        found = [
            (at, side) for side, deaths in self._of.items() for at in deaths()
            if at > self._until_ns
        ]  # fmt: skip
        self._until_ns = max([at for at, _ in found], default=self._until_ns)
        deciding = self._deciding()
        return [
            DECIDING if side == "candidate" and at in deciding else side
            for at, side in sorted(found)
        ]


class Witness:
    """What is known of one candidate."""

    def __init__(
        self, path: Path, evidence: Evidence, sources: Sources, queue: Archive | None
    ) -> None:
        self._file = PairsFile(path)
        self._evidence = evidence
        self._sources = sources
        self._queue = queue
        self._place: tuple[str | None, int] | None = None
        self._next_ns = self._write_ns = 0
        self._unwritten: list[Line] = []
        try:
            said = replay(path, evidence)
        except OSError as error:
            log.error("rollout.evidence", error=error)
            said = None
        if said is not None:
            self._place = _place(said)
        self._noted = self._place is not None

    @property
    def parts(self) -> int:
        """Parts that both models have answered."""
        return self._evidence.parts

    def step(self, now_ns: int) -> None:
        """Take in what both models said since, and what persons said."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + EVERY_NS
        new: list[Line] = [{"death": side} for side in self._sources.deaths()]
        new += [pair_line(pair) for pair in self._sources.pairs()]
        new += self._answers()
        for line in new:
            apply(line, self._evidence)
        words = self._sources.spot_checks()
        if words is not None:
            self._evidence.spot_checks(words)
        self._write(new, now_ns)

    def lacking(self, since: int) -> str | None:
        """Why the pairs after the one with this number do not suffice for the next step: see
        Evidence."""
        return self._evidence.lacking(since)

    def broken(self) -> Breach | None:
        """Which guard it has broken."""
        return self._evidence.broken()

    def as_json(self) -> Mapping[str, object]:
        """The figures, for records and the status."""
        return self._evidence.as_json()

    def close(self) -> None:
        """Write what is left, let the queue go."""
        self._write([], self._write_ns)
        if self._queue is not None:
            self._queue.close()

    def _answers(self) -> list[Line]:
        """Persons' answers since the last look; a queue that cannot be read is looked at again."""
        if self._queue is None:
            return []
        found: list[Word] = []
        try:
            with self._queue.reading() as database:
                if database is None:
                    self._place = self._place or (None, 0)
                    return self._read(found)
                epoch = self._queue.epoch
                if self._place is None or self._place[0] != epoch:
                    # what was answered before is about other parts; a new file is read as a whole
                    self._place = (epoch, self._queue.head()[0] if self._place is None else 0)
                for seq, record in after(self._queue, self._place[1], ROWS):
                    self._place = (epoch, seq)
                    found += [_word(record)] if is_verdict(record) else []
        except (sqlite3.Error, StoreError, ValueError, KeyError, TypeError) as error:
            log.warning("rollout.answers", error=error)
            return []
        return self._read(found)

    def _read(self, found: Iterable[Word]) -> list[Line]:
        """These answers, and how far the queue was read: also where it was read first, so that what
        is answered while the line is away counts."""
        lines = [*map(verdict_line, found)]
        if self._place is None or (self._noted and not lines):
            return lines
        self._noted = True
        return [*lines, {"queue": list(self._place)}]

    def _write(self, new: list[Line], now_ns: int) -> None:
        self._unwritten += new
        if not self._unwritten or now_ns < self._write_ns:
            return
        try:
            self._file.append(self._unwritten)
            self._unwritten = []
            place = None if self._place is None else {"queue": list(self._place)}
            self._file.shorten(self._evidence, place)
        except OSError as error:
            log.warning("rollout.evidence", error=error)
            self._unwritten = []
            self._write_ns = now_ns + TRIED


def _word(record: Mapping[str, Any]) -> Word:
    shown = record.get("answer_shown") is True
    return Word(str(record["inspection"]), str(record["verdict"]), record.get("label"), shown)


def _place(line: Line) -> tuple[str | None, int] | None:
    try:
        epoch, seq = line["queue"]
        return (None if epoch is None else str(epoch)), int(seq)
    except (ValueError, TypeError):
        return None
