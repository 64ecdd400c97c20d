"""Persons and sessions for tests: real files, a clock that is set by hand, cheap scrypt."""

from __future__ import annotations

from pathlib import Path

from edge.access.machines import Machines
from edge.access.people import People
from edge.access.pins import Cost, Pins
from edge.access.record import Access
from edge.access.secret import secret_of
from edge.access.sessions import Sessions
from edge.access.store import FILE, WebStore
from edge.clock import Clock
from edge.records import Moment, Origin

CHEAP = Cost(n=2)
LEAD_PIN, OPERATOR_PIN = "481516", "7391"
HERE, ELSEWHERE = "10.0.0.1", "10.0.0.99"


class HandClock(Clock):
    """Both clocks stand still until they are moved."""

    def __init__(self) -> None:
        super().__init__()
        self.ns = 10**15
        self.seconds = 1_800_000_000.0

    def monotonic_ns(self) -> int:
        return self.ns

    def wall(self) -> float:
        return self.seconds

    def moment(self) -> Moment:
        return Moment(self.seconds, self.ns, True)

    def after(self, seconds: float) -> None:
        self.ns += int(seconds * 1e9)
        self.seconds += seconds


class House:
    """web.db with everything on it; `records` is what went into the chain."""

    def __init__(
        self,
        state_dir: Path,
        clock: HandClock | None = None,
        boot_id: str = "boot-1",
        lock_after_s: float = 300.0,
    ) -> None:
        self.clock = clock or HandClock()
        self.records: list[Access] = []
        self.origin = Origin("a/b/c", boot_id, "cfg", "1.0")
        self.store = WebStore(state_dir / FILE)
        self.secret = secret_of(state_dir)
        self.sessions = Sessions(self.store, self.secret, self.clock, boot_id, lock_after_s)
        self.pins = Pins(self.secret, CHEAP)
        self.people = People(
            self.store,
            self.records.append,
            self.clock,
            self.origin,
            self.secret,
            self.sessions,
            self.pins,
        )
        self.machines = Machines(self.store, self.people.reporting, self.clock)

    @property
    def actions(self) -> list[str]:
        return [one.action for one in self.records]

    def close(self) -> None:
        self.store.close()
