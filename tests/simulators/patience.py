"""Waiting for other processes: on conditions, with a deadline that only a hang reaches."""

from __future__ import annotations

import time
from collections.abc import Callable

GIVE_UP_S = 60.0


def until(condition: Callable[[], object], step: Callable[[], object]) -> None:
    """Call `step` (which waits a little, or works) until the condition holds."""
    end = time.monotonic() + GIVE_UP_S
    while not condition():
        assert time.monotonic() < end, "waited too long"
        step()
