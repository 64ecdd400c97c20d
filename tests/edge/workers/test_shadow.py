"""The shadow thread, a step at a time: which parts it takes, what it costs, what it leaves out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from camera.frame import Doubt, Frame
from edge.inspection import Ruling
from edge.records import Inspection
from edge.store.images import ImageStore
from edge.workers.inspect import Seen
from edge.workers.runner import PATIENCE_RUNS, WARM_RUNS, Runner
from edge.workers.seats import Seat
from edge.workers.shadow import GRACE_NS, LOOK_S, MOST_PAIRS, Other, Shadow
from inference.bundle import Bundle
from inference.prediction import Late, ModelFault, Prediction
from tests.edge.store.builders import inspection
from tests.edge.workers.crew import constant, fitted
from tests.edge.workers.parts import FakeClock, frame

GOOD = Prediction(0.2, "good", {"good": 0.8})


class Process:
    """A child by script; it takes what it says of the processor."""

    last_fault = last_fault_code = ""
    pid: int | None = None
    deaths: tuple[int, ...] = ()
    run_ms = 0.5

    def __init__(self, answer: Prediction | Exception = GOOD) -> None:
        self.answer, self.ready, self.free = answer, True, True
        self.asked = self.aborted = self.closed = 0

    def predict(self, image: Any, meanwhile: Any = None) -> Prediction:
        self.asked += 1
        if meanwhile is not None:
            meanwhile()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def abort(self) -> None:
        self.aborted += 1

    def close(self) -> None:
        self.closed += 1

    def start(self) -> None: ...

    def step(self, now_ns: int) -> None: ...

    def wait_ready(self, timeout_s: float) -> bool:
        return self.ready


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return constant(tmp_path, "new", 1.5)


class Bench:
    def __init__(self, bundle: Bundle, share: float = 1.0) -> None:
        self.clock = FakeClock()
        self.shadow = Shadow(share, self.clock)
        self.shadow._begin = lambda: None  # type: ignore[method-assign]
        self.process = Process()
        self.runner = Runner(fitted(bundle, "cal-new"), self.process, warm=True)
        self.seat = Seat(self.runner.fitted.setup, Ruling("partial"), None, "old")
        self.number = 0
        self.arrange()

    def arrange(self) -> None:
        self.shadow.arrange({"old": Other(self.runner, "active")}, (self.runner,))

    def offer(self, **more: Any) -> Inspection:
        self.number += 1
        given: Frame = more.pop("frame", None) or frame(self.clock, self.number)
        seat, kept = more.pop("seat", self.seat), more.pop("kept", False)
        doubts = more.pop("doubts", ())
        made: Inspection = more.pop("made", None) or replace(inspection(self.number), score=0.1)
        self.shadow.offer(Seen(given, made, seat, doubts, 0.25, kept))
        return made


@pytest.fixture
def bench(bundle: Bundle) -> Bench:
    made = Bench(bundle)
    made.shadow.step()
    return made


def test_a_part_is_answered_once_and_both_answers_are_a_pair(bench: Bench) -> None:
    made = bench.offer()
    assert bench.shadow.step() == 0.0
    assert bench.shadow.step() == LOOK_S
    (pair,) = bench.shadow.take()
    assert bench.shadow.take() == []
    assert (pair.inspection, pair.decided_by, pair.picture) == (made.id, "active", None)
    assert (pair.active.score, pair.active.ms) == (0.1, 0.25)
    assert (pair.candidate.score, pair.candidate.ms) == (0.2, 0.5)
    assert pair.candidate.would_be == "accept"


def test_the_newest_part_wins(bench: Bench) -> None:
    bench.offer()
    newest = bench.offer()
    bench.shadow.step()
    bench.shadow.step()
    assert [pair.inspection for pair in bench.shadow.take()] == [newest.id]


def test_only_parts_of_those_who_are_compared_are_taken(bench: Bench) -> None:
    bench.offer(seat=Seat(bench.seat.setup, Ruling("partial"), None, "another"))
    bench.shadow.step()
    assert (bench.process.asked, bench.shadow.take()) == (0, [])


@pytest.mark.parametrize("name", ["ready", "free", "warm"])
def test_nobody_who_is_away_is_asked(bench: Bench, name: str) -> None:
    setattr(bench.runner if name == "warm" else bench.process, name, False)
    if name == "ready":
        bench.process.free = False
    bench.offer()
    bench.shadow.step()
    assert (bench.process.asked, bench.shadow.take()) == (0, [])


@pytest.mark.parametrize(
    ("answer", "fault"), [(ModelFault("died", "x"), "died"), (Late("x"), "late")]
)
def test_what_goes_wrong_is_an_answer_too(bench: Bench, answer: Exception, fault: str) -> None:
    bench.process.answer = answer
    bench.offer()
    bench.shadow.step()
    (pair,) = bench.shadow.take()
    assert (pair.candidate.fault, pair.candidate.score) == (fault, None)
    assert pair.candidate.would_be == "escalate"


def test_a_child_that_is_not_there_has_answered_nothing(bench: Bench) -> None:
    bench.process.answer = ModelFault("not_ready", "x")
    bench.offer()
    bench.shadow.step()
    assert bench.shadow.take() == []


def test_a_part_that_the_deciding_model_was_not_asked_about_is_no_pair(bench: Bench) -> None:
    bench.offer(made=replace(inspection(9, "escalate"), score=None))
    bench.shadow.step()
    assert (bench.process.asked, bench.shadow.take()) == (0, [])


def test_doubts_that_need_memory_hold_for_the_other_model_too(bench: Bench) -> None:
    bench.offer(doubts=(Doubt("frozen"),))
    bench.shadow.step()
    (pair,) = bench.shadow.take()
    assert (pair.candidate.score, pair.candidate.would_be) == (0.2, "escalate")


def test_the_path_of_a_picture_is_the_one_that_it_is_kept_under(
    bench: Bench, tmp_path: Path
) -> None:
    png = b"\x89PNG" + bytes(8)
    made = bench.offer(kept=True, frame=frame(bench.clock, 1, encoded=png))
    bench.shadow.step()
    (pair,) = bench.shadow.take()
    kept = ImageStore(tmp_path).keep(made.id, made.captured.wall, png, ".png")
    assert pair.picture == kept.path


def test_nobody_is_left_with_a_pair_about_somebody_else(bench: Bench) -> None:
    def gone(image: Any, meanwhile: Any = None) -> Prediction:
        bench.shadow.arrange({}, ())
        return GOOD

    bench.process.predict = gone  # type: ignore[method-assign]
    bench.offer()
    bench.shadow.step()
    assert bench.shadow.take() == []


def test_pairs_that_nobody_fetches_give_way(bench: Bench) -> None:
    for _ in range(MOST_PAIRS + 5):
        last = bench.offer()
        bench.clock.move(1)
        bench.shadow.step()
        bench.shadow.step()
    pairs = bench.shadow.take()
    assert len(pairs) == MOST_PAIRS
    assert pairs[-1].inspection == last.id


class Costs:
    """Stands in for the kernel's account: each part takes 50 ms."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.seen = bench, 0

    def since_last(self, pids: object) -> int:
        new, self.seen = self.bench.process.asked - self.seen, self.bench.process.asked
        return new * 50_000_000


def test_over_its_share_it_takes_no_part(bundle: Bundle) -> None:
    bench = Bench(bundle, share=0.2)
    bench.shadow._effort = Costs(bench)  # type: ignore[assignment]
    for _ in range(100):  # 10 s, ten parts a second: 0.2 of a core are four of them
        bench.offer()
        bench.shadow.step()
        bench.shadow.step()
        bench.clock.move(0.1)
    assert 40 <= bench.process.asked <= 45
    assert bench.shadow.core_share == pytest.approx(0.2, abs=0.03)


def test_while_there_is_no_time_nothing_is_kept_waiting(bundle: Bundle) -> None:
    bench = Bench(bundle, share=0.01)
    bench.shadow._effort = Costs(bench)  # type: ignore[assignment]
    bench.shadow.step()
    bench.offer()
    bench.shadow.step()
    bench.shadow.step()
    bench.offer()
    assert not bench.shadow._slot
    assert 0 < bench.shadow.step() <= LOOK_S
    bench.clock.move(60)
    bench.shadow.step()
    last = bench.offer()
    bench.shadow.step()
    assert bench.shadow.take()[-1].inspection == last.id


def test_a_model_is_warm_after_some_runs_on_nobody_s_picture(bench: Bench) -> None:
    cold = Runner(bench.runner.fitted, Process())
    bench.shadow.warm((cold,))
    for runs in range(1, WARM_RUNS + 1):
        assert not cold.warm
        bench.shadow.step()
        assert cold.process.asked == runs  # type: ignore[attr-defined]
    assert cold.warm
    bench.shadow.step()
    assert cold.process.asked == WARM_RUNS  # type: ignore[attr-defined]
    assert cold.fault is None


def test_a_model_that_fails_while_it_warms_up_begins_again_and_says_why(bench: Bench) -> None:
    process = Process(ModelFault("nonsense", "NaN"))
    cold = Runner(bench.runner.fitted, process)
    bench.shadow.warm((cold,))
    bench.shadow.step()
    assert cold.fault == ("nonsense", "NaN")
    for _ in range(PATIENCE_RUNS):
        bench.shadow.step()
    assert cold.hopeless
    process.answer = GOOD
    for _ in range(WARM_RUNS):
        bench.shadow.step()
    assert cold.warm
    assert not cold.hopeless


def test_what_is_retired_is_closed_after_a_while(bench: Bench) -> None:
    old = Process()
    bench.shadow.retire(old)
    bench.shadow.step()
    assert old.closed == 0
    bench.clock.now_ns += GRACE_NS
    bench.shadow.step()
    assert old.closed == 1


def test_at_the_end_everything_is_closed_and_nobody_waited_for(bench: Bench) -> None:
    old, cold = Process(), Runner(bench.runner.fitted, Process())
    bench.shadow.retire(old)
    bench.shadow.warm((cold,))
    bench.shadow.stop()
    assert (old.aborted, old.closed) == (1, 1)
    assert bench.process.aborted == 1
    assert cold.process.aborted == 1  # type: ignore[attr-defined]


def test_a_mistake_of_ours_costs_pairs_and_not_the_thread(bundle: Bundle) -> None:
    bench = Bench(bundle)
    said: list[str] = []
    answers: list[Callable[[], float]] = [_broken, lambda: said.append("on") or 0.0]

    def step() -> float:
        if not answers:
            bench.shadow._stop.set()
            return 0.0
        return answers.pop(0)()

    bench.shadow.step = step  # type: ignore[method-assign]
    bench.shadow._run()
    assert said == ["on"]


def _broken() -> float:
    raise RuntimeError("a mistake")
