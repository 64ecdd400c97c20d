"""The processor time that this thread and some other processes have used."""

from __future__ import annotations

import time
from collections.abc import Iterable

_SCHEDULED = 2
"""CPUCLOCK_SCHED of the kernel: clock_getcpuclockid(3) makes the id of a clock from it."""


class Effort:
    """Adds up what this thread and its helpers took, from one look to the next.

    For the thread that made it. A process that was started and has ended between two looks is not
    seen; one that has ended counts up to the last look.
    """

    def __init__(self) -> None:
        self._own_ns = time.thread_time_ns()
        self._known: dict[int, int] = {}

    def since_last(self, pids: Iterable[int]) -> int:
        """ns of processor time since the last look; a process that is new counts as a whole."""
        own_ns = time.thread_time_ns()
        total, self._own_ns = own_ns - self._own_ns, own_ns
        now: dict[int, int] = {}
        for pid in pids:
            taken = process_ns(pid)
            if taken is not None:
                now[pid] = taken
                total += max(0, taken - self._known.get(pid, 0))
        self._known = now
        return total


def process_ns(pid: int) -> int | None:
    """The processor time of all threads of a process, in ns; None where there is none such."""
    try:
        return time.clock_gettime_ns((~pid << 3) | _SCHEDULED)
    except OSError:
        return None
