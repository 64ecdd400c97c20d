"""The slow steps as processes: started, looked at, ended; nobody waits for them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.config import Config
from edge.rollout import outcome, task
from edge.rollout.outcome import Installed, Proved, Result
from edge.rollout.task import Tasks
from tests.edge.rollout.places import config
from tests.inference.bundles import alive, until
from tests.inference.bundles import make as make_bundle
from tests.simulators import poisons


@pytest.fixture
def here(tmp_path: Path) -> Config:
    return config(tmp_path)


@pytest.fixture
def tasks(here: Config) -> Iterator[Tasks]:
    made = Tasks(here)
    yield made
    made.stop()
    until(lambda: made.poll() is None and not made._corpses, "its processes")


def result_of(tasks: Tasks) -> Result:
    found: list[Result] = []

    def there() -> bool:
        result = tasks.poll()
        if result is not None:
            found.append(result)
        return bool(found)

    until(there, "the result")
    return found[0]


def pid_of(tasks: Tasks) -> int:
    assert tasks._running is not None
    return tasks._running._process.pid


def children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(one) for one in text.split()]


def first_child(pid: int) -> int:
    until(lambda: bool(children(pid)), "a model's process")
    return children(pid)[0]


def test_a_result_comes_once(tasks: Tasks, here: Config, tmp_path: Path) -> None:
    new = make_bundle(tmp_path / "new")
    assert tasks.poll() is None
    tasks.start("install", {"source": str(new.root), "slot": "a", "digest": new.digest})
    assert tasks.busy
    result = result_of(tasks)
    assert isinstance(result, Installed)
    assert (result.ok, result.slot, result.digest) == (True, "a", new.digest)
    assert not tasks.busy
    assert tasks.poll() is None


def test_it_gives_way_to_the_line_and_goes_before_it(tasks: Tasks, tmp_path: Path) -> None:
    tasks.start("prove", {"bundle": str(poisons.bundle(tmp_path, "hang").root)})
    pid = pid_of(tasks)
    child = first_child(pid)
    assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + 10
    assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == 800
    until(lambda: Path(f"/proc/{child}/oom_score_adj").read_text().strip() == "1000", "1000")
    result = result_of(tasks)
    assert isinstance(result, Proved)
    assert (result.code, result.again) == ("hung", False)
    assert result.proof["failures"][0]["code"] == "hung"


def test_stopped_it_is_gone_with_the_model_that_it_ran(tasks: Tasks, tmp_path: Path) -> None:
    tasks.start("prove", {"bundle": str(poisons.bundle(tmp_path, "hang").root)})
    pid = pid_of(tasks)
    child = first_child(pid)
    tasks.stop()
    assert not tasks.busy
    assert tasks.poll() is None
    until(lambda: not alive(pid) and not alive(child), "both ends")


def test_a_process_that_is_killed_may_be_tried_again(tasks: Tasks, tmp_path: Path) -> None:
    tasks.start("prove", {"bundle": str(poisons.bundle(tmp_path, "hang").root)})
    pid = pid_of(tasks)
    first_child(pid)
    os.kill(pid, signal.SIGKILL)
    result = result_of(tasks)
    assert (result.ok, result.code, result.again) == (False, "task_failed", True)
    assert "-9" in (result.why or "")


def test_one_that_takes_too_long_is_ended(here: Config, tmp_path: Path) -> None:
    now = [0]
    tasks = Tasks(here, lambda: now[0])
    tasks.start("prove", {"bundle": str(poisons.bundle(tmp_path, "hang").root)})
    pid = pid_of(tasks)
    first_child(pid)
    assert tasks.poll() is None
    now[0] = int(task.LIMITS_S["prove"] * 1e9)
    result = tasks.poll()
    assert result is not None
    assert (result.code, result.again) == ("task_failed", True)
    assert "longer than" in (result.why or "")
    until(lambda: tasks.poll() is None and not tasks._corpses, "its end")
    assert not alive(pid)


def test_a_new_one_takes_the_place_of_the_old_one(tasks: Tasks, tmp_path: Path) -> None:
    tasks.start("prove", {"bundle": str(poisons.bundle(tmp_path, "hang").root)})
    first = pid_of(tasks)
    new = make_bundle(tmp_path / "new")
    tasks.start("install", {"source": str(new.root), "slot": "b"})
    assert isinstance(result_of(tasks), Installed)
    until(lambda: not alive(first), "the end of the first one")


def test_where_no_process_can_be_started_it_says_so(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "no more processes")

    before = set(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(task.subprocess, "Popen", refuse)
    tasks.start("install", {"source": "/x", "slot": "a"})
    assert tasks.busy
    result = tasks.poll()
    assert result is not None
    assert (result.code, result.again) == ("task_failed", True)
    assert set(os.listdir("/proc/self/fd")) == before


def test_what_it_says_at_the_end_counts_and_what_it_says_before_is_progress(
    tasks: Tasks, here: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., object] = task.subprocess.Popen
    code = "print('[3, 60]'); print('a word of a library'); print('[7, 60]', flush=True);"
    code += "import time; time.sleep(600)"

    def popen(command: list[str], **more: object) -> object:
        return real([command[0], "-c", code], **more)

    monkeypatch.setattr(task.subprocess, "Popen", popen)
    tasks.start("calibrate", {"bundle": "/x"})
    until(lambda: tasks.progress() == (7, 60), "progress")
    os.kill(pid_of(tasks), signal.SIGTERM)
    result = result_of(tasks)
    assert result.again
    assert tasks.progress() is None


@pytest.mark.parametrize("content", [None, [], {"ok": 1}, {"schema": "x"}, "ok"])
def test_what_is_no_result_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match="not the result"):
        outcome.read("install", content)


def test_results_are_read_as_they_were_written() -> None:
    for result in (
        Installed(True, slot="a", digest="d", guessed=("colour",)),
        Proved(False, "hung", "why", digest="d", proof={"ok": False}),
        outcome.failed("calibrate", "too_few", "why", needed={"good": 1, "defect": 2}),
    ):
        kind: outcome.Kind = next(
            k for k, made in outcome.RESULTS.items() if isinstance(result, made)
        )
        assert outcome.read(kind, outcome.as_json(result)) == result
