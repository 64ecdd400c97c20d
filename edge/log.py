"""One line a message on standard error: `level logger key=value`, for journald and for people.

Under systemd (`JOURNAL_STREAM`) each line begins with a syslog priority. The same event is printed
at most once a second; how many were left out is said with the next one. Values that hold secrets
are never passed here. A standard error that is full or gone is no reason to stop.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3}
EVERY_S = 1.0


class Log:
    """Messages of one process. Thread-safe."""

    def __init__(self, every_s: float = EVERY_S, now: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._now = now
        self._last: dict[str, float] = {}
        self._left_out: dict[str, int] = {}
        self._lock = threading.Lock()
        self._priorities = "JOURNAL_STREAM" in os.environ

    def info(self, event: str, **values: object) -> None:
        """Something that a person may want to know later."""
        self._say("info", event, values)

    def warning(self, event: str, **values: object) -> None:
        """Something that is not as it should be; the service goes on."""
        self._say("warning", event, values)

    def error(self, event: str, **values: object) -> None:
        """Something that needs a person."""
        self._say("error", event, values)

    def exception(self, event: str, **values: object) -> None:
        """The exception being handled, with its trace on one line."""
        self._say("error", event, {**values, "trace": traceback.format_exc()})

    def _say(self, level: str, event: str, values: dict[str, object]) -> None:
        with self._lock:
            now = self._now()
            if now - self._last.get(event, -self._every_s) < self._every_s:
                self._left_out[event] = self._left_out.get(event, 0) + 1
                return
            self._last[event] = now
            if left_out := self._left_out.pop(event, 0):
                values = {**values, "left_out": left_out}
        pairs = " ".join(f"{key}={_shown(value)}" for key, value in values.items())
        prefix = f"<{PRIORITIES[level]}>" if self._priorities else ""
        with contextlib.suppress(OSError, ValueError):
            print(f"{prefix}{level} {event} {pairs}".rstrip(), file=sys.stderr, flush=True)


def _shown(value: object) -> str:
    text = str(value)
    plain = text and all(letter.isprintable() and letter not in ' "=' for letter in text)
    return text if plain else json.dumps(text, ensure_ascii=False)


log = Log()
