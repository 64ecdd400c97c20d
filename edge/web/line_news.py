"""Follows line.db: which parts wait for a person, what became of them, what happened today.

What is new comes first, then what waits and is not yet in the queue, then backwards what happened
earlier today: a page is of use at once, however much there is to read.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from edge.clock import Clock
from edge.log import log
from edge.review.case import Case
from edge.review.lineside import decided
from edge.review.questions import OPEN_CHECKS
from edge.review.standing import Given
from edge.review.verdicts import Kept, latest
from edge.review.waiting import Decided
from edge.store.errors import StoreError
from edge.store.escalations import Escalation
from edge.store.rows import DISPOSITION, INSPECTION
from edge.web.copies import Copies
from edge.web.counting import Counting
from edge.web.line_cases import NONSENSE, cases_of, checks_of, given_of, say_nonsense
from edge.web.line_reader import LineReader, News, Record
from edge.web.today import Today

AT_ONCE = 500
"""Rows of one step: what is being asked meanwhile waits a few milliseconds at most."""
AGAIN_NS = 10 * 10**9
"""So often the open escalations are compared with those that are known here."""
CHECKS_NS = 10**9
UNREADABLE = (sqlite3.Error, StoreError, OSError)


class Queue(Protocol):
    """What the queue is told."""

    def fill(self, cases: Sequence[tuple[Case, float]]) -> None:
        """These wait since then (wall time), but for those that are known."""
        ...

    def add(self, case: Case, since_s: float) -> None:
        """The same for one; one that is known gets its new deadline."""
        ...

    def given(self, inspection: str, given: Given) -> None:
        """Somebody has answered it before this service began."""
        ...

    def decided(self, inspection: str, fate: Decided) -> object:
        """The part has its disposition."""
        ...

    def withdraw(self, inspection: str) -> None:
        """Nobody is asked about it any more."""
        ...


class LineNews:
    """One reader's place in line.db. Used by one thread.

    `failing` says why nothing can be read; `read_ns` when it last could be. `new` counts the
    escalations that came while it followed. `tell` hears of parts that were decided.
    """

    def __init__(
        self,
        reader: LineReader,
        queue: Queue,
        kept: Kept,
        today: Today,
        copies: Copies,
        clock: Clock,
        boot_id: str,
        tell: Callable[[str, Mapping[str, object]], None],
    ) -> None:
        self.failing: str | None = None
        self.read_ns = clock.monotonic_ns()
        self.new = 0
        self.through = 0
        self._reader = reader
        self._queue = queue
        self._kept = kept
        self._today = today
        self._copies = copies
        self._clock = clock
        self._boot_id = boot_id
        self._tell = tell
        self._epoch: str | None = None
        self._counting: Counting | None = None
        self._to_load: deque[Escalation] = deque()
        self._known: dict[str, int | None] = {}
        self._checks: set[str] = set()
        self._checks_said: str | None = None
        self._again_ns = self._checks_ns = 0

    def step(self) -> bool:
        """Read a little; whether there is more to read at once."""
        now_ns = self._clock.monotonic_ns()
        try:
            more = self._step(now_ns)
        except UNREADABLE as error:
            if self.failing is None:
                log.error("web.unreadable", file="line.db", error=error)
            self.failing = str(error) or type(error).__name__
            return False
        self.failing, self.read_ns = None, now_ns
        return more

    def close(self) -> None:
        """Let the file go."""
        self._reader.close()

    def _step(self, now_ns: int) -> bool:
        news = self._reader.news(self.through, AT_ONCE)
        if news.epoch != self._epoch:
            self._begin(news.epoch)
            return True
        self._take(news)
        if news.epoch is None:
            return False  # it is being replaced, or was taken away: what waits waits on
        if now_ns >= self._again_ns:
            self._again_ns = now_ns + AGAIN_NS
            self._compare()
        if now_ns >= self._checks_ns:
            self._checks_ns = now_ns + CHECKS_NS
            self._look_at_checks()
        if news.more:
            return True
        if self._to_load:
            self._load()
            return True
        return self._counting is not None and self._counting.step(self._reader)

    def _begin(self, epoch: str | None) -> None:
        """Another file: from its end on, and everything that waits in it."""
        if self._epoch is not None:
            log.warning("web.new_epoch", epoch=epoch)
        self._epoch = epoch
        self.through = self._reader.head()[0] if epoch is not None else 0
        self._counting = Counting(self._today, self.through, epoch, self._clock.wall())
        self._again_ns = self._checks_ns = 0
        self._checks_said = None

    def _take(self, news: News) -> None:
        cases: list[tuple[Case, float]] = []
        for record in news.records:
            try:
                cases += self._taken(record, news)
            except NONSENSE as error:
                say_nonsense(record, error)
        self.new += len(cases)
        self._put(cases)
        self.through = news.through

    def _taken(self, record: Record, news: News) -> list[tuple[Case, float]]:
        if record.get("schema") == INSPECTION:
            self._today.inspection(record)
            waiting = news.waiting.get(str(record["id"]))
            return [] if waiting is None else self._case(record, waiting)
        if record.get("schema") == DISPOSITION:
            self._today.disposition(record)
            self._decided(record)
        return []

    def _case(self, record: Record, waiting: Escalation) -> list[tuple[Case, float]]:
        """The case of an open escalation; nothing where its record makes no sense."""
        deadline_ns = self._due_ns(waiting)
        found = cases_of(record, "escalation", deadline_ns, waiting.allowed_s)
        self._known[waiting.inspection] = deadline_ns
        self._copies.keep(waiting.inspection, record)
        return found

    def _due_ns(self, waiting: Escalation) -> int | None:
        """The deadline; None for one of an earlier boot, which the line will give anew."""
        return waiting.deadline_ns if waiting.boot_id == self._boot_id else None

    def _put(self, cases: Sequence[tuple[Case, float]]) -> None:
        """Into the queue, with what was answered before and the line has not acted on."""
        self._queue.fill(cases)
        for case, since_s in cases:
            self._queue.add(case, since_s)  # known already: its deadline has begun anew
            try:
                given = given_of(latest(self._kept, case.inspection), case)
            except NONSENSE as error:
                log.error("web.nonsense", inspection=case.inspection, error=repr(error))
                continue
            if given is not None:
                self._queue.given(case.inspection, given)

    def _decided(self, record: Record) -> None:
        name = str(record["inspection"])
        if name not in self._known:
            return
        fate = decided(record)
        del self._known[name]
        self._copies.drop(name)
        self._queue.decided(name, fate)
        self._tell("part", {"inspection": name, "state": "decided", "fate": fate.as_json()})

    def _compare(self) -> None:
        """What waits by the line's word, and what is known here: the same, but for what was missed
        (a start, a new file, a deadline that began anew)."""
        waiting = {one.inspection: one for one in self._reader.open_escalations()}
        for name in [one for one in self._known if one not in waiting]:
            row = self._reader.disposition(name)
            try:
                if row is not None:
                    self._decided(json.loads(row.body))
            except NONSENSE as error:
                log.error("web.nonsense", inspection=name, error=repr(error))
            if name in self._known:
                del self._known[name]
                self._copies.drop(name)
                self._queue.withdraw(name)
        loading = {one.inspection for one in self._to_load}
        for one in sorted(waiting.values(), key=lambda one: one.deadline_ns):
            known = self._known.get(one.inspection, -1)
            if one.inspection not in loading and known != self._due_ns(one):
                self._to_load.append(one)
        self._copies.only(waiting)

    def _load(self) -> None:
        some = [self._to_load.popleft() for _ in range(min(AT_ONCE, len(self._to_load)))]
        # read long after `_compare`: what was decided meanwhile nobody is to be asked about
        still = self._reader.still_open(some)
        records = self._reader.records_of(still)
        cases = []
        for one in still:
            record = records.get(one.inspection) or self._copies.find(one.inspection)
            if record is not None:
                cases += self._case(record, one)
            else:
                log.error("web.lost", inspection=one.inspection)
                self._known[one.inspection] = self._due_ns(one)
        self._put(cases)

    def _look_at_checks(self) -> None:
        said = self._reader.state(OPEN_CHECKS)
        if said == self._checks_said:
            return
        wanted = checks_of(said)
        for name in self._checks - set(wanted):
            self._queue.withdraw(name)
        cases = []
        for name in [one for one in wanted if one not in self._checks]:
            for record in self._reader.inspection_of(name):
                cases += cases_of(record, "check", None, None)
        self._put(cases)
        self._checks, self._checks_said = set(wanted), said
