"""The clocks of this machine, and what it knows about them."""

from __future__ import annotations

import ctypes
import random
import time
from pathlib import Path

from edge.records import Moment, uuid7

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TIME_ERROR = 5
"""What adjtimex returns while the clock is not synchronised (man 2 adjtimex)."""


class Clock:
    """Monotonic time for intervals, wall time for records, and fresh ids.

    `synced` is looked up by `refresh` only, so that a decision never waits for a system call
    whose answer changes once a day.
    """

    def __init__(self) -> None:
        self.synced = False
        self._random = random.SystemRandom()
        self.refresh()

    def monotonic_ns(self) -> int:
        """Nanoseconds since boot; never goes back."""
        return time.monotonic_ns()

    def wall(self) -> float:
        """Seconds since 1970, as the machine believes."""
        return time.time()

    def moment(self) -> Moment:
        """This instant on both clocks."""
        return Moment(self.wall(), self.monotonic_ns(), self.synced)

    def new_id(self) -> str:
        """A fresh version 7 UUID."""
        return uuid7(self.wall(), self._random.getrandbits(74))

    def chance(self) -> float:
        """A random number from 0 to below 1."""
        return self._random.random()

    def refresh(self) -> None:
        """Ask the kernel again whether the clock is synchronised."""
        self.synced = _kernel_synced()


def _kernel_synced() -> bool:
    libc = ctypes.CDLL(None)
    timex = ctypes.create_string_buffer(512)  # larger than any struct timex; modes = 0 only reads
    state = libc.adjtimex(timex)
    return 0 <= int(state) < TIME_ERROR


def boot_id() -> str:
    """The kernel's id of this boot; monotonic times compare only within one."""
    return BOOT_ID.read_text().strip()
