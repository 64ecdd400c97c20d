"""Pictures of earlier challenge parts, shown again among the others: is anybody looking?

Drawn at random, `web.seeded_per_day` on average, so that nobody can tell when one comes. The answer
is recorded about that inspection, changes no fate and counts in no figure of the production.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from edge.clock import Clock
from edge.decision.challenge import TAG
from edge.recovery.history import History
from edge.review.case import Case, case_of

DAY_S = 86_400.0
ROWS = 1000
"""Records looked through at one step: about 5 ms, once a second."""
MOST_KNOWN = 1000
"""So many challenge parts are drawn from: each that was ever seen with the same probability."""
MOST_WAITING = 2
"""Nights and holidays must not heap them up."""
MARK = f'"{TAG}":'.encode()


class Queue(Protocol):
    """What the queue is asked and told."""

    def case(self, inspection: str) -> Case | None:
        """What it knows of a part."""
        ...

    def fill(self, cases: list[tuple[Case, float]]) -> None:
        """These wait since then."""
        ...

    def waits(self, inspection: str) -> bool:
        """Whether somebody is asked about it."""
        ...


class Seeding:
    """Steps about once a second. Raises what reading the line's records raises."""

    def __init__(
        self,
        state_dir: Path,
        per_day: int,
        queue: Queue,
        clock: Clock,
        chance: Callable[[], float] | None = None,
    ) -> None:
        self._state_dir = state_dir
        self._per_day = per_day
        self._queue = queue
        self._clock = clock
        self._chance = chance or random.SystemRandom().random
        self._line = History(state_dir / "line.db")
        self._epoch: str | None = None
        self._seq = self._seen = 0
        self._known: list[str] = []
        self._waiting: list[str] = []
        self._last_ns = clock.monotonic_ns()

    def step(self) -> None:
        """Look a little further for challenge parts; perhaps put one of them into the queue."""
        if not self._per_day:
            return
        self._look()
        now_ns = self._clock.monotonic_ns()
        passed_s, self._last_ns = (now_ns - self._last_ns) / 1e9, now_ns
        self._waiting = [name for name in self._waiting if self._queue.waits(name)]
        due = self._chance() < self._per_day * passed_s / DAY_S
        if due and self._known and len(self._waiting) < MOST_WAITING:
            self._show(self._known[int(self._chance() * len(self._known))])

    def close(self) -> None:
        """Let the file go."""
        self._line.close()

    def _show(self, name: str) -> None:
        if self._queue.case(name) is not None:
            return  # it waits, or somebody has answered it not long ago
        for row in self._line.find(name)[:1]:
            record = json.loads(row.body)
            if self._usable(record):
                self._queue.fill([(case_of(record, "seeded"), self._clock.wall())])
                self._waiting.append(name)

    def _look(self) -> None:
        epoch = self._line.epoch
        if epoch != self._epoch:
            self._epoch, self._seq = epoch, 0
        for row in self._line.rows(self._seq, ROWS, 1 << 22):
            self._seq = row.seq
            if MARK in row.body:
                record = json.loads(row.body)
                if self._usable(record):
                    self._learn(str(record["id"]))

    def _usable(self, record: Mapping[str, Any]) -> bool:
        """Whether it is of known truth and its picture is still there."""
        if record.get("schema") != "inspection/1" or TAG not in record["tags"]:
            return False
        image = record["image"]
        return image is not None and (self._state_dir / image["path"]).is_file()

    def _learn(self, name: str) -> None:
        """Keep it, or let it take the place of another (reservoir sampling)."""
        self._seen += 1
        if len(self._known) < MOST_KNOWN:
            self._known.append(name)
        elif (place := int(self._chance() * self._seen)) < MOST_KNOWN:
            self._known[place] = name
