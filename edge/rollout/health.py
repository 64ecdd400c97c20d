"""Whether a newcomer answers at all, in time, and not always the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.report.numbers import percent
from edge.rollout.breach import FALSE_ALARM, Breach
from edge.rollout.guards import Guard
from edge.rollout.pair import Answer
from edge.rollout.speed import Times
from sync.assignment import Limits

FEW = 3
"""So many deaths or answers that are none end a candidate."""
SIDES = 20
"""So many parts must look bad, and as many good, to the other model, before one score for all of
them is a fault by itself."""
NONSENSE = frozenset({"nonsense", "wrong_input"})
MAX_LATE = 0.01
GRACE_MS = 1.0
"""A model of a fraction of a millisecond may wait for the processor as long as it runs."""
SAME = 1e-9


class Health:
    """Deaths, nonsense, lateness, speed and the spread of scores of both models.

    Lists of two are of the newcomer and the other.
    """

    def __init__(self, limits: Limits) -> None:
        self.deaths = [0, 0]
        self.nonsense = [0, 0]
        self.late = [0, 0]
        self.times = (Times(), Times())
        self._late = Guard(MAX_LATE, FALSE_ALARM)
        self._late_side = Guard(0.5, FALSE_ALARM)
        self._slower = Guard(0.5, FALSE_ALARM)
        self._ratio = limits.max_latency_ratio
        self._scores: list[float] | None = None
        self._sides = [0, 0]

    def add(self, newcomer: Answer, other: Answer) -> None:
        """What both said of a part."""
        both = (newcomer, other)
        for number, answer in enumerate(both):
            self.nonsense[number] += answer.fault in NONSENSE
            self.late[number] += answer.fault == "late"
        self._add_late(newcomer.fault == "late", other.fault == "late")
        if newcomer.fault is None and other.fault is None:
            for times, answer in zip(self.times, both, strict=True):
                times.add(answer.ms)
            self._slower.add(int(newcomer.ms > self._ratio * other.ms + GRACE_MS))
            self._spread(newcomer.score, other.score)

    def _add_late(self, newcomer: bool, other: bool) -> None:
        self._late.add(int(newcomer and not other))
        if newcomer != other:
            self._late_side.add(int(newcomer))

    def _spread(self, newcomer: float | None, other: float | None) -> None:
        if newcomer is None or other is None:
            return
        low, high = self._scores or (newcomer, newcomer)
        self._scores = [min(low, newcomer), max(high, newcomer)]
        self._sides[other >= 0.5] += 1

    def hopeless(self, deaths: int = FEW) -> Breach | None:
        """What no sample is needed for; so many deaths suffice."""
        for code, counts, least, words in (
            ("died", self.deaths, deaths, "it died {} ({} of the other model)"),
            ("nonsense", self.nonsense, FEW, "it gave no answer {} ({} of the other model)"),
        ):
            if counts[0] >= least and counts[0] > 2 * counts[1]:
                often = "once" if counts[0] == 1 else f"{counts[0]} times"
                return Breach(code, words.format(often, counts[1]))
        return None

    def broken(self) -> Breach | None:
        """What shows only on a sample."""
        if self._late.broken() and self._late_side.broken():
            return Breach(
                "late",
                f"it was late for {percent(self.late[0] / self._late.all.n)} of the parts,"
                f" the other model for {percent(self.late[1] / self._late.all.n)}",
            )
        if self._slower.broken():
            slow, quick = (times.quantile(0.5) for times in self.times)
            return Breach(
                "slower",
                f"half of its answers took {slow:g} ms or more, those of the other model"
                f" {quick:g} ms; {self._ratio:g} times as long is allowed",
            )
        return self.constant(SIDES)

    def constant(self, sides: int) -> Breach | None:
        """One score for all parts, of which so many are on either side of 0.5 to the other."""
        low, high = self._scores or (0.0, 1.0)
        if high - low >= SAME or min(self._sides) < sides:
            return None
        return Breach("constant", f"it gave the score {low:.4g} to all of {sum(self._sides)} parts")

    def as_json(self) -> dict[str, object]:
        """For people and records."""
        names = ("candidate", "other")
        return {
            "deaths": dict(zip(names, self.deaths, strict=True)),
            "nonsense": dict(zip(names, self.nonsense, strict=True)),
            "late": dict(zip(names, self.late, strict=True)),
            "ms": {
                name: {"p50": times.quantile(0.5), "p99": times.quantile(0.99)}
                for name, times in zip(names, self.times, strict=True)
            },
        }

    def kept(self) -> dict[str, object]:
        """What `restore` reads."""
        return {
            "counts": [self.deaths, self.nonsense, self.late, self._sides],
            "scores": self._scores,
            "times": [list(times.bins.items()) for times in self.times],
            "guards": [one.as_json() for one in (self._late, self._late_side, self._slower)],
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take up what `kept` gave. Raises ValueError, KeyError or TypeError otherwise."""
        self.deaths, self.nonsense, self.late, self._sides = (
            [int(count) for count in counts] for counts in content["counts"]
        )
        scores = content["scores"]
        self._scores = None if scores is None else [float(score) for score in scores]
        for times, bins in zip(self.times, content["times"], strict=True):
            times.restore(bins)
        guards = (self._late, self._late_side, self._slower)
        for guard, said in zip(guards, content["guards"], strict=True):
            guard.restore(said)
