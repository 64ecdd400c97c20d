from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from inference.exchange import OK, Reply
from inference.interpreter import Interpreter
from inference.postprocess import Postprocessor
from inference.prediction import Late, ModelFault
from inference.preprocess import Preprocessor
from inference.worker import Worker
from tests.inference.bundles import BRIGHT_PICTURE, DARK_PICTURE, alive, make, until
from tests.simulators.tflite import bright_is_good, classifier, nonsense, passing


@pytest.fixture
def start(tmp_path):
    workers: list[Worker] = []

    def start_one(model=None, dtype="int8", wait=True, **more) -> Worker:
        folder = tmp_path / str(len(workers))
        worker = Worker(make(folder, dtype, model), **more)
        workers.append(worker)
        worker.start()
        assert worker.wait_ready(30.0) or not wait, worker.last_fault
        return worker

    yield start_one
    for worker in workers:
        worker.close()


def stop(worker: Worker) -> int:
    """Stop the child with SIGSTOP, and wait until it stands."""
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    until(lambda: _state(pid) == "T", "the child to stand")
    return pid


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def kill(worker: Worker) -> None:
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid), "the child to be dead")


def step_until_ready(worker: Worker) -> None:
    def ready() -> bool:
        worker.step(time.monotonic_ns())
        return worker.ready

    until(ready, "a new child")


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
def test_the_score_is_that_of_an_interpreter_called_directly(start, dtype):
    worker = start(dtype=dtype)
    spec = worker.bundle.spec
    interpreter = Interpreter(worker.bundle.model)
    for level in (0, 60, 100, 127, 140, 255):
        picture = np.full((33, 21, 3), level, np.uint8)
        raw = interpreter.run(Preprocessor(spec.input)(picture))
        expected = Postprocessor(spec.output)(raw)
        found = worker.predict(picture)
        assert found.score == pytest.approx(expected.score, abs=1e-6)
        assert found.label == expected.label
    assert worker.last_inference_ms > 0


def test_raw_tensors_can_be_asked(start):
    worker = start()
    first = worker.ask(np.full((1, 8, 8, 3), 127, np.int8))
    second = worker.ask(np.full((1, 8, 8, 3), -128, np.int8))
    assert first.tolist() == [[127, -128]]
    assert second.tolist() == [[-128, 127]]
    with pytest.raises(ModelFault) as caught:
        worker.ask(np.zeros((1, 8, 8, 3), np.float32))
    assert caught.value.code == "wrong_input"


def test_a_dead_idle_child_is_noticed_and_replaced_at_once(start):
    worker = start()
    first = worker.pid
    kill(worker)
    until(lambda: worker.step(time.monotonic_ns()) or worker.deaths != (), "the death")
    step_until_ready(worker)
    assert worker.pid != first
    assert len(worker.deaths) == 1
    assert "SIGKILL" in worker.last_fault
    assert worker.predict(BRIGHT_PICTURE).label == "good"


def test_a_child_found_dead_by_predict_is_one_fault_and_one_death(start):
    worker = start()
    kill(worker)
    with pytest.raises(ModelFault) as caught:
        worker.predict(BRIGHT_PICTURE)
    assert caught.value.code == "died"
    with pytest.raises(ModelFault) as caught:
        worker.predict(BRIGHT_PICTURE)
    assert caught.value.code == "not_ready"
    step_until_ready(worker)
    assert worker.predict(DARK_PICTURE).label == "defect"
    assert len(worker.deaths) == 1


def test_a_child_killed_in_the_middle_of_a_request_is_a_fault(start):
    worker = start()
    stop(worker)
    faults: list[ModelFault] = []

    def predict() -> None:
        try:
            worker.predict(BRIGHT_PICTURE)
        except ModelFault as fault:
            faults.append(fault)

    thread = threading.Thread(target=predict)
    thread.start()
    until(worker._lock.locked, "predict to begin")
    kill(worker)
    thread.join(30.0)
    assert [fault.code for fault in faults] == ["died"]


def test_late_is_late_and_the_late_answer_is_never_taken_for_the_next(start):
    worker = start(deadline_ms=20.0)
    pid = stop(worker)
    with pytest.raises(Late):
        worker.predict(BRIGHT_PICTURE)
    given = worker._child.given.copy()
    with pytest.raises(Late):
        worker.predict(DARK_PICTURE)  # still nothing
    # The child may be reading its input at any moment: nothing was written over it.
    assert (worker._child.given == given).all()
    os.kill(pid, signal.SIGCONT)
    until(lambda: not late(worker, DARK_PICTURE), "an answer in time")
    assert worker.predict(DARK_PICTURE).label == "defect"
    assert worker.predict(BRIGHT_PICTURE).label == "good"
    assert worker.pid == pid
    assert worker.deaths == ()


def late(worker: Worker, picture) -> bool:
    """Whether the answer is late; when it is not, it is about this picture."""
    try:
        assert worker.predict(picture).label == "defect"
    except Late:
        return True
    return False


def test_the_tending_thread_discards_a_late_answer_too(start):
    worker = start(deadline_ms=20.0)
    pid = stop(worker)
    with pytest.raises(Late):
        worker.predict(BRIGHT_PICTURE)
    os.kill(pid, signal.SIGCONT)

    def discarded() -> bool:
        worker.step(time.monotonic_ns())
        return worker.free

    until(discarded, "the late answer")
    until(lambda: not late(worker, DARK_PICTURE), "an answer in time")


def test_without_a_deadline_a_hang_ends_the_wait(start):
    worker = start()
    assert worker.hang_ms == 2000.0
    worker.hang_ms = 50.0
    stop(worker)
    with pytest.raises(ModelFault) as caught:
        worker.predict(BRIGHT_PICTURE)
    assert caught.value.code == "hung"
    assert len(worker.deaths) == 1
    step_until_ready(worker)
    assert worker.predict(BRIGHT_PICTURE).label == "good"


def test_a_child_that_says_other_things_without_end_is_late_and_then_hung(start, monkeypatch):
    worker = start()
    monkeypatch.setattr(worker._child, "receive", lambda timeout_s: Reply(-1, OK, 0))
    worker.deadline_ms, worker.hang_ms = 20.0, 200.0
    with pytest.raises(Late):
        worker.predict(BRIGHT_PICTURE)
    worker.deadline_ms = 0.0
    with pytest.raises(ModelFault) as caught:
        worker.predict(BRIGHT_PICTURE)
    assert caught.value.code == "hung"


def test_a_hang_behind_a_deadline_is_ended_by_the_tending_thread(start):
    worker = start(deadline_ms=10.0)
    worker.hang_ms = 60.0
    first = stop(worker)
    with pytest.raises(Late):
        worker.predict(BRIGHT_PICTURE)
    until(lambda: worker.step(time.monotonic_ns()) or len(worker.deaths) == 1, "the death")
    step_until_ready(worker)
    assert worker.pid != first
    assert len(worker.deaths) == 1


@pytest.mark.parametrize(
    ("how", "killed"),
    [(signal.SIGKILL, True), (signal.SIGSEGV, False), (signal.SIGABRT, False)],
)
def test_only_sigkill_is_the_doing_of_somebody_else(start, how, killed):
    worker = start()
    pid = worker.pid
    os.kill(pid, how)
    until(lambda: not alive(pid), "the child to be dead")
    with pytest.raises(ModelFault):
        worker.predict(BRIGHT_PICTURE)
    assert worker.killed == (worker.deaths if killed else ())
    assert ("by a person or for want of memory" in worker.last_fault) is killed


@pytest.mark.parametrize("how", ["hangs", "aborted"])
def test_what_is_ended_here_is_nobody_else_s_doing(start, how):
    worker = start()
    worker.hang_ms = 50.0
    pid = stop(worker)
    if how == "aborted":
        worker.abort()
        until(lambda: not alive(pid), "the child to be dead")
    with pytest.raises(ModelFault):
        worker.predict(BRIGHT_PICTURE)
    assert (len(worker.deaths), worker.killed) == (1, ())


class Halted:
    """A clock that goes on while nothing else does."""

    def __init__(self) -> None:
        self.more_ns = 0

    def __call__(self) -> int:
        return time.monotonic_ns() + self.more_ns


@pytest.mark.parametrize("hangs", [False, True])
def test_a_machine_that_stood_still_is_no_hang_of_its_model(start, monkeypatch, hangs):
    clock = Halted()
    worker = start(clock=clock)
    worker.hang_ms = 400.0 if hangs else 60_000.0
    pid, receive = stop(worker), worker._child.receive

    def halted(timeout_s: float) -> Reply | None:
        """For an hour, with all that runs."""
        monkeypatch.setattr(worker._child, "receive", receive)
        clock.more_ns += 3600 * 10**9
        if not hangs:
            os.kill(pid, signal.SIGCONT)
        return None

    monkeypatch.setattr(worker._child, "receive", halted)
    if not hangs:
        assert worker.predict(BRIGHT_PICTURE).label == "good"
        assert worker.deaths == ()
        return
    with pytest.raises(ModelFault) as caught:
        worker.predict(BRIGHT_PICTURE)
    assert (caught.value.code, len(worker.deaths)) == ("hung", 1)


def test_a_wait_on_purpose_is_no_standstill(start, monkeypatch):
    clock, waited = Halted(), []
    worker = start(clock=clock)

    def receive(timeout_s: float) -> None:
        waited.append(timeout_s)
        clock.more_ns += int(timeout_s * 1e9)

    monkeypatch.setattr(worker._child, "receive", receive)
    with pytest.raises(ModelFault):
        worker.predict(BRIGHT_PICTURE)
    assert sum(waited) == pytest.approx(worker.hang_ms / 1000, abs=0.4)


def test_nor_is_it_for_the_thread_that_tends(start):
    clock = Halted()
    worker = start(clock=clock, deadline_ms=10.0)
    worker.hang_ms = 60_000.0
    pid = stop(worker)
    with pytest.raises(Late):
        worker.predict(BRIGHT_PICTURE)
    worker.step(clock())
    clock.more_ns += 3600 * 10**9
    worker.step(clock())
    assert (worker.deaths, worker.free) == ((), False)
    os.kill(pid, signal.SIGCONT)
    until(lambda: worker.step(clock()) or worker.free, "the late answer")
    assert worker.deaths == ()


def test_a_hang_is_five_deadlines_but_at_least_two_seconds(start, tmp_path):
    bundle = make(tmp_path)
    assert Worker(bundle, deadline_ms=200).hang_ms == 2000
    assert Worker(bundle, deadline_ms=1000).hang_ms == 5000


def test_nan_is_nonsense_and_the_child_lives(start):
    worker = start(nonsense(), "float32")
    pid = worker.pid
    for _ in range(3):
        with pytest.raises(ModelFault) as caught:
            worker.predict(BRIGHT_PICTURE)
        assert caught.value.code == "nonsense"
    assert worker.pid == pid
    assert worker.deaths == ()


def test_a_wrong_picture_is_a_fault_and_the_child_lives(start):
    worker = start()
    with pytest.raises(ModelFault) as caught:
        worker.predict(np.zeros((4, 4), np.float32))
    assert caught.value.code == "wrong_input"
    assert worker.predict(BRIGHT_PICTURE).label == "good"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (bright_is_good("uint8"), "the input is uint8"),
        (bright_is_good("int8", size=(9, 8)), r"the input is \(1, 9, 8, 3\)"),
        (classifier([[1.0] * 3] * 3, [0.0] * 3, dtype="int8"), "need 2 values"),
        (passing((1, 8, 8, 3), (1, 2), operator="no-such-op"), "no-such-op"),
        (b"no model at all", "cannot be loaded"),
        (b"", "cannot be loaded"),
    ],
    ids=["type", "size", "labels", "operator", "text", "empty"],
)
def test_a_model_that_does_not_fit_is_never_ready(start, model, words):
    worker = start(model, wait=False)
    assert not worker.ready
    assert len(worker.deaths) >= 3
    with pytest.raises(ModelFault, match=words):
        worker.predict(BRIGHT_PICTURE)


def test_before_start_and_after_close_there_is_no_prediction(tmp_path):
    worker = Worker(make(tmp_path))
    with pytest.raises(ModelFault) as caught:
        worker.predict(BRIGHT_PICTURE)
    assert caught.value.code == "not_ready"
    worker.start()
    assert worker.wait_ready(30.0)
    pid = worker.pid
    worker.close()
    worker.close()
    assert not alive(pid)
    assert worker.pid is None
    worker.step(time.monotonic_ns())
    assert worker.pid is None
    with pytest.raises(ModelFault):
        worker.predict(BRIGHT_PICTURE)


def test_only_many_deaths_make_restarts_slower(tmp_path):
    now = [10**12]
    worker = Worker(make(tmp_path), clock=lambda: now[0])

    def die() -> None:
        until(lambda: worker.step(now[0]) or worker.ready, "a child")
        kill(worker)
        until(lambda: worker.step(now[0]) or worker.pid is None, "the death")

    def restarts_after(seconds: float) -> bool:
        now[0] += int(seconds * 1e9) - 1
        worker.step(now[0])
        early = worker.pid
        now[0] += 1
        worker.step(now[0])
        return early is None and worker.pid is not None

    worker.start()
    try:
        for _ in range(2):
            die()
            worker.step(now[0])
            assert worker.pid is not None
        for seconds in (1.0, 2.0, 5.0, 5.0):
            die()
            assert restarts_after(seconds)
        now[0] += 61 * 10**9
        die()
        worker.step(now[0])
        assert worker.pid is not None
    finally:
        worker.close()


def test_ten_kills_under_way_never_give_a_wrong_answer(start):
    worker = start(deadline_ms=500.0)
    worker._count_death = lambda *death: None  # no pauses here
    ended = threading.Event()

    def tend() -> None:
        while not ended.wait(0.001):
            worker.step(time.monotonic_ns())

    thread = threading.Thread(target=tend)
    thread.start()
    good = faults = 0
    try:
        for number in range(10):
            until(lambda: worker.ready, "a child")
            killer = threading.Thread(target=os.kill, args=(worker.pid, signal.SIGKILL))
            killer.start()
            for picture, label in ((BRIGHT_PICTURE, "good"), (DARK_PICTURE, "defect")) * 3:
                try:
                    assert worker.predict(picture).label == label
                    good += 1
                except (ModelFault, Late):
                    faults += 1
            killer.join()
            assert good + faults == 6 * (number + 1)
        until(lambda: worker.ready and not faulty(worker), "health")
    finally:
        ended.set()
        thread.join()
    assert faults >= 10


def faulty(worker: Worker) -> bool:
    try:
        return worker.predict(BRIGHT_PICTURE).label != "good"
    except (ModelFault, Late):
        return True


def test_step_never_waits_for_a_prediction(start):
    worker = start()
    pid = stop(worker)
    thread = threading.Thread(target=faulty, args=(worker,))
    thread.start()
    until(worker._lock.locked, "predict to begin")
    worker.step(time.monotonic_ns())  # would hang here
    assert thread.is_alive()
    os.kill(pid, signal.SIGCONT)
    thread.join(30.0)
    assert not thread.is_alive()


def test_opening_and_closing_leaks_nothing(tmp_path):
    bundle = make(tmp_path)

    def once() -> None:
        worker = Worker(bundle)
        worker.start()
        worker.step(time.monotonic_ns())
        worker.close()

    once()
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(10):
        once()
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


def test_no_process_to_be_had_is_a_fault_and_no_crash(tmp_path, monkeypatch):
    def none_left(*arguments, **more):
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", none_left)
    worker = Worker(make(tmp_path))
    before = len(os.listdir("/proc/self/fd"))
    worker.start()
    assert len(os.listdir("/proc/self/fd")) == before + 1  # the model itself
    assert "temporarily" in worker.last_fault
    monkeypatch.undo()
    step_until_ready(worker)
    worker.close()


PARENT = """
import sys, time
from pathlib import Path
from inference import bundle
from inference.worker import Worker
worker = Worker(bundle.load(Path(sys.argv[1])))
worker.start()
assert worker.wait_ready(30.0)
print(worker.pid, flush=True)
sys.stdin.read()
"""


def test_the_child_ends_with_a_parent_that_is_killed(tmp_path):
    made = make(tmp_path)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(made.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
        until(lambda: not alive(child), "the child to end")
