"""The demo's simulated operators at work, on one thread."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from edge.clock import Clock
from edge.demo.operator import Operator
from edge.demo.page import NoPage, Page
from edge.log import log
from edge.review.questions import inspection
from edge.store.archive import Archive
from edge.store.errors import StoreError

AGAIN_S = 2.0


class Operators:
    """They begin when it is entered and stop when it is left, at the next thing they do."""

    def __init__(self, line_db: Path, port: int, tokens: Sequence[str], allowed_s: float) -> None:
        self._line = Archive(line_db)
        chance = Clock().chance
        self._all = [
            Operator(Page(port, token), self._truth, allowed_s, chance) for token in tokens
        ]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="operators", daemon=True)

    def __enter__(self) -> Operators:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def answered(self) -> int:
        """Answers of theirs that were recorded."""
        return sum(one.answered for one in self._all)

    def _run(self) -> None:
        due = [time.monotonic()] * len(self._all)
        met = False
        while due and not self._stop.wait(max(0.0, min(due) - time.monotonic())):
            number = due.index(min(due))
            now = time.monotonic()
            try:
                due[number] = self._all[number].step(now)
                met = True
            except (NoPage, sqlite3.Error, StoreError, KeyError, TypeError) as error:
                if met or not isinstance(error, NoPage):  # the page takes a while to start
                    log.info("operators.waiting", error=error)
                due[number] = now + AGAIN_S
        self._line.close()

    def _truth(self, name: str) -> str | None:
        found = inspection(self._line, name)
        return None if found is None else found["truth"]
