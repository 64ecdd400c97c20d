"""Waiting for other processes: on conditions, with a deadline that only a hang reaches."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from typing import Any

GIVE_UP_S = 60.0


def until(condition: Callable[[], object], step: Callable[[], object]) -> None:
    """Call `step` (which waits a little, or works) until the condition holds."""
    end = time.monotonic() + GIVE_UP_S
    while not condition():
        assert time.monotonic() < end, "waited too long"
        step()


def beside(process: subprocess.Popen[Any]) -> Callable[[], None]:
    """A step that waits a moment for the end of `process`: nothing else says when it has renewed
    a file."""

    def step() -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)

    return step
