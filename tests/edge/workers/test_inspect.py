"""The inspect thread with scripted feeds and models: what reaches the store, whatever happens."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from threading import Event

import numpy as np
import pytest

from camera.frame import Frame, Image
from camera.quality import FrozenWatch
from edge.channel import Channel
from edge.decision.challenge import Challenge
from edge.decision.spot_checks import SpotChecks
from edge.inspection import Ruling, Setup
from edge.records import Cuts, Degree, Disposition, Inspection
from edge.workers.challenges import Challenges
from edge.workers.entry import Entry
from edge.workers.inspect import Desk, Inspector
from edge.workers.seats import Seat, Seats
from inference.prediction import Late, ModelFault, NoPrediction, Prediction
from tests.edge.workers.parts import ORIGIN, PICTURE, SECOND, FakeClock, frame

SETUP = Setup(ORIGIN, "v" * 64, {"name": "m"}, "litert")
SURE = Prediction(0.0, "good", {"good": 1.0})


class Feed:
    """A trigger that gives frames from a list; each step's worth of waiting moves the clock."""

    def __init__(self, *frames: Frame) -> None:
        self.frames = deque(frames)
        self.finite = True

    def next(self, timeout: float) -> Frame | None:
        return self.frames.popleft() if self.frames else None

    @property
    def ended(self) -> bool:
        return self.finite and not self.frames


class Model:
    """Answers from a list, the last one for ever; away for so many looks at `ready` first."""

    def __init__(self, *answers: Prediction | Exception, away: int = 0) -> None:
        self.answers = deque(answers)
        self.away = away
        self.waits = 0

    run_ms = 0.25

    @property
    def ready(self) -> bool:
        return self.away <= 0

    @property
    def free(self) -> bool:
        return self.ready

    def wait_ready(self, timeout_s: float) -> bool:
        self.waits += 1
        self.away -= 1
        return self.ready

    def predict(self, image: Image, meanwhile: object = None) -> Prediction:
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Told:
    """The line's end: what it heard, and what was in the channel by then."""

    entries: Channel[Entry]
    heard: list[tuple[str, int]] = field(default_factory=list)

    def tell(self, inspection: Inspection) -> None:
        self.heard.append((inspection.decision, len(self.entries)))


class Bench:
    def __init__(
        self,
        *frames: Frame,
        model: Model | None = None,
        live: bool = False,
        wanted: bool = True,
        room: int = 100,
        weight: int = 1 << 20,
        most: int | None = None,
        clock: FakeClock | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.feed = Feed(*frames)
        self.entries: Channel[Entry] = Channel(room, weight)
        self.stop = Event()
        self.told = Told(self.entries)
        self.desk = Desk(
            seats=Seats(Seat(SETUP, Ruling("partial", Cuts(0.1, 0.9)), model, "m")),
            output=self.told,
            clock=self.clock,
            wanted=lambda made: wanted,
            deadline_s=60.0,
            live=live,
        )
        self.inspector = Inspector(self.feed, self.desk, self.entries, self.stop, most)

    def run(self) -> list[Entry]:
        """Step to the end; everything that was passed on."""
        while self.inspector.step():
            pass
        return self.entries.take(1000, 0)


def frames(count: int) -> list[Frame]:
    clock = FakeClock()
    return [frame(clock, number) for number in range(1, count + 1)]


def made(entry: Entry) -> Inspection:
    first = entry.records[0]
    assert isinstance(first, Inspection)
    return first


def test_each_frame_is_one_inspection_in_order_and_the_end_is_passed_on() -> None:
    bench = Bench(*frames(5), model=Model(SURE))
    entries = bench.run()
    assert [one.picture.number for one in entries if one.picture] == [1, 2, 3, 4, 5]
    assert bench.inspector.inspected == 5
    assert bench.entries.ended


def test_a_sure_part_goes_on_with_its_disposition() -> None:
    bench = Bench(*frames(2), model=Model(SURE, Prediction(0.95, "dent", {"dent": 0.95})))
    for entry, fate in zip(bench.run(), ("accept", "reject"), strict=True):
        inspection, disposition = entry.records
        assert isinstance(disposition, Disposition)
        assert (disposition.inspection, disposition.disposition, disposition.by) == (
            inspection.id, fate, "model"
        )  # fmt: skip
        assert entry.deadlines == {}


def test_an_open_part_goes_on_with_its_deadline() -> None:
    bench = Bench(*frames(1), model=Model(Prediction(0.5, "dent", {})))
    (entry,) = bench.run()
    assert len(entry.records) == 1
    deadline = entry.deadlines[made(entry).id]
    assert deadline.allowed_s == 60.0
    assert deadline.monotonic_ns == bench.clock.now_ns + 60 * SECOND


def test_the_line_is_told_before_anything_else_is_done() -> None:
    bench = Bench(*frames(3), model=Model(SURE))
    bench.run()
    assert bench.told.heard == [("accept", 0), ("accept", 1), ("accept", 2)]


@pytest.mark.parametrize(
    "answer",
    [
        Late("late"),
        ModelFault("died", "x"),
        ModelFault("hung", "x"),
        ModelFault("not_ready", "x"),
        ModelFault("wrong_input", "x"),
        NoPrediction("x"),
        Prediction(math.nan, "good", {}),
        Prediction(-0.5, "good", {}),
        Prediction(0.0, "good", {"good": math.nan}),
        Prediction(0.0, "table", {}, not_a_part=True),
    ],
)
@pytest.mark.parametrize("live", [True, False])
def test_no_answer_of_this_kind_is_ever_accepted_and_the_next_part_is(
    answer: Prediction | Exception, live: bool
) -> None:
    bench = Bench(*frames(3), model=Model(SURE, answer, SURE), live=live)
    entries = bench.run()
    assert [made(one).decision for one in entries] == ["accept", "escalate", "accept"]
    assert made(entries[1]).asked


def test_a_replayable_source_waits_for_a_model_that_is_being_restarted() -> None:
    model = Model(SURE, away=3)
    bench = Bench(*frames(2), model=model)
    assert [made(one).decision for one in bench.run()] == ["accept", "accept"]
    assert model.waits == 3


def test_a_live_source_waits_for_no_model() -> None:
    model = Model(ModelFault("not_ready", "x"), away=99)
    bench = Bench(*frames(1), model=model, live=True)
    bench.run()
    assert model.waits == 0


def test_nobody_waits_for_a_model_that_is_not_asked() -> None:
    model = Model(SURE, away=99)
    bench = Bench(*frames(1), model=model)
    bench.desk.rule(Ruling("human_only"))
    bench.run()
    assert model.waits == 0


def test_the_wait_for_a_model_has_an_end() -> None:
    model = Model(ModelFault("not_ready", "x"), away=10**6)
    bench = Bench(*frames(1), model=model)
    assert [made(one).fault for one in bench.run()] == ["not_ready"]


def test_so_many_parts_and_no_more() -> None:
    bench = Bench(*frames(5), model=Model(SURE), most=2)
    assert len(bench.run()) == 2
    assert len(bench.feed.frames) == 3


def test_stop_ends_it_before_the_next_part() -> None:
    bench = Bench(*frames(5), model=Model(SURE))
    bench.inspector.step()
    bench.stop.set()
    assert not bench.inspector.step()
    assert bench.entries.closed
    assert len(bench.entries) == 1


def test_without_room_for_a_record_no_frame_is_taken() -> None:
    bench = Bench(*frames(3), model=Model(SURE), room=1, live=True)
    assert bench.inspector.step()
    assert bench.inspector.step()
    assert (bench.inspector.inspected, len(bench.feed.frames)) == (1, 2)
    bench.entries.take(1, 0)
    bench.inspector.step()
    assert bench.inspector.inspected == 2


def test_on_a_live_line_a_picture_without_room_is_left_out_and_the_record_goes_on() -> None:
    bench = Bench(*frames(3), model=Model(SURE), live=True, weight=PICTURE.nbytes)
    entries = bench.run()
    assert [one.picture is None for one in entries] == [False, True, True]
    assert [made(one).image_missing for one in entries] == [None, "busy", "busy"]
    assert [made(one).decision for one in entries] == ["accept"] * 3


def test_a_replayable_source_waits_for_room_for_its_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(*frames(3), model=Model(SURE), weight=PICTURE.nbytes)
    taken: list[Entry] = []
    real_wait = bench.entries.wait_for_room

    def keep_takes_one(timeout: float, weight: int = 0) -> bool:
        if not bench.entries.has_room(weight):
            taken.extend(bench.entries.take(1, 0))
        return real_wait(timeout, weight)

    monkeypatch.setattr(bench.entries, "wait_for_room", keep_takes_one)
    taken.extend(bench.run())
    assert [made(one).image_missing for one in taken] == [None] * 3
    assert all(one.picture is not None for one in taken)


def test_when_the_threads_behind_have_failed_nothing_waits_and_parts_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(*frames(2), model=Model(SURE), weight=PICTURE.nbytes)
    bench.inspector.step()
    put = bench.entries.put

    def failing(entry: Entry, weight: int = 0) -> bool:
        bench.entries.close()
        return put(entry, weight)

    monkeypatch.setattr(bench.entries, "put", failing)
    real_wait = bench.entries.wait_for_room

    def keep_dies(timeout: float, weight: int = 0) -> bool:
        if weight:
            bench.entries.close()
        return real_wait(timeout, weight)

    monkeypatch.setattr(bench.entries, "wait_for_room", keep_dies)
    bench.inspector.step()
    assert bench.inspector.unrecorded == 2
    assert len(bench.entries.take(9, 0)) == 1


def test_a_picture_that_policy_does_not_want_is_not_passed_on() -> None:
    (entry,) = Bench(*frames(1), model=Model(SURE), wanted=False).run()
    assert entry.picture is None
    assert made(entry).image_missing is None


def test_a_frame_without_picture_and_bytes_has_none_to_keep() -> None:
    (entry,) = Bench(frame(FakeClock(), image=None), model=Model(SURE)).run()
    assert entry.picture is None
    assert (made(entry).decision, made(entry).reason) == ("escalate", "doubt")


def test_bytes_that_could_not_be_decoded_are_kept_as_evidence() -> None:
    (entry,) = Bench(frame(FakeClock(), image=None, encoded=b"\xff\xd8"), model=Model(SURE)).run()
    assert entry.picture is not None
    assert entry.picture.encoded == b"\xff\xd8"
    assert made(entry).decision == "escalate"


def names(entry: Entry) -> list[object]:
    return [doubt["name"] for doubt in made(entry).doubts]


def live_bench(*given: Frame, clock: FakeClock) -> Bench:
    bench = Bench(*given, model=Model(SURE), live=True, clock=clock)
    bench.desk.frozen = FrozenWatch(3)
    bench.desk.stale_after_ms = 500.0
    return bench


def test_a_live_camera_that_repeats_one_picture_is_noticed_and_forgiven() -> None:
    clock = FakeClock()
    other = np.ascontiguousarray(PICTURE[::-1])
    given = [frame(clock, n, other if n == 5 else PICTURE) for n in range(1, 7)]
    bench = live_bench(*given, clock=clock)
    frozen = []
    entries = []
    while bench.inspector.step():
        frozen.append(bench.inspector.frozen)
    entries = bench.entries.take(99, 0)
    assert [names(one) for one in entries] == [[], [], ["frozen"], ["frozen"], [], []]
    assert frozen == [False, False, True, True, False, False]


def test_a_live_picture_that_is_old_is_stale() -> None:
    clock = FakeClock()
    old, new = frame(clock, 1), frame(FakeClock(clock.now_ns + SECOND // 2), 2)
    clock.move(0.6)
    bench = live_bench(old, new, clock=clock)
    assert [names(one) for one in bench.run()] == [["stale"], []]


def test_the_newest_frame_can_be_looked_at() -> None:
    given = frames(2)
    bench = Bench(*given, model=Model(SURE))
    assert bench.inspector.newest is None
    bench.run()
    assert bench.inspector.newest is given[1]


def test_a_new_ruling_counts_from_the_next_part() -> None:
    bench = Bench(*frames(2), model=Model(SURE))
    bench.inspector.step()
    bench.desk.rule(Ruling("shadow", Cuts(0.1, 0.9)))
    bench.inspector.step()
    first, second = map(made, bench.entries.take(9, 0))
    assert (first.decision, first.automation) == ("accept", "partial")
    assert (second.decision, second.automation, second.would_be) == ("escalate", "shadow", "accept")


def test_a_ruling_that_changes_while_the_model_is_away_counts_for_the_part_that_waits() -> None:
    class Away(Model):
        def wait_ready(self, timeout_s: float) -> bool:
            bench.desk.rule(Ruling("assist", Cuts(0.1, 0.9)))
            return super().wait_ready(timeout_s)

    bench = Bench(*frames(1), model=Away(SURE, away=2))
    (entry,) = bench.run()
    assert (made(entry).decision, made(entry).automation) == ("escalate", "assist")


def drawing(bench: Bench, chance: float, per_day: int = 1000) -> Bench:
    bench.clock.draw = chance
    bench.desk.checks = SpotChecks(per_day, bench.clock.now_ns)
    return bench


def test_a_spot_check_asks_about_a_part_that_goes_on_at_once() -> None:
    bench = drawing(Bench(frame(FakeClock()), model=Model(SURE)), 0.0)
    (entry,) = bench.run()
    made, fate = entry.records
    assert isinstance(made, Inspection)
    assert isinstance(fate, Disposition)
    assert made.spot_check is not None
    assert (made.spot_check["drawn"], made.asked, made.decision) == (True, True, "accept")
    assert 0 < float(str(made.spot_check["p"])) < 1
    assert (fate.disposition, fate.by) == ("accept", "model")
    assert entry.deadlines == {}, "the part has been decided: nothing waits"
    assert bench.told.heard == [("accept", 0)]


def test_what_was_not_drawn_says_so_with_its_probability() -> None:
    (entry,) = drawing(Bench(frame(FakeClock()), model=Model(SURE)), 0.999).run()
    made = entry.records[0]
    assert isinstance(made, Inspection)
    assert made.spot_check is not None
    assert (made.spot_check["drawn"], made.asked) == (False, False)


def test_unsure_parts_are_drawn_like_all_others_and_wait_as_always() -> None:
    unsure = Prediction(0.5, "good", {"good": 0.5})
    (entry,) = drawing(Bench(frame(FakeClock()), model=Model(unsure)), 0.0).run()
    (made,) = entry.records
    assert isinstance(made, Inspection)
    assert made.spot_check is not None
    assert (made.decision, made.spot_check["drawn"], made.asked) == ("escalate", True, True)
    assert made.id in entry.deadlines


@pytest.mark.parametrize(
    ("degree", "ask_all", "drawn"),
    [
        ("human_only", True, False),
        ("shadow", True, False),
        ("shadow", False, True),
        ("human_only", False, True),
        ("assist", True, False),
        ("partial", False, True),
        ("full", True, True),
    ],
)
def test_draws_are_made_where_the_model_decides_and_in_a_pilot(
    degree: Degree, ask_all: bool, drawn: bool
) -> None:
    bench = drawing(Bench(frame(FakeClock()), model=Model(SURE)), 0.0)
    bench.desk.rule(Ruling(degree, Cuts(0.1, 0.9), ask_all=ask_all))
    (entry,) = bench.run()
    made = entry.records[0]
    assert isinstance(made, Inspection)
    assert (made.spot_check is not None) is drawn
    assert made.asked, "drawn, or a degree in which all are asked about"


def test_only_sure_answers_cost_the_budget() -> None:
    clock = FakeClock()
    unsure, sure = Prediction(0.5, "good", {"good": 0.5}), SURE
    for answer, falls in ((unsure, False), (sure, True)):
        bench = drawing(Bench(*(frame(clock) for _ in range(20)), model=Model(answer)), 0.0, 4)
        made = [entry.records[0] for entry in bench.run()]
        checks = [one.spot_check for one in made if isinstance(one, Inspection)]
        first, last = checks[0], checks[-1]
        assert first is not None
        assert last is not None
        assert (float(str(last["p"])) < float(str(first["p"]))) is falls


def test_a_challenge_part_is_held_back_whatever_the_model_says() -> None:
    clock = FakeClock()
    bench = drawing(Bench(*(frame(clock) for _ in range(3)), model=Model(SURE)), 0.0)
    bench.desk.challenges = Challenges(Challenge("c-1", "defect", 2, 2))
    first, second, third = bench.run()
    for entry in (first, second):
        made, fate = entry.records
        assert isinstance(made, Inspection)
        assert isinstance(fate, Disposition)
        assert (made.decision, made.truth, made.tags["challenge"]) == ("accept", "defect", "c-1")
        assert (made.asked, made.spot_check) == (False, None)
        assert (fate.disposition, fate.by) == ("hold", "model")
        assert entry.deadlines == {}
    assert first.state == {"challenge.done": "c-1 1"}
    assert second.state == {"challenge.done": "c-1 2"}
    assert [decision for decision, _ in bench.told.heard] == ["escalate", "escalate", "accept"]
    made = third.records[0]
    assert isinstance(made, Inspection)
    assert "challenge" not in made.tags
    assert third.state == {}


def test_a_challenge_part_that_the_model_leaves_open_waits_for_nobody() -> None:
    bench = Bench(frame(FakeClock()), model=Model(ModelFault("died", "")))
    bench.desk.challenges = Challenges(Challenge("c-1", "good", 1, 1))
    (entry,) = bench.run()
    made, fate = entry.records
    assert isinstance(made, Inspection)
    assert isinstance(fate, Disposition)
    assert (made.decision, made.asked, fate.disposition) == ("escalate", False, "hold")
    assert entry.deadlines == {}


def test_challenge_parts_cost_nothing_of_the_budget() -> None:
    clock = FakeClock()
    plain = drawing(Bench(frame(clock), model=Model(SURE), clock=clock), 0.0, 4)
    mixed = drawing(
        Bench(*(frame(clock) for _ in range(4)), model=Model(SURE), clock=clock), 0.0, 4
    )
    mixed.desk.challenges = Challenges(Challenge("c-1", "good", 3, 3))
    for bench in (plain, mixed):
        bench.run()
    assert mixed.desk.checks._balance == plain.desk.checks._balance == -1
