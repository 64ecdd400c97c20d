"""The tend thread: everything that is not on a part's way. It never holds up a decision."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import Protocol

from edge.channel import Channel
from edge.clock import Clock
from edge.decision.facts import Facts
from edge.inspection import overrun
from edge.log import log
from edge.monitor.alarms import Alarms
from edge.records import Disposition, Fate, Origin
from edge.requests import Desk as Requests
from edge.store.escalations import Deadline
from edge.workers.entry import Entry
from edge.workers.inspect import Desk
from edge.workers.openings import Openings
from edge.workers.overruns import Overruns
from edge.workers.ruler import Ruler

PERIOD_S = 0.05
OVERRUNS_A_STEP = 200
"""A camera that overran for hours must not keep this thread from the child and the deadlines."""
EVERY_SECOND_NS = 10**9
AWAY_S = 1.0
"""A child is started again within this time; only one that is not is an alarm."""
MINUTE_NS = 60 * 10**9
HOLD_NS = 10**9
"""So long a fall-back waits while there is much to read of what persons said."""


class Camera(Protocol):
    """The supervisor of the camera, as this thread sees it."""

    def check(self, now_ns: int) -> str | None:
        """Why there are no pictures now; None when all is well."""
        ...


class Child(Protocol):
    """The model's child process, as this thread sees it."""

    @property
    def ready(self) -> bool:
        """Whether it can answer."""
        ...

    @property
    def deaths(self) -> tuple[int, ...]:
        """When it died, on the monotonic clock in ns."""
        ...

    def step(self, now_ns: int) -> None:
        """Notice its death, start it again when it is time. Never waits."""
        ...


class Helper(Protocol):
    """Something that this thread does a little of at every look."""

    def step(self, now_ns: int) -> Iterable[Entry]:
        """A little of its work; what is to be recorded. Never waits, never raises."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class Persons(Protocol):
    """Persons' answers, as this thread needs them at a deadline: see edge/workers/verdicts.py."""

    undone: bool

    def at_deadline(self, due: Collection[str], now_ns: int) -> Mapping[str, Entry | None] | None:
        """What persons said of these parts; None where there is more to read."""
        ...

    def fell_back(self, inspection: str) -> None:
        """The fall-back decides it."""
        ...


@dataclass(slots=True)
class Tended:
    """What this thread looks after.

    `facts` is what is so about the active bundle; `in_force` puts the ruler's word before whoever
    decides.
    """

    desk: Desk
    camera: Camera
    child: Child | None
    ruler: Ruler
    alarms: Alarms
    openings: Openings
    overruns: Overruns
    requests: Requests
    recorded: Channel[Entry]
    clock: Clock
    origin: Origin
    fallback: Fate
    facts: Callable[[], Facts]
    in_force: Callable[[], None]
    troubles: Callable[[], Mapping[str, str | None]]
    status: Callable[[], None]
    helpers: Sequence[Helper] = ()
    persons: Persons | None = None


class Tender:
    """Camera, child, degree, deadlines, overruns, requests, status: a little of each every step."""

    def __init__(self, tended: Tended, finish: Event, wake: Event) -> None:
        self._tended = tended
        self._finish = finish
        self._wake = wake
        self._pending: list[Entry] = []
        self._away_since_ns: int | None = None
        self._next_second_ns = 0
        self._due: dict[str, str | None] = {}
        self._due_since_ns = 0

    def step(self) -> bool:
        """Look after everything once, then wait; False after `finish`, when all is handed on."""
        finishing = self._finish.is_set()
        self.look()
        if finishing:
            return not self._ended()
        self._wake.wait(PERIOD_S)
        self._wake.clear()
        return True

    def look(self) -> None:
        """Look after everything once."""
        tended = self._tended
        now_ns = tended.clock.monotonic_ns()
        camera = tended.camera.check(now_ns)
        if tended.child is not None:
            tended.child.step(now_ns)
        facts = self._facts(now_ns)
        away = facts.away_s > AWAY_S
        model = "the model's process does not answer" if away else None
        self._see({"camera": camera, "model": model, **tended.troubles()})
        for helper in tended.helpers:
            for entry in helper.step(now_ns):
                self.hand_on(entry)
        self._rule(self._facts(now_ns))  # a helper may have made another model active
        self._deadlines(now_ns)
        self._overruns()
        self._flush()
        if tended.persons is not None and tended.persons.undone:
            tended.persons.undone = False
            tended.status()  # somebody looks at a page and waits for this word
        if now_ns >= self._next_second_ns:
            self._next_second_ns = now_ns + EVERY_SECOND_NS
            tended.clock.refresh()
            self._serve()
            tended.status()

    def hand_on(self, entry: Entry) -> None:
        """Give an entry to the store as soon as it has room; they keep their order."""
        self._pending.append(entry)
        self._flush()

    def _serve(self) -> None:
        try:
            self._tended.requests.step(self._tended.clock.monotonic_ns() / 1e9)
        except OSError as error:
            log.error("requests.failing", error=error)

    def _see(self, causes: Mapping[str, str | None]) -> None:
        tended = self._tended
        moment = tended.clock.moment()
        for cause, message in causes.items():
            alarm = tended.alarms.see(cause, message, moment)
            if alarm is not None:
                log.warning(f"alarm.{cause}", state=alarm.state, message=alarm.message)
                self.hand_on(Entry((alarm,)))

    def _rule(self, facts: Facts) -> None:
        tended = self._tended
        changes = tended.ruler.look(facts, tended.clock.moment())
        tended.in_force()
        if changes:
            log.info("automation", degree=tended.ruler.now.degree, why=tended.ruler.now.why)
            self.hand_on(Entry(tuple(changes), state=tended.ruler.state()))

    def _facts(self, now_ns: int) -> Facts:
        child = self._tended.child
        if child is None:
            return self._tended.facts()
        if child.ready:
            self._away_since_ns = None
        elif self._away_since_ns is None:
            self._away_since_ns = now_ns
        away_ns = 0 if self._away_since_ns is None else now_ns - self._away_since_ns
        deaths = sum(now_ns - death < MINUTE_NS for death in child.deaths)
        return replace(self._tended.facts(), away_s=away_ns / 1e9, deaths=deaths)

    def _deadlines(self, now_ns: int) -> None:
        """The fall-back, for parts of which no person's answer is on the disk at their deadline."""
        if not self._due:
            self._due_since_ns = now_ns
        self._due.update(self._tended.openings.take_due(now_ns))
        if not self._due:
            return
        persons = self._tended.persons
        said = {} if persons is None else persons.at_deadline(self._due.keys(), now_ns)
        if said is None:
            if now_ns - self._due_since_ns < HOLD_NS:
                return
            said = {}
        for inspection, part_id in self._due.items():
            entry = said[inspection] if inspection in said else self._fall_back(inspection, part_id)
            if entry is not None:
                self.hand_on(entry)
        self._due.clear()

    def _fall_back(self, inspection: str, part_id: str | None) -> Entry:
        tended = self._tended
        if tended.persons is not None:
            tended.persons.fell_back(inspection)
        disposition = Disposition(
            id=tended.clock.new_id(),
            origin=tended.origin,
            decided=tended.clock.moment(),
            inspection=inspection,
            disposition=tended.fallback,
            by="fallback",
            part_id=part_id,
        )
        return Entry((disposition,))

    def _overruns(self) -> None:
        tended = self._tended
        seat = tended.desk.seats.active
        for _ in range(OVERRUNS_A_STEP):
            if not tended.recorded.has_room() or (frame := tended.overruns.take()) is None:
                return
            inspection = overrun(
                frame,
                seat.setup,
                seat.ruling,
                new_id=tended.clock.new_id(),
                clock_synced=tended.clock.synced,
            )
            tended.desk.output.tell(inspection)
            allowed_s = tended.desk.deadline_s
            due_ns = tended.clock.monotonic_ns() + int(allowed_s * 1e9)
            deadline = Deadline(due_ns, allowed_s)
            self.hand_on(
                Entry((inspection,), {inspection.id: deadline} if inspection.asked else {})
            )

    def _flush(self) -> None:
        while self._pending and self._tended.recorded.put(self._pending[0]):
            self._pending.pop(0)

    def left(self) -> int:
        """How many records are still here: at the end, those that will never be written."""
        return sum(len(entry.records) for entry in self._pending) + len(self._tended.overruns)

    def _ended(self) -> bool:
        if not self._handed_on():
            return False
        for helper in self._tended.helpers:
            helper.close()
        return True

    def _handed_on(self) -> bool:
        """At the end: whether nothing is left to hand to the store."""
        if self._tended.recorded.closed:
            return True
        if self._pending or len(self._tended.overruns):
            self._tended.recorded.wait_for_room(0.25)
            return False
        return True
