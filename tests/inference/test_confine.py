"""What a model's process may take, seen from outside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.bundle import Bundle
from inference.worker import Worker
from tests.inference.bundles import BRIGHT_PICTURE, alive, make, until
from tests.simulators import poisons


@pytest.fixture
def start() -> Iterator[object]:
    workers = []

    def start_one(bundle: Bundle, memory_mb: int | None) -> Worker:
        workers.append(Worker(bundle, memory_mb=memory_mb))
        workers[-1].start()
        return workers[-1]

    yield start_one
    for worker in workers:
        worker.close()


def limit_of_data(pid: int | None) -> str:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max data size")).split()[3]


@pytest.mark.parametrize("memory_mb", [None, 512])
def test_the_kernel_ends_a_model_before_anything_else(tmp_path, start, memory_mb):
    worker = start(make(tmp_path), memory_mb)
    assert worker.wait_ready(30)
    assert Path(f"/proc/{worker.pid}/oom_score_adj").read_text().strip() == "1000"
    ours = int(Path("/proc/self/oom_score_adj").read_text())
    assert ours < 1000


def test_a_model_that_wants_three_gigabytes_does_not_get_them(tmp_path, start):
    worker = start(poisons.bundle(tmp_path, "memory"), 512)
    assert not worker.wait_ready(30)
    assert worker.last_fault_code == "too_large"
    assert "more memory than it may have" in worker.last_fault


def test_an_ordinary_model_runs_under_a_narrow_cap(tmp_path, start):
    worker = start(make(tmp_path), 64)
    assert worker.wait_ready(30)
    assert worker.predict(BRIGHT_PICTURE).score < 0.01
    assert int(limit_of_data(worker.pid)) < 2**30


def test_without_a_cap_there_is_none(tmp_path, start):
    worker = start(make(tmp_path), None)
    assert worker.wait_ready(30)
    assert limit_of_data(worker.pid) == limit_of_data(os.getpid())


def test_a_process_ends_with_the_one_that_holds_its_pipe():
    import subprocess
    import sys

    code = "import sys, time; from inference.confine import end_with\n"
    code += "end_with(int(sys.argv[1])); print('there', flush=True); time.sleep(600)"
    reading, writing = os.pipe()
    command = [sys.executable, "-c", code, str(reading)]
    with subprocess.Popen(command, pass_fds=[reading], stdout=subprocess.PIPE) as process:
        os.close(reading)
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        assert alive(process.pid)
        os.close(writing)
        until(lambda: process.poll() is not None, "its end")
        assert process.returncode == 0
