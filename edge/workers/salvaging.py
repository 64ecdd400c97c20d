"""Looks after damaged databases that were set aside, until what is sound in them is saved."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from edge.log import log
from edge.recovery import aside
from edge.recovery.aside import Case
from edge.workers.entry import Entry

EVERY_NS = 10**9
FIRST_WAIT_NS, LONGEST_WAIT_NS = 5 * 10**9, 3600 * 10**9
END_WITHIN_S = 2.0


class Process(Protocol):
    """A child that saves one database."""

    def poll(self) -> int | None:
        """Its exit code; None while it works."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        ...


class Salvaging:
    """One child at a time, at the lowest priority, started again when it fails. On the tend thread.

    `trouble` says what was damaged, and where it lies, until everything is saved.
    """

    def __init__(
        self, state_dir: Path, start: Callable[[Case, Path], Process] | None = None
    ) -> None:
        self.trouble: str | None = None
        self._state_dir = state_dir
        self._start = start or start_child
        self._child: Process | None = None
        self._failed: str | None = None
        self._wait_ns = FIRST_WAIT_NS
        self._not_before_ns = self._next_ns = 0

    def step(self, now_ns: int) -> Iterator[Entry]:
        """See how it goes, once a second."""
        if now_ns >= self._next_ns:
            self._next_ns = now_ns + EVERY_NS
            try:
                self._look(now_ns)
            except OSError as error:
                self._fail(str(error), now_ns)
        yield from ()

    def close(self) -> None:
        """End the child; the next start begins anew with what it has not completed."""
        child, self._child = self._child, None
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()

    def _look(self, now_ns: int) -> None:
        if self._child is not None:
            code = self._child.poll()
            if code is None:
                return
            self._child = None
            if code:
                self._fail(f"its process ended with {code}", now_ns)
            else:
                self._failed, self._wait_ns = None, FIRST_WAIT_NS
        waiting = [case for case in aside.cases(self._state_dir) if not case.salvaged]
        self.trouble = self._words(waiting) if waiting else None
        if waiting and now_ns >= self._not_before_ns:
            self._child = self._start(waiting[0], self._state_dir)

    def _fail(self, why: str, now_ns: int) -> None:
        log.error("salvage.failing", why=why)
        self._failed = why
        self._not_before_ns = now_ns + self._wait_ns
        self._wait_ns = min(2 * self._wait_ns, LONGEST_WAIT_NS)

    def _words(self, waiting: list[Case]) -> str:
        told = "; ".join(
            f"{case.database} was damaged ({case.why}) and lies in {aside.FOLDER}/"
            f"{case.folder.name}: its records are being saved"
            for case in waiting
        )
        return told if self._failed is None else f"{told} (that fails: {self._failed})"


def start_child(case: Case, state_dir: Path) -> subprocess.Popen[bytes]:
    """`python -m edge.recovery.salvage`. Raises OSError."""
    command = [sys.executable, "-m", "edge.recovery.salvage", str(case.folder), str(state_dir)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)
