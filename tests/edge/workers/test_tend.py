"""The tend thread, a step at a time: alarms, degree, deadlines, overruns, requests, the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from edge.channel import Channel
from edge.decision.facts import Facts
from edge.inspection import Ruling, Setup
from edge.line.output import Silent
from edge.monitor.alarms import Alarms
from edge.records import Alarm, Automation, Cuts, Disposition, Inspection, Record
from edge.requests import Answer, Request, put
from edge.requests import Desk as Requests
from edge.workers.entry import Entry
from edge.workers.inspect import Desk
from edge.workers.openings import Openings
from edge.workers.overruns import Overruns
from edge.workers.ruler import Basis, Ruler
from edge.workers.seats import Seat, Seats
from edge.workers.tend import OVERRUNS_A_STEP, Tended, Tender
from tests.edge.workers.parts import (
    ORIGIN,
    SECOND,
    FakeClock,
    decided,
    disposition,
    frame,
    inspection,
)

CUTS = Cuts(0.1, 0.9)


class Camera:
    wrong: str | None = None

    def check(self, now_ns: int) -> str | None:
        return self.wrong


class Child:
    def __init__(self) -> None:
        self.ready = True
        self.deaths: tuple[int, ...] = ()
        self.stepped = 0

    def step(self, now_ns: int) -> None:
        self.stepped += 1


class Bench:
    def __init__(self, folder: Path, room: int = 1000) -> None:
        self.clock, self.camera, self.child = FakeClock(), Camera(), Child()
        self.openings, self.overruns = Openings(), Overruns()
        self.recorded: Channel[Entry] = Channel(room)
        self.ruler = Ruler(Basis("partial", True, CUTS, None), ORIGIN, self.clock.new_id, {}.get)
        self.desk = Desk(
            seats=Seats(Seat(Setup(ORIGIN, "v" * 64, None, None), self.ruler.ruling)),
            output=Silent(),
            clock=self.clock,
            wanted=lambda made: True,
            deadline_s=60.0,
            live=True,
        )
        self.troubles: dict[str, str | None] = {}
        self.asked: list[Request] = []
        self.told = 0
        self.finish, self.wake = Event(), Event()
        self.folder = folder / "requests"
        self.tended = Tended(
            desk=self.desk,
            camera=self.camera,
            child=self.child,
            ruler=self.ruler,
            alarms=Alarms(ORIGIN, self.clock.new_id),
            openings=self.openings,
            overruns=self.overruns,
            requests=Requests(self.folder, {"note": self._note}),
            recorded=self.recorded,
            clock=self.clock,
            origin=ORIGIN,
            fallback="hold",
            facts=Facts,
            in_force=lambda: self.desk.rule(self.ruler.ruling),
            troubles=lambda: self.troubles,
            status=self._status,
        )
        self.tender = Tender(self.tended, self.finish, self.wake)

    def _note(self, request: Request) -> Answer:
        self.asked.append(request)
        return {}

    def _status(self) -> None:
        self.told += 1

    def look(self, seconds: float = 0.0) -> list[Record]:
        """Time goes by, one look; the records that were handed on."""
        self.clock.move(seconds)
        self.tender.look()
        return [record for entry in self.recorded.take(10_000, 0) for record in entry.records]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_when_all_is_well_nothing_is_recorded(bench: Bench) -> None:
    assert bench.look() == []
    assert bench.look(5) == []
    assert bench.child.stepped == 2


def test_a_camera_that_fails_is_one_alarm_and_one_end(bench: Bench) -> None:
    bench.camera.wrong = "no picture for 2 s"
    (raised,) = bench.look()
    assert isinstance(raised, Alarm)
    assert (raised.cause, raised.state, raised.message) == (
        "camera",
        "raised",
        "no picture for 2 s",
    )
    bench.camera.wrong = "no picture for 3 s"
    assert bench.look(1) == []
    bench.camera.wrong = None
    (ended,) = bench.look(1)
    assert isinstance(ended, Alarm)
    assert ended.state == "ended"


def test_troubles_of_the_other_threads_are_alarms_too(bench: Bench) -> None:
    bench.troubles = {"record": "disk is full", "frozen": None}
    (raised,) = bench.look()
    assert isinstance(raised, Alarm)
    assert raised.cause == "record"


def test_a_child_that_is_away_is_an_alarm_first_and_human_only_after_ten_seconds(
    bench: Bench,
) -> None:
    bench.look()
    bench.child.ready = False
    assert bench.look(0.1) == []
    assert bench.look(0.9) == [], "a child is started again within a second"
    (alarm,) = bench.look(0.2)
    assert isinstance(alarm, Alarm)
    assert alarm.cause == "model"
    assert bench.look(8.0) == []
    assert bench.desk.seats.active.ruling.degree == "partial"
    (limit,) = bench.look(1.0)
    assert isinstance(limit, Automation)
    assert (limit.limit, limit.in_force) == ("model_failing", "human_only")
    assert bench.desk.seats.active.ruling.degree == "human_only"
    bench.child.ready = True
    back = bench.look(0.1)
    assert [type(one) for one in back] == [Alarm, Automation]
    assert bench.desk.seats.active.ruling.degree == "partial"


def test_three_deaths_within_a_minute_are_human_only_until_they_are_old(bench: Bench) -> None:
    now = bench.clock.now_ns
    bench.child.deaths = (now - 50 * SECOND, now - 2 * SECOND, now - SECOND)
    bench.look()
    assert bench.desk.seats.active.ruling.degree == "human_only"
    bench.look(11)
    assert bench.desk.seats.active.ruling.degree == "partial"


def test_a_degree_that_a_person_set_reaches_the_inspect_thread(bench: Bench) -> None:
    bench.look()
    before = bench.desk.seats.active.ruling
    assert bench.look() == []
    assert bench.desk.seats.active.ruling is before
    bench.ruler.choose("assist", "why", "anna", None, "r", bench.clock.moment())
    bench.look()
    assert bench.desk.seats.active.ruling == Ruling("assist", CUTS)


def test_when_nobody_answers_the_fall_back_decides_once(bench: Bench) -> None:
    due_ns = bench.clock.now_ns + 10 * SECOND
    bench.openings.open([("inspection-1", "part-1", due_ns)])
    assert bench.look(9.9) == []
    (disposition,) = bench.look(0.1)
    assert isinstance(disposition, Disposition)
    assert (disposition.inspection, disposition.part_id) == ("inspection-1", "part-1")
    assert (disposition.disposition, disposition.by) == ("hold", "fallback")
    assert bench.look(60) == []


def test_an_overrun_becomes_an_escalation_with_a_deadline(bench: Bench) -> None:
    bench.overruns.add(frame(bench.clock, 7, part_id="p"))
    bench.tender.look()
    (entry,) = bench.recorded.take(9, 0)
    (made,) = entry.records
    assert isinstance(made, Inspection)
    assert (made.decision, made.reason, made.asked, made.part_id) == (
        "escalate", "overrun", True, "p"
    )  # fmt: skip
    assert entry.deadlines[made.id].monotonic_ns == bench.clock.now_ns + 60 * SECOND


def test_the_line_is_told_of_an_overrun(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Inspection] = []
    monkeypatch.setattr(bench.desk.output, "tell", told.append, raising=False)
    bench.overruns.add(frame(bench.clock, 7, part_id="p"))
    bench.tender.look()
    assert [(made.part_id, made.decision) for made in told] == [("p", "escalate")]


def test_in_a_pilot_by_sample_an_overrun_waits_for_nobody(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.ruler.basis = Basis("shadow", False, None, None)
    bench.overruns.add(frame(bench.clock))
    bench.tender.look()
    (entry,) = bench.recorded.take(9, 0)
    assert entry.deadlines == {}


def test_overruns_wait_where_they_are_small_until_there_is_room(tmp_path: Path) -> None:
    bench = Bench(tmp_path, room=2)
    for number in range(5):
        bench.overruns.add(frame(bench.clock, number))
    counts = [len(bench.look()) for _ in range(4)]
    assert counts == [2, 2, 1, 0]


def test_many_overruns_do_not_keep_it_from_the_rest(bench: Bench) -> None:
    for number in range(3 * OVERRUNS_A_STEP):
        bench.overruns.add(frame(bench.clock, number))
    assert len(bench.look()) == OVERRUNS_A_STEP


def test_what_finds_no_room_waits_and_keeps_its_order(tmp_path: Path) -> None:
    bench = Bench(tmp_path, room=1)
    bench.recorded.put(decided(1))
    bench.camera.wrong = "gone"
    bench.tender.look()
    bench.camera.wrong = None
    bench.tender.look()
    assert bench.tender.left() == 2
    bench.recorded.take(1, 0)
    states = []
    for _ in range(3):
        states += [one.state for one in bench.look() if isinstance(one, Alarm)]
    assert states == ["raised", "ended"]
    assert bench.tender.left() == 0


def test_requests_and_the_status_come_once_a_second(bench: Bench) -> None:
    put(bench.folder, Request("01890a5d-ac96-774b-bcce-b302099a8057", "note", {}))
    bench.look()
    assert (len(bench.asked), bench.told) == (1, 1)
    for _ in range(9):
        bench.look(0.1)
    assert bench.told == 1
    bench.look(0.1)
    assert bench.told == 2


def test_a_disk_that_refuses_an_answer_does_not_end_the_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(wall: float) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.tended.requests, "step", refuse)
    bench.look()
    assert bench.told == 1


def test_it_ends_after_finish_when_all_is_handed_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, room=1)
    bench.wake.set()
    assert bench.tender.step()
    for number in range(3):
        bench.overruns.add(frame(bench.clock, number))
    bench.finish.set()
    seen = 0
    while bench.tender.step():
        seen += len(bench.recorded.take(9, 0))
    seen += len(bench.recorded.take(9, 0))
    assert seen == 3
    assert bench.tender.left() == 0


def test_when_the_record_thread_has_ended_it_ends_and_says_what_is_left(bench: Bench) -> None:
    bench.overruns.add(frame(bench.clock))
    bench.camera.wrong = "gone"
    bench.recorded.close()
    bench.finish.set()
    assert not bench.tender.step()
    assert bench.tender.left() == 2


def test_wake_ends_the_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    real: Callable[[float | None], bool] = bench.wake.wait
    monkeypatch.setattr(bench.wake, "wait", lambda timeout: (waited.append(timeout), real(0))[1])
    bench.wake.set()
    assert bench.tender.step()
    assert len(waited) == 1
    assert not bench.wake.is_set()


class Helper:
    """Hands on one record at each look, until it is closed."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.closed = clock, False

    def step(self, now_ns: int) -> list[Entry]:
        assert now_ns == self.clock.now_ns
        return [decided(1)]

    def close(self) -> None:
        self.closed = True


def test_helpers_step_at_every_look_and_are_closed_at_the_end(bench: Bench) -> None:
    helper = Helper(bench.clock)
    bench.tended.helpers = (helper,)
    assert len(bench.look()) == len(bench.look()) == 2
    bench.finish.set()
    assert not helper.closed
    assert not bench.tender.step()
    assert helper.closed


class Persons:
    """What persons said, as far as it is known; `more` says that there is more to read."""

    def __init__(self) -> None:
        self.undone, self.more = False, False
        self.said: dict[str, Entry | None] = {}
        self.fallen: list[str] = []
        self.asked: list[set[str]] = []

    def at_deadline(self, due: Collection[str], now_ns: int) -> Mapping[str, Entry | None] | None:
        self.asked.append(set(due))
        return None if self.more else {name: self.said[name] for name in due if name in self.said}

    def fell_back(self, inspection: str) -> None:
        self.fallen.append(inspection)


def test_an_answer_on_the_disk_comes_before_the_fall_back(bench: Bench) -> None:
    persons = bench.tended.persons = Persons()
    parts = [inspection(number, "escalate", asked=True) for number in range(3)]
    by_person = replace(disposition(parts[0]), by="person")
    persons.said = {parts[0].id: Entry((by_person,)), parts[1].id: None}
    bench.openings.open((one.id, None, bench.clock.now_ns + SECOND) for one in parts)
    assert bench.look(0.5) == []
    assert persons.asked == []
    first, second = bench.look(0.5)
    assert first == by_person
    assert isinstance(second, Disposition)
    assert (second.inspection, second.by) == (parts[2].id, "fallback")
    assert persons.fallen == [parts[2].id]
    assert bench.look(5) == [], "the one in between was handed on before"


def test_the_fall_back_waits_a_second_for_what_is_not_read_yet(bench: Bench) -> None:
    persons = bench.tended.persons = Persons()
    persons.more = True
    one, two = (inspection(number, "escalate", asked=True) for number in range(2))
    now_ns = bench.clock.now_ns
    bench.openings.open([(one.id, None, now_ns), (two.id, None, now_ns + 1)])
    assert bench.look() == []
    assert bench.look(0.5) == []
    made = bench.look(0.6)
    assert {each.inspection for each in made if isinstance(each, Disposition)} == {one.id, two.id}
    assert persons.asked == [{one.id}, {one.id, two.id}, {one.id, two.id}]
    assert bench.look(1) == []


def test_an_undo_is_said_in_the_status_at_once(bench: Bench) -> None:
    persons = bench.tended.persons = Persons()
    bench.look()
    told = bench.told
    bench.look(0.1)
    assert bench.told == told
    persons.undone = True
    bench.look(0.1)
    assert (bench.told, persons.undone) == (told + 1, False)
