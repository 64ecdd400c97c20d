"""A child that gives way does so in every respect, and answers all the same."""

from __future__ import annotations

import ctypes
import os
import platform
from pathlib import Path

import pytest

from inference.idle import A_PROCESS, IDLE_CLASS, IOPRIO_SET, LOWEST
from inference.worker import Worker
from tests.inference.bundles import BRIGHT_PICTURE, make


@pytest.fixture(params=[True, False])
def worker(request, tmp_path):
    made = Worker(make(tmp_path), idle=request.param)
    made.start()
    assert made.wait_ready(60.0), made.last_fault
    yield made, request.param
    made.close()


def threads(pid: int) -> list[int]:
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]


def test_an_idle_child_gets_what_is_left_over(worker) -> None:
    made, idle = worker
    assert made.predict(BRIGHT_PICTURE).label == "good"
    policy = os.sched_getscheduler(made.pid)
    assert (policy == os.SCHED_IDLE) is idle
    assert (os.getpriority(os.PRIO_PROCESS, made.pid) == 19) is idle


@pytest.mark.skipif(platform.machine() not in IOPRIO_SET, reason="the number of ioprio_get")
def test_the_disk_too(worker) -> None:
    made, idle = worker
    number = IOPRIO_SET[platform.machine()] + 1
    found = ctypes.CDLL(None).syscall(number, A_PROCESS, made.pid)
    assert (found == IDLE_CLASS) is idle


def test_threads_that_begin_later_give_way_as_well(worker) -> None:
    made, idle = worker
    made.predict(BRIGHT_PICTURE)
    # The one that ends the process with its parent was started after; libraries' own were before.
    idle_ones = [one for one in threads(made.pid) if os.sched_getscheduler(one) == os.SCHED_IDLE]
    assert bool(len(idle_ones) >= 2) is idle


AUTOGROUP = Path("/proc/sys/kernel/sched_autogroup_enabled")


@pytest.mark.skipif(
    not AUTOGROUP.exists() or AUTOGROUP.read_text().strip() != "1",
    reason="this kernel does not share processors out among sessions",
)
def test_its_session_weighs_as_little(worker) -> None:
    made, idle = worker
    group = Path(f"/proc/{made.pid}/autogroup").read_text()
    assert group.split()[-1] == (str(LOWEST) if idle else "0")
