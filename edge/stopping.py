"""The first signal asks a service to end in good order, the second ends it at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType

FORCED = 130


def on_stop(ask: Callable[[], None]) -> None:
    """At the first SIGTERM or SIGINT call `ask`, which sets a flag and does nothing else. At the
    second leave the process with FORCED."""
    asked = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(FORCED)
        asked = True
        ask()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
