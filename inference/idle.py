"""Giving way to everybody else: processor and disk only when nobody else wants them."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import sys
import time

LOWEST = 19
IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30}
"""Its number where processes have 64 bits (syscall.tbl of Linux): no library has a name for it."""
A_PROCESS, IDLE_CLASS = 1, 3 << 13
"""ioprio_set(2)."""
TRIES, AGAIN_S = 10, 0.06
"""The kernel takes the weight of one session each tenth of a second, of all sessions together."""


def give_way() -> None:
    """From here on this thread, and those that it starts, run when nobody else wants to.

    A kernel that refuses is no reason to stop: the answers are the same, only sooner. Where the
    disk's class cannot be set, the kernel takes it from the processor's unless another was set.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, LOWEST)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    number = IOPRIO_SET.get(platform.machine())
    if number is not None and sys.maxsize > 1 << 32:
        ctypes.CDLL(None).syscall(number, A_PROCESS, 0, IDLE_CLASS)


def weigh_session() -> None:
    """The session that this process leads weighs what its priority says.

    A kernel that shares processors out among sessions first (autogroup in sched(7); not inside a
    unit that has a weight of its own) looks at priorities only within each: a process of the lowest
    priority in a session of its own would get as much as everybody else's session together.
    """
    priority = os.getpriority(os.PRIO_PROCESS, 0)
    if priority <= 0 or os.getsid(0) != os.getpid():
        return
    for _ in range(TRIES):
        try:
            with open("/proc/self/autogroup", "w", encoding="ascii") as file:
                file.write(str(priority))
        except OSError as error:
            if error.errno == errno.EAGAIN:
                time.sleep(AGAIN_S)
                continue
        return
