"""An answer within milliseconds of its deadline: one fate, and everybody says the same."""

from __future__ import annotations

import heapq
import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.channel import Channel
from edge.clock import Clock
from edge.decision.facts import Facts
from edge.inspection import Ruling, Setup
from edge.line.output import Silent
from edge.monitor.alarms import Alarms
from edge.recovery.history import History
from edge.requests import Desk as Requests
from edge.review.answers import Answers
from edge.review.board import Board
from edge.review.case import case_of
from edge.review.chain import Chain
from edge.review.lineside import LineFiles, decided
from edge.review.refusal import Refused
from edge.review.verdicts import FILE
from edge.review.waiting import Outcome
from edge.store.archive import Archive
from edge.store.escalations import Deadline
from edge.store.journal import Journal
from edge.workers.entry import Entry
from edge.workers.inspect import Desk
from edge.workers.openings import Openings
from edge.workers.overruns import Overruns
from edge.workers.record import Recorder
from edge.workers.ruler import Basis, Ruler
from edge.workers.seats import Seat, Seats
from edge.workers.tend import Tended, Tender
from edge.workers.verdicts import VerdictReader
from tests.edge.store.builders import inspection
from tests.edge.workers.parts import ORIGIN, FakeClock
from tests.simulators.patience import until

MS = 1_000_000


class Camera:
    def check(self, now_ns: int) -> str | None:
        return None


class Station:
    """The line's tend and record threads and the queue of the page, on real files."""

    def __init__(self, folder: Path, clock: Clock, undo_s: float = 2.0) -> None:
        self.clock, self.finish, self.wake = clock, threading.Event(), threading.Event()
        self.openings = Openings()
        self.journal = Journal.open(folder / "line.db", "boot-1", clock.monotonic_ns())
        self.recorded: Channel[Entry] = Channel(100_000)
        self.recorder = Recorder(self.recorded, self.journal, self.openings, retry_s=0)
        self.chain = Chain(folder, "boot-1", clock)
        self.line = History(folder / "line.db")
        self.through = 0
        state = self.journal.state
        reader = Archive(folder / FILE)
        self.reader = VerdictReader(reader, self.openings, clock, ORIGIN, state, undo_s)
        self.tender = Tender(self._tended(folder), self.finish, self.wake)
        side = LineFiles(folder / "line.db", lambda: {"answers": dict(self.reader.place)})
        self.answers = Answers(Board(), self.chain, clock, ORIGIN, side, undo_s)

    def _tended(self, folder: Path) -> Tended:
        ruler = Ruler(Basis("partial", True, None, None), ORIGIN, self.clock.new_id, {}.get)
        desk = Desk(
            seats=Seats(Seat(Setup(ORIGIN, "v" * 64, None, None), Ruling("partial"))),
            output=Silent(),
            clock=self.clock,
            wanted=lambda made: True,
            deadline_s=60.0,
            live=True,
        )
        return Tended(
            desk=desk,
            camera=Camera(),
            child=None,
            ruler=ruler,
            alarms=Alarms(ORIGIN, self.clock.new_id),
            openings=self.openings,
            overruns=Overruns(),
            requests=Requests(folder / "requests", {}),
            recorded=self.recorded,
            clock=self.clock,
            origin=ORIGIN,
            fallback="hold",
            facts=Facts,
            in_force=lambda: None,
            troubles=dict,
            status=lambda: None,
            helpers=[self.reader],
            persons=self.reader,
        )

    def ask(self, deadlines_ns: list[int]) -> list[str]:
        """Parts that wait until then."""
        names = []
        entries = []
        for number, due_ns in enumerate(deadlines_ns):
            made = inspection(number, "escalate", asked=True, part=f"P-{number}")
            entries.append(Entry((made,), {made.id: Deadline(due_ns, 60.0)}))
            content = {**made.content(), "epoch": "e", "seq": 0}
            self.answers.add(case_of(content, "escalation", due_ns, 60.0), made.captured.wall)
            names.append(made.id)
        for entry in entries:
            assert self.recorded.put(entry)
        while len(self.openings) < len(names):
            self.recorder.step()
        return names

    def follow(self) -> None:
        """What the page's service reads of the line."""
        while rows := self.line.rows(self.through, 500, 1 << 22):
            self.through = rows[-1].seq
            for row in rows:
                record = json.loads(row.body)
                if record["schema"] == "disposition/1":
                    self.answers.decided(record["inspection"], decided(record))

    def dispositions(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        with Archive(self.journal.path) as archive:
            for row in archive.rows(0, 1 << 20, 1 << 30):
                record = json.loads(row.body)
                if record["schema"] == "disposition/1":
                    found.setdefault(record["inspection"], []).append(record)
        return found

    def close(self) -> None:
        self.reader.close()
        self.recorder.close()
        self.chain.close()
        self.line.close()


@dataclass
class Tried:
    """One attempt to answer: what the page was told, and whether it was on the disk in time."""

    outcome: Outcome | None
    in_time: bool


def answer(station: Station, name: str, due_ns: int) -> Tried:
    try:
        claim = station.answers.claim("p-00000001", name)
        assert claim is not None
        outcome = station.answers.verdict("p-00000001", claim.token, name, None, "reject")
    except Refused as refusal:
        if refusal.code != "too_late":
            raise
        return Tried(None, False)
    return Tried(outcome, station.clock.monotonic_ns() < due_ns)


def check_that_all_agree(station: Station, tried: dict[str, Tried]) -> Counter[str]:
    """One disposition for each part, and the line, its record and the page say the same of it."""
    found, by = station.dispositions(), Counter[str]()
    for name, attempt in tried.items():
        (record,) = found[name]
        by[record["by"]] += 1
        if attempt.outcome is None:
            assert record["by"] == "fallback"
        elif attempt.in_time:
            assert record["verdict"] == attempt.outcome.id, "durable before the deadline"
        if record["by"] == "person":
            assert attempt.outcome is not None
            assert record["verdict"] == attempt.outcome.id
            assert record["disposition"] == "reject"
        else:
            assert (record["disposition"], record["verdict"]) == ("hold", None)
        said = station.answers.state(name, "p-00000001")
        assert said["state"] == "decided"
        assert said["fate"] == {key: record[key] for key in ("disposition", "by", "at")}
    assert len(found) == len(tried)
    return by


def test_a_thousand_answers_within_5_ms_of_the_deadline_each_have_one_fate(tmp_path: Path) -> None:
    chance = random.Random(5)
    clock = FakeClock()
    station = Station(tmp_path, clock)
    deadlines = [clock.now_ns + (number + 1) * 20 * MS for number in range(1000)]
    tried: dict[str, Tried] = {}
    names = station.ask(deadlines)
    events: list[tuple[int, int, Callable[[], object]]] = []

    def answered(name: str, due_ns: int) -> None:
        tried[name] = answer(station, name, due_ns)

    for name, due_ns in zip(names, deadlines, strict=True):
        at_ns = due_ns + round(chance.uniform(-5, 5) * MS)
        heapq.heappush(events, (at_ns, len(events), lambda n=name, d=due_ns: answered(n, d)))
        for work in (station.tender.look, station.follow, record(station)):
            for _ in range(2):
                at_ns = due_ns + round(chance.uniform(-6, 12) * MS)
                heapq.heappush(events, (at_ns, len(events), work))
    while events:
        at_ns, _, work = heapq.heappop(events)
        clock.now_ns = max(clock.now_ns, at_ns)
        work()
    clock.move(10)
    station.tender.look()
    record(station)()
    station.follow()
    by = check_that_all_agree(station, tried)
    assert by["person"] > 300, by
    assert by["fallback"] > 100, by
    station.close()


def record(station: Station) -> Callable[[], object]:
    """A step of the record thread that never waits."""
    return lambda: len(station.recorded) and station.recorder.step()


@pytest.mark.slow
def test_the_same_with_threads_that_race(tmp_path: Path) -> None:
    chance = random.Random(7)
    station = Station(tmp_path, Clock())
    ended, count = threading.Event(), 1000
    begin_ns = station.clock.monotonic_ns() + 3_000 * MS
    deadlines = [begin_ns + number * 10 * MS for number in range(count)]
    names = station.ask(deadlines)
    tried: dict[str, Tried] = {}

    def tend() -> None:
        while not ended.is_set():
            station.tender.look()
            ended.wait(chance.uniform(0, 0.01))

    def keep() -> None:
        while not ended.is_set():
            station.recorder.step()

    def follow() -> None:
        while not ended.is_set():
            station.follow()
            ended.wait(0.005)

    def operate() -> None:
        for name, due_ns in zip(names, deadlines, strict=True):
            at_ns = due_ns + round(chance.uniform(-5, 5) * MS)
            ended.wait(max(0.0, (at_ns - station.clock.monotonic_ns()) / 1e9))
            tried[name] = answer(station, name, due_ns)

    threads = [threading.Thread(target=work) for work in (tend, keep, follow, operate)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(station.openings) == 0 and len(tried) == count, lambda: ended.wait(0.05))
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    station.follow()
    by = check_that_all_agree(station, tried)
    assert by["person"] > 0
    assert by["fallback"] > 0
    station.close()
