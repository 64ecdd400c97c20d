"""The slow steps of a rollout, each in a process of its own: installing, proving, calibrating.

The line's tend thread starts one, looks now and then whether it has ended, and waits for nothing.
The process runs at a lower priority, ends with the line, and can be ended at any instant: what it
leaves is whole or not there.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.rollout.outcome import Calibrated, Installed, Kind, Proved, Result, failed, read

if TYPE_CHECKING:
    from edge.config import Config

__all__ = ["LIMITS_S", "Calibrated", "Installed", "Kind", "Proved", "Result", "Tasks"]

LIMITS_S: Mapping[Kind, float] = {"install": 300.0, "prove": 300.0, "calibrate": 3 * 3600.0}
"""How long each may take before it is ended."""
LAST_WORDS = 300
ENDING_S = 0.2
_LARGEST = 4 * 2**20
_PACKAGES = str(Path(__file__).resolve().parents[2])


class Tasks:
    """One step at a time. For one thread.

    Arguments: `install` takes `source` (a folder or zip), `slot` and, where it is known, `digest`;
    `prove` takes `bundle` (a folder) and, if there is one, `active` (the folder of the bundle in
    force, whose labels it must share); `calibrate` takes `bundle`, `said` (whether somebody vouches
    that the pictures here were not trained on), `like` (the id of the calibration whose targets it
    must meet; the configured ones without), `by` and `reason`.
    """

    def __init__(self, config: Config, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._config = config.model_dump_json()
        self._clock = clock
        self._running: _Running | None = None
        self._not_started: Result | None = None
        self._corpses: list[_Running] = []

    @property
    def busy(self) -> bool:
        """Whether a step was started whose result nobody has taken yet."""
        return self._running is not None or self._not_started is not None

    def start(self, kind: Kind, arguments: Mapping[str, object]) -> None:
        """Begin a step; what was running is ended, and its result lost. Never raises for a reason
        that lies in the bundle or the machine: `poll` then tells."""
        self.stop()
        order = json.dumps({"config": self._config, "arguments": dict(arguments)}).encode()
        try:
            self._running = _Running(kind, order, self._clock() + int(LIMITS_S[kind] * 1e9))
        except OSError as error:
            why = f"no process can be started: {error}"
            self._not_started = failed(kind, "task_failed", why, again=True)

    def poll(self) -> Result | None:
        """The result, once; None while it takes longer, or where nothing was started."""
        self._corpses = [one for one in self._corpses if not one.ended]
        if self._not_started is not None:
            result, self._not_started = self._not_started, None
            return result
        running = self._running
        if running is None:
            return None
        if not running.ended:
            if self._clock() < running.until_ns:
                return None
            self.stop()
            why = f"it took longer than {LIMITS_S[running.kind]:.0f} s"
            return failed(running.kind, "task_failed", why, again=True)
        self._running = None
        result = running.result()
        running.close()
        return result

    def progress(self) -> tuple[int, int] | None:
        """How many of how many pictures are done; None where that is not known."""
        return None if self._running is None else self._running.progress()

    def stop(self) -> None:
        """End what is running; its result is lost."""
        self._not_started = None
        if self._running is not None:
            self._running.close()
            self._corpses.append(self._running)
            self._running = None


class _Running:
    """One process. What it says goes to memory files, so that nobody has to read in time."""

    def __init__(self, kind: Kind, order: bytes, until_ns: int) -> None:
        self.kind, self.until_ns = kind, until_ns
        self._said = os.memfd_create("said", os.MFD_CLOEXEC)
        self._words = os.memfd_create("words", os.MFD_CLOEXEC)
        # Its other end is closed when this process ends, however it ends.
        reading, self._tie = os.pipe()
        order_file = os.memfd_create("order", os.MFD_CLOEXEC)
        try:
            with open(order_file, "wb", closefd=False) as file:
                file.write(order)
            os.lseek(order_file, 0, os.SEEK_SET)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge.rollout.work", kind, str(reading)],
                stdin=order_file,
                stdout=self._said,
                stderr=self._words,
                pass_fds=(reading,),
                cwd=_PACKAGES,
                start_new_session=True,
            )
        except OSError:
            for descriptor in (self._said, self._words, self._tie):
                os.close(descriptor)
            raise
        finally:
            os.close(reading)
            os.close(order_file)

    @property
    def ended(self) -> bool:
        """Whether the process is gone. Never waits."""
        return self._process.poll() is not None

    def progress(self) -> tuple[int, int] | None:
        """The last that it said on its way."""
        for line in reversed(self._lines()):
            if isinstance(line, list) and len(line) == 2:
                return int(line[0]), int(line[1])
        return None

    def result(self) -> Result:
        """What it said at its end, or how it ended without a word."""
        lines = self._lines()
        try:
            return read(self.kind, lines[-1] if lines else None)
        except (ValueError, TypeError):
            words = " ".join(_tail(self._words, LAST_WORDS).decode(errors="replace").split())
            why = f"its process ended with {self._process.returncode}; it said: {words}"
            return failed(self.kind, "task_failed", why, again=True)

    def close(self) -> None:
        """End it, and hardly wait for that; the models that it runs end with it."""
        if not self.ended:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(ENDING_S)
        for descriptor in (self._said, self._words, self._tie):
            os.close(descriptor)

    def _lines(self) -> list[Any]:
        found: list[Any] = []
        for line in _tail(self._said, _LARGEST).split(b"\n"):
            with contextlib.suppress(ValueError, RecursionError):
                found.append(json.loads(line))
        return found


def _tail(descriptor: int, most: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, most, max(0, size - most))
