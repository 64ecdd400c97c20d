"""Today's figures: parts, decisions, what became of the parts, the last ones. Time is passed in.

Today began at the last shift start (`shift`) or at midnight (`day`), in the station's time zone.
A part is counted in the minute in which its picture was taken, a disposition in the minute in which
it was made. Challenge parts are counted apart: they belong in no figure of the production.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Literal

from edge.decision.challenge import TAG

Period = Literal["shift", "day"]
KEPT_MINUTES = 26 * 60
"""The longest day has 25 hours."""
LAST = 20
DECISIONS = ("accept", "reject", "escalate")
FATES = ("accept", "reject", "hold")
PERSONS = ("model", "person", "fallback")
MOST_BARS = 48
STEPS_MIN = (1, 2, 5, 10, 15, 30, 60)


@dataclass(slots=True)
class Part:
    """One of the last parts: its record, and what became of it."""

    inspection: Mapping[str, Any]
    disposition: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a period goes, in seconds since 1970."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Parts by decision in steps of a period: one triple (accept, reject, escalate) for each."""

    span: Span
    step_s: int
    counts: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one period.

    `good_share` is the yield: of the parts that were disposed of in the period, the share that was
    accepted; None where there were none. `not_asked` parts escalated without a question (a pilot
    that draws), `challenge` parts were sent through on purpose. `since` is the first moment that
    is counted: later than the period's beginning until everything before the start is counted.
    """

    period: Period
    span: Span
    since: float
    parts: int
    decisions: Mapping[str, int]
    dispositions: Mapping[str, Mapping[str, int]]
    good_share: float | None
    not_asked: int
    challenge: int
    bars: Bars

    @property
    def complete(self) -> bool:
        """Whether everything of the period is counted."""
        return self.since <= self.span.begin


@dataclass(slots=True)
class Today:
    """Counts what it is given, in any order. Safe to use from several threads."""

    zone: tzinfo
    shifts: Sequence[str] = ()
    damaged: int = 0
    _minutes: dict[int, Counter[str]] = field(default_factory=dict)
    _last: deque[Part] = field(default_factory=deque)
    _fates: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _since: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def inspection(self, record: Mapping[str, Any], earlier: bool = False) -> None:
        """A part. `earlier`: the newest of those that were recorded before all others so far."""
        try:
            minute, names = _minute(record["captured_at"]), _names(record)
        except (KeyError, TypeError, ValueError):
            self.damaged += 1
            return
        with self._lock:
            self._add(minute, names)
            if not earlier:
                self._last.append(Part(record))
            elif len(self._last) < LAST:
                self._last.appendleft(Part(record, self._fates.pop(record["id"], None)))
            while len(self._last) > LAST:
                self._last.popleft()

    def disposition(self, record: Mapping[str, Any], earlier: bool = False) -> None:
        """What became of a part; held back by the model: a challenge part, not counted.

        `earlier`: read backwards, so that it comes before its part.
        """
        try:
            fate, by, about = record["disposition"], record["by"], record["inspection"]
            minute = _minute(record["at"])
        except (KeyError, TypeError, ValueError):
            self.damaged += 1
            return
        with self._lock:
            if (fate, by) != ("hold", "model"):
                self._add(minute, (f"{fate}:{by}",))
            if earlier and len(self._last) < LAST:
                self._fates[about] = record
            for part in self._last:
                if part.inspection["id"] == about:
                    part.disposition = record

    def counted_since(self, moment: float) -> None:
        """Everything from `moment` on has been given; 0.0: there is nothing before."""
        with self._lock:
            self._since = moment
            self._fates.clear()

    def span(self, now: float, period: Period) -> Span:
        """The period that `now` is in. Without shifts, a shift is a day."""
        local = datetime.fromtimestamp(now, self.zone)
        starts = self.shifts if period == "shift" and self.shifts else ("00:00",)
        near = [_at(local, days, start) for days in (-1, 0, 1, 2) for start in starts]
        return Span(max(t for t in near if t <= now), min(t for t in near if t > now))

    def longest_back(self, now: float) -> float:
        """Before this moment nothing need be counted."""
        return min(self.span(now, "day").begin, self.span(now, "shift").begin)

    def last(self) -> list[Part]:
        """The last parts, newest first."""
        with self._lock:
            return [Part(part.inspection, part.disposition) for part in reversed(self._last)]

    def figures(self, now: float, period: Period) -> Figures:
        """All figures of the period that `now` is in."""
        span = self.span(now, period)
        first, end = int(span.begin // 60), int(span.end // 60)
        with self._lock:
            inside = {m: Counter(c) for m, c in self._minutes.items() if first <= m < end}
        total: Counter[str] = Counter()
        for counted in inside.values():
            total.update(counted)
        decisions = {name: total[name] for name in DECISIONS}
        return Figures(
            period,
            span,
            max(self._since, span.begin),
            sum(decisions.values()),
            decisions,
            {fate: {by: total[f"{fate}:{by}"] for by in PERSONS} for fate in FATES},
            _good_share(total),
            total["not_asked"],
            total["challenge"],
            _bars(inside, span),
        )

    def _add(self, minute: int, names: Sequence[str]) -> None:
        counted = self._minutes.get(minute)
        if counted is None:
            counted = self._minutes[minute] = Counter()
            while len(self._minutes) > KEPT_MINUTES:
                del self._minutes[min(self._minutes)]
        counted.update(names)


def _names(record: Mapping[str, Any]) -> tuple[str, ...]:
    decision = record["decision"]
    if decision not in DECISIONS or not isinstance(record["id"], str):
        raise ValueError(f"no decision: {decision!r}")
    if TAG in (record["tags"] or {}):
        return ("challenge",)
    quiet = decision == "escalate" and not record["asked"]
    return (decision, "not_asked") if quiet else (decision,)


def _good_share(total: Mapping[str, int]) -> float | None:
    parts = {fate: sum(total.get(f"{fate}:{by}", 0) for by in PERSONS) for fate in FATES}
    disposed = sum(parts.values())
    return parts["accept"] / disposed if disposed else None


def _bars(minutes: Mapping[int, Mapping[str, int]], span: Span) -> Bars:
    first, end = int(span.begin // 60), int(span.end // 60)
    step = next((s for s in STEPS_MIN if (end - first) / s <= MOST_BARS), STEPS_MIN[-1])
    counts = [[0, 0, 0] for _ in range(-(-(end - first) // step))]
    for minute, counted in minutes.items():
        bar = counts[(minute - first) // step]
        for place, name in enumerate(DECISIONS):
            bar[place] += counted.get(name, 0)
    return Bars(span, step * 60, tuple((a, r, e) for a, r, e in counts))


def _at(local: datetime, days: int, start: str) -> float:
    day = local.date() + timedelta(days=days)
    hour, minute = map(int, start.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=local.tzinfo).timestamp()


def _minute(at: str) -> int:
    """Minutes since 1970 of a UTC time as records write it."""
    if at[-1] != "Z":
        raise ValueError(f"not UTC: {at}")
    return int(datetime.fromisoformat(at[:19] + "+00:00").timestamp() // 60)
