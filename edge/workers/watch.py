"""Reads what was recorded and answered, watches the bounds, latches limits. On the tend thread.

Everything it knows comes from records, and is kept together with the places up to which it has
read: after a restart it goes on where its state was last committed, and counts nothing twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge.clock import Clock
from edge.decision.automation import Limit
from edge.log import log
from edge.monitor.both import Both
from edge.monitor.bounds import Bounds, Wanted
from edge.monitor.watched import figures
from edge.review.questions import OPEN_CHECKS
from edge.review.spoken import undone
from edge.review.verdicts import after, is_verdict
from edge.store.archive import Archive
from edge.store.errors import StoreError
from edge.workers.entry import Entry
from edge.workers.ruler import Ruler

STATE = "watch"
ROWS = 500
EVERY_NS = 200_000_000
SAVE_NS = 10 * 10**9
FIGURES_NS = 5 * 10**9
DAY_S = 86_400.0
INSPECTION = b'"schema":"inspection/1"'

Unsure = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class Undo:
    """How long an answer of this boot can be undone, with a second for doing so."""

    boot_id: str = ""
    within_s: float = 0.0


class Watch:
    """The instruments of the calibration in force. `failing` says why they cannot look.

    `wanted` gives what a calibration states, or the configuration asks for; `unsure` the share of
    good parts that a calibration expects between its cuts.
    """

    def __init__(
        self,
        line: Archive,
        queue: Archive,
        ruler: Ruler,
        clock: Clock,
        wanted: Callable[[str], Wanted],
        unsure: Unsure,
        state: Callable[[str], str | None],
        undo: Undo = Undo(),
    ) -> None:
        self.failing: str | None = None
        self.figures: Mapping[str, object] | None = None
        self._line = line
        self._queue = queue
        self._ruler = ruler
        self._clock = clock
        self._both = Both(lambda key: Bounds(wanted(key), unsure(key)))
        self._boot_id = undo.boot_id
        self._undo_ns = int((undo.within_s + 1.0) * 1e9) if undo.within_s else 0
        self._places: dict[str, tuple[str | None, int]] = {"line": (None, 0), "queue": (None, 0)}
        self._latched: set[str] = set()
        self._changed = self._figures_old = False
        self._next_ns = self._save_ns = self._figures_ns = 0
        self._restore(state(STATE))

    @property
    def bounds(self) -> Bounds | None:
        """The instruments of the calibration in force."""
        return None if self._both.now is None else self._both.now.bounds

    def step(self, now_ns: int) -> Iterator[Entry]:
        """Read a little further; the limits that have to be latched, and what to remember."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + EVERY_NS
        try:
            checks = self._open_checks()
            if not self._read_line():
                self._read_queue(now_ns)
            elif self.failing is None:
                self._next_ns = now_ns
            self._cleared()
            yield from self._latch()
        except (sqlite3.Error, StoreError, ValueError, KeyError, TypeError) as error:
            if self.failing is None:
                log.error("watch.failing", error=error)
            self.failing = str(error) or repr(error)
            return
        self.failing = None
        self._renew_figures(now_ns)
        if self._changed and (now_ns >= self._save_ns or checks != self._open_checks()):
            self._save_ns = now_ns + SAVE_NS
            yield Entry((), state=self._state())

    def close(self) -> None:
        """Let both files go."""
        self._line.close()
        self._queue.close()

    def _open_checks(self) -> list[str]:
        return self._both.open_checks

    def _read_line(self) -> bool:
        """The next records of the line; whether there may be more."""
        epoch, seq = self._place("line", self._line)
        rows = self._line.rows(seq, ROWS, 1 << 22)
        for row in rows:
            self._places["line"] = (epoch, row.seq)
            if INSPECTION in row.body:
                self._inspection(json.loads(row.body))
        self._changed = self._changed or bool(rows)
        return len(rows) == ROWS

    def broken_of(self, calibration: str) -> Mapping[str, str]:
        """What the instruments say against this calibration, in words by the name of the limit;
        nothing where it is not watched."""
        watched = self._both.of(calibration)
        return {} if watched is None else watched.broken()

    def _read_queue(self, now_ns: int) -> None:
        """Answers, only once every part that they may be about has been seen, and once they can no
        longer be undone. A later correction changes nothing: who makes it knows what the model
        said. So does an answer of somebody who had seen that: the check stays open."""
        epoch, seq = self._place("queue", self._queue)
        page = list(after(self._queue, seq, ROWS))
        gone = undone(record for _, record in page)
        for place, record in page:
            if is_verdict(record):
                if self._both.waits_for(record["inspection"]) and self._fresh(record, now_ns):
                    return
                if record["id"] not in gone and not record["answer_shown"]:
                    self._both.verdict(record)
            self._places["queue"] = (epoch, place)
            self._changed = self._figures_old = True

    def _fresh(self, record: Mapping[str, Any], now_ns: int) -> bool:
        """Whether the answer may still be undone."""
        given_ns = int(record["monotonic_ns"])
        return record["boot_id"] == self._boot_id and 0 <= now_ns - given_ns < self._undo_ns

    def _place(self, name: str, archive: Archive) -> tuple[str | None, int]:
        """Where to go on; at the beginning of a file that has taken the place of another."""
        epoch, kept = archive.epoch, self._places[name]
        return kept if kept[0] == epoch else (epoch, 0)

    def _inspection(self, record: Mapping[str, Any]) -> None:
        if self._both.inspection(record, self._clock.wall()):
            self._figures_old = True

    def _cleared(self) -> None:
        """Detectors of limits that a person has cleared begin anew."""
        held = {limit.name for limit in self._ruler.limits if limit.latched}
        for name in self._latched - held:
            if self.bounds is not None:
                self.bounds.reset(name)
            self._changed = True
        self._latched &= held

    def _latch(self) -> Iterator[Entry]:
        broken = {} if self.bounds is None else self.bounds.broken()
        for name in broken.keys() - self._latched:
            self._latched.add(name)
            record = self._ruler.latch(_limit(name, broken[name]), self._clock.moment())
            log.warning(f"limit.{name}", reason=broken[name])
            yield Entry((record,), state={**self._ruler.state(), **self._state()})

    def _renew_figures(self, now_ns: int) -> None:
        watched = self._both.now
        if watched is None or not self._figures_old or now_ns < self._figures_ns:
            return
        self._figures_ns, self._figures_old = now_ns + FIGURES_NS, False
        days = max(0.0, self._clock.wall() - watched.began) / DAY_S
        self.figures = {"calibration": watched.key, **figures(watched.bounds, days)}

    def _state(self) -> dict[str, str]:
        self._changed = False
        kept = {"places": self._places, **self._both.as_json()}
        return {STATE: json.dumps(kept), OPEN_CHECKS: json.dumps(self._open_checks())}

    def _restore(self, text: str | None) -> None:
        """Go on where it was. What cannot be understood is worked out again from the records."""
        if text is None:
            return
        try:
            kept = json.loads(text)
            places = kept["places"]
            found = {name: (places[name][0], int(places[name][1])) for name in self._places}
            self._both.restore(kept)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            log.warning("watch.state", error=error)
            return
        self._places, bounds = found, self.bounds
        held = {limit.name for limit in self._ruler.limits if limit.latched}
        self._latched = set(bounds.broken()) & held if bounds is not None else set()
        self._figures_old = True


def _limit(name: str, reason: str) -> Limit:
    """What a broken bound allows at most: a person decides, and sees the model's answer."""
    known = (
        Limit("escape_bound", "assist", reason),
        Limit("slip_bound", "assist", reason),
        Limit("challenge", "assist", reason),
        Limit("drift", "assist", reason),
    )
    return next(limit for limit in known if limit.name == name)
