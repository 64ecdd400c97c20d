"""The thread that follows the line and the queue, and says what has changed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from edge.clock import Clock
from edge.line_watch import LineWatch
from edge.log import log
from edge.review.waiting import Waiting
from edge.store.errors import StoreError
from edge.web.copies import Copies
from edge.web.line_news import LineNews
from edge.web.line_state import STALE_S, Known, LineState

EVERY_S = 0.1
REST_S = 0.02
"""Between two units where there is more to do: those who ask come first."""
SECOND_NS = 10**9
SAID_NS = 400_000_000
"""The counts are said no more often, however much comes: each browser asks for more then."""
COUNTS_NS = 5 * 10**9
"""So often the counts are said though nothing has changed: ages grow."""
LINE_NS = 2 * 10**9
REQUESTS_NS = 200_000_000
FAILURES = (sqlite3.Error, StoreError, OSError)

Tell = Callable[[str, Mapping[str, object]], None]


class Served(Protocol):
    """What answers requests by file."""

    def step(self, now: float) -> int:
        """Serve those that wait; how many."""
        ...


class Counted(Protocol):
    """Who knows how much waits."""

    def waiting(self) -> Waiting:
        """Now."""
        ...


@dataclass(slots=True)
class Rounds:
    """What is looked after once a second; each failing one is logged and tried again."""

    each: Mapping[str, Callable[[], None]] = field(default_factory=dict)

    def run(self) -> None:
        """All of them."""
        for name, work in self.each.items():
            try:
                work()
            except FAILURES as error:
                log.error(f"web.{name}", error=error)
            except Exception:  # a damaged record, say: it must not end the thread
                log.exception(f"web.{name}")


class Follower:
    """One unit a step, on a thread of its own. `now` may be read by any thread.

    It sets `state` (what is known of the line), fills the queue by `news`, answers requests at
    `desk`, and tells the events `queue`, `line` and `part`.
    """

    def __init__(
        self,
        news: LineNews,
        watch: LineWatch,
        state: LineState,
        answers: Counted,
        desk: Served,
        copies: Copies,
        rounds: Rounds,
        tell: Tell,
        clock: Clock,
    ) -> None:
        self._news = news
        self._watch = watch
        self._state = state
        self._answers = answers
        self._desk = desk
        self._copies = copies
        self._rounds = rounds
        self._tell = tell
        self._clock = clock
        self._second_ns = self._requests_ns = 0
        self._next_ns = self._counts_ns = self._line_ns = 0
        self._told_counts: tuple[int, int, int] | None = None
        self._told_line: dict[str, object] | None = None
        self._told_new = 0
        self._seq = -1
        self._wake = threading.Event()
        self._stopping = False

    def step(self) -> bool:
        """Do what is due and wait a little; False once it was told to stop."""
        self._wake.wait(REST_S if self.unit() else EVERY_S)
        return not self._stopping

    def unit(self) -> bool:
        """Do what is due; whether there is more to do at once."""
        now_ns = self._clock.monotonic_ns()
        more = self._news.step()
        if now_ns >= self._requests_ns:
            self._requests_ns = now_ns + REQUESTS_NS
            self._serve(now_ns)
        if now_ns >= self._second_ns:
            self._second_ns = now_ns + SECOND_NS
            self._second(now_ns)
        self._say(now_ns)
        return more

    def stop(self) -> None:
        """The step that is under way is the last."""
        self._stopping = True
        self._wake.set()

    def close(self) -> None:
        """Once no step is under way any more."""
        self._copies.flush(self._clock.wall())
        self._news.close()

    def _serve(self, now_ns: int) -> None:
        try:
            self._desk.step(now_ns / 1e9)
        except OSError as error:
            log.error("web.requests", error=error)

    def _second(self, now_ns: int) -> None:
        up = self._watch.up(now_ns / 1e9)
        stale = now_ns - self._news.read_ns > STALE_S * 1e9
        said = self._watch.said
        self._state.now = Known(up, stale, said, self._trouble(up, said))
        line = self._state.now.as_json()
        moved = self._news.through != self._seq and now_ns >= self._line_ns
        if line != self._told_line or moved:
            self._told_line, self._seq = line, self._news.through
            self._line_ns = now_ns + LINE_NS
            self._tell("line", line)
        self._copies.flush(self._clock.wall())
        self._rounds.run()

    def _trouble(self, up: bool, said: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
        found = alarms(said) if up else []
        if self._news.failing is not None:
            found.insert(0, {"code": "unreadable", "message": self._news.failing, "at": None})
        return tuple(found)

    def _say(self, now_ns: int) -> None:
        if now_ns < self._next_ns:
            return
        waiting = self._answers.waiting()
        counts = (waiting.count, waiting.escalations, waiting.alone)
        new = self._news.new - self._told_new
        if counts != self._told_counts or new or now_ns >= self._counts_ns:
            self._told_counts, self._told_new = counts, self._news.new
            self._next_ns, self._counts_ns = now_ns + SAID_NS, now_ns + COUNTS_NS
            self._tell("queue", {**counted(waiting), "new": new})


def alarms(said: Mapping[str, object]) -> list[Mapping[str, object]]:
    """What the line's status calls wrong, but for what only limits automation: then persons decide,
    and nothing is the matter with the parts."""
    causes, limits = said.get("causes"), said.get("limits")
    names = limits if isinstance(limits, list) else []
    return [
        {"code": "line", "message": one.get("what"), "at": one.get("since")}
        for one in (causes if isinstance(causes, list) else ())
        if isinstance(one, dict)
        and not any(str(one.get("what")).startswith(f"{name}: ") for name in names)
    ]


def counted(waiting: Waiting) -> dict[str, object]:
    """The counts as the API says them."""
    return {
        "waiting": waiting.count,
        "escalations": waiting.escalations,
        "alone": waiting.alone,
        "oldest_s": _rounded(waiting.oldest_s),
        "next_deadline_s": _rounded(waiting.next_deadline_s),
        "pressing": waiting.pressing,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
