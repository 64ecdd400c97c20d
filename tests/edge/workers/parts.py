"""What tests of the workers are made of: a clock that is told the time, frames, entries."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from camera.frame import Frame, Image
from edge.clock import Clock
from edge.records import Alarm, Disposition, Inspection, Record, uuid7
from edge.store.escalations import Deadline
from edge.workers.entry import Entry
from tests.edge.store.builders import NOON, ORIGIN, disposition, inspection

SECOND = 10**9
PICTURE: Image = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)

__all__ = ["NOON", "ORIGIN", "Alarm", "Disposition", "Inspection", "disposition", "inspection"]


class FakeClock(Clock):
    """Stands still until it is moved."""

    def __init__(self, now_ns: int = 1_000 * SECOND) -> None:
        self.now_ns = now_ns
        self.draw = 0.5
        self._numbers = itertools.count(1)
        super().__init__()

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall(self) -> float:
        return NOON + self.now_ns / SECOND

    def new_id(self) -> str:
        return uuid7(self.wall(), next(self._numbers))

    def chance(self) -> float:
        return self.draw

    def move(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND)


def frame(clock: FakeClock, number: int = 1, image: Image | None = PICTURE, **more: Any) -> Frame:
    return Frame(image, clock.now_ns, clock.wall(), number, **more)


def entry(*records: Record, asked_for_s: float = 60.0, **more: Any) -> Entry:
    """One entry, with a deadline for each inspection that is asked about."""
    deadlines = {
        record.id: Deadline(round(asked_for_s * SECOND), asked_for_s)
        for record in records
        if isinstance(record, Inspection) and record.asked
    }
    return Entry(records, deadlines, **more)


def decided(number: int) -> Entry:
    """A part that the model accepted, with its disposition."""
    made = inspection(number)
    return entry(made, disposition(made))


def asked(number: int) -> Entry:
    """A part that waits for a person."""
    return entry(inspection(number, "escalate", asked=True))
