"""Processor time, as the kernel counts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from edge.workers.effort import Effort, process_ns

BUSY = """
import sys
for line in sys.stdin:
    sum(range(int(line)))
    print("done", flush=True)
"""


class Child:
    """Works when it is told to."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def work(self, much: int) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{much}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def ticks_ns(self) -> int:
        """What /proc says, which is cut to hundredths of a second."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 10**9 // os.sysconf("SC_CLK_TCK")


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child()
    yield made
    made.process.communicate()


def test_the_time_of_a_process_is_that_of_the_kernel(child: Child) -> None:
    child.work(3_000_000)
    before, told, after = child.ticks_ns(), process_ns(child.process.pid), child.ticks_ns()
    assert told is not None
    assert before - 2 * 10**7 <= told <= after + 2 * 10**7
    assert told > 0


def test_a_process_that_is_gone_has_none(child: Child) -> None:
    pid = child.process.pid
    child.process.communicate()
    assert process_ns(pid) is None


def test_a_new_process_counts_as_a_whole_and_then_what_it_takes(child: Child) -> None:
    effort, pids = Effort(), [child.process.pid]
    child.work(1)
    before = process_ns(child.process.pid)
    assert before is not None
    assert effort.since_last(pids) >= before
    idle = effort.since_last(pids)
    child.work(5_000_000)
    busy = effort.since_last(pids)
    assert busy > idle
    assert effort.since_last([]) >= 0


def test_one_s_own_work_counts() -> None:
    effort = Effort()
    effort.since_last([])
    little = effort.since_last([])
    sum(range(3_000_000))
    assert effort.since_last([]) > little
