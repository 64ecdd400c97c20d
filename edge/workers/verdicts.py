"""Persons' answers become what happens to the parts. Steps on the tend thread.

The line decides: the first of a verdict and the fall-back that it commits counts. A later answer is
a label only. `unsure` moves nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from edge.clock import Clock
from edge.log import log
from edge.records import Disposition, Origin
from edge.review.questions import inspection
from edge.review.verdicts import after, is_verdict
from edge.store.archive import Archive
from edge.store.errors import StoreError
from edge.workers.entry import Entry

STATE_THROUGH = "verdicts.through"
EVERY_NS = 200_000_000


class VerdictReader:
    """Reads queue.db behind the place that was last committed, writes dispositions by person.

    `failing` says why the queue cannot be read; persons' answers then wait.
    """

    def __init__(
        self,
        queue: Archive,
        line: Archive,
        clock: Clock,
        origin: Origin,
        state: Callable[[str], str | None],
    ) -> None:
        self.failing: str | None = None
        self._queue = queue
        self._line = line
        self._clock = clock
        self._origin = origin
        self._epoch, self._seq = _place(state(STATE_THROUGH))
        self._next_ns = 0

    def step(self, now_ns: int) -> Iterator[Entry]:
        """The dispositions that follow from new answers."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + EVERY_NS
        try:
            yield from self._read()
        except (sqlite3.Error, StoreError, ValueError, KeyError) as error:
            if self.failing is None:
                log.error("verdicts.failing", error=error)
            self.failing = str(error)
            return
        self.failing = None

    def close(self) -> None:
        """Let both files go."""
        self._queue.close()
        self._line.close()

    def _read(self) -> Iterator[Entry]:
        epoch = self._queue.epoch
        if epoch != self._epoch:
            self._epoch, self._seq = epoch, 0
        for seq, record in after(self._queue, self._seq):
            disposition = None
            try:  # where a file cannot be read now, the same answer comes again
                if is_verdict(record) and record["verdict"] in ("accept", "reject"):
                    disposition = self._decide(record)
            except (ValueError, KeyError) as error:
                log.error("verdicts.nonsense", seq=seq, error=error)
            self._seq = seq
            if disposition is not None:
                yield Entry((disposition,), state={STATE_THROUGH: f"{epoch} {seq}"})

    def _decide(self, verdict: Mapping[str, Any]) -> Disposition | None:
        asked = inspection(self._line, verdict["inspection"])
        if asked is None or asked["decision"] != "escalate" or not asked["asked"]:
            return None
        if self._line.disposition(asked["id"]) is not None:
            return None
        if asked["epoch"] != self._line.epoch and not self._waits(asked["id"]):
            return None  # of a database that was damaged: whether it was decided is not known
        return Disposition(
            id=self._clock.new_id(),
            origin=self._origin,
            decided=self._clock.moment(),
            inspection=asked["id"],
            disposition=verdict["verdict"],
            by="person",
            part_id=asked["part_id"],
            verdict=verdict["id"],
        )

    def _waits(self, inspection: str) -> bool:
        return any(one.inspection == inspection for one in self._line.open_escalations())


def _place(kept: str | None) -> tuple[str | None, int]:
    """Epoch and seq; the beginning where nothing that can be read was kept."""
    epoch, _, seq = (kept or "").partition(" ")
    return (epoch, int(seq)) if seq.isdigit() else (None, 0)
