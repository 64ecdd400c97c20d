"""Two models on the same parts, in numbers with intervals: what differs, and on which parts. Pure.

Shares have Clopper and Pearson's interval. The difference of two shares of the same parts rests on
those d of n that count for one model only, u of them for the second: given d, u is binomial, and
the interval of u / d gives that of (2 u / d - 1) d / n. The interval of the median ratio of times
is that of order statistics. All are for one figure each, fixed before the data were seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.decision.binomial import at_most, order_statistic
from edge.monitor.confusion import Confusion, counted
from edge.monitor.share import Share, interval, share
from edge.records import Decision
from edge.rollout.pair import Answer

DECISIONS: tuple[Decision, ...] = ("accept", "escalate", "reject")


@dataclass(frozen=True, slots=True)
class Part:
    """One part as both saw it. `defect` is None where nobody knows; `picture` is its file."""

    name: str
    first: Answer
    second: Answer
    defect: bool | None = None
    picture: Path | None = None

    @property
    def decided(self) -> tuple[Decision, Decision] | None:
        """Both decisions; None where one has no cuts."""
        first, second = self.first.would_be, self.second.would_be
        return None if first is None or second is None else (first, second)

    @property
    def permissive(self) -> bool:
        """Only the second accepts it."""
        both = self.decided
        return both is not None and both[1] == "accept" != both[0]

    @property
    def stricter(self) -> bool:
        """Only the first accepts it."""
        both = self.decided
        return both is not None and both[0] == "accept" != both[1]

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "name": self.name,
            "first": _said(self.first),
            "second": _said(self.second),
            "defect": self.defect,
            "picture": None if self.picture is None else str(self.picture),
        }


def _said(answer: Answer) -> dict[str, object]:
    return {"score": answer.score, "decision": answer.would_be, "fault": answer.fault}


@dataclass(frozen=True, slots=True)
class Change:
    """What a share becomes from the first model to the second, on the same parts."""

    first: Share
    second: Share
    difference: float | None
    low: float
    high: float

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "first": self.first.as_json(),
            "second": self.second.as_json(),
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
        }


@dataclass(frozen=True, slots=True)
class Truths:
    """The parts of known truth: each model's confusion, and who is wrong where they differ.

    `p` is the exact two-sided sign test of "each is wrong as often as the other" (McNemar).
    """

    first: Confusion
    second: Confusion
    only_first_wrong: int
    only_second_wrong: int
    p: float


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of an inference. `ratio` is the median of second / first, with its interval."""

    first_p50: float
    first_p99: float
    second_p50: float
    second_p99: float
    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures. `table[(first, second)]` counts decisions."""

    n: int
    compared: int
    table: dict[tuple[Decision, Decision], int]
    permissive: Share
    stricter: Share
    escalated: Change
    rejected: Change
    truths: Truths | None
    times: Times | None
    faults: tuple[int, int]
    confidence: float

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "parts": self.n,
            "compared": self.compared,
            "confidence": self.confidence,
            "decisions": [
                {"first": first, "second": second, "count": count}
                for (first, second), count in self.table.items()
            ],
            "permissive": self.permissive.as_json(),
            "stricter": self.stricter.as_json(),
            "escalated": self.escalated.as_json(),
            "rejected": self.rejected.as_json(),
            "truth": None if self.truths is None else _truths_json(self.truths),
            "ms": None if self.times is None else _times_json(self.times),
            "faults": {"first": self.faults[0], "second": self.faults[1]},
        }


def compare(parts: Sequence[Part], confidence: float = 0.95) -> Comparison:
    """The figures of these parts."""
    decided = [both for part in parts if (both := part.decided) is not None]
    [(part.first.ms, part.second.ms) for part in parts if _timed(part)]
    found = Counter(decided)
    n = len(decided)
    return Comparison(
        n=len(parts),
        compared=n,
        table={(a, b): found[a, b] for a in DECISIONS for b in DECISIONS},
        permissive=share(sum(part.permissive for part in parts), n, confidence),
        stricter=share(sum(part.stricter for part in parts), n, confidence),
        escalated=_change([(a == "escalate", b == "escalate") for a, b in decided], confidence),
        rejected=_change([(a == "reject", b == "reject") for a, b in decided], confidence),
        truths=_truths(parts),
        times=_times(
            [(part.first.ms, part.second.ms) for part in parts if _timed(part)], confidence
        ),
        faults=(
            sum(part.first.fault is not None for part in parts),
            sum(part.second.fault is not None for part in parts),
        ),
        confidence=confidence,
    )


def differing(parts: Iterable[Part]) -> list[Part]:
    """The parts on which the decisions differ: known mistakes of the second first, then what it
    alone accepts, then the rest; each by how far the scores are apart."""
    return sorted((part for part in parts if _differs(part)), key=_order)


def _order(part: Part) -> tuple[bool, bool, float]:
    mistaken = part.defect is not None and _wrong(part.second.would_be, part.defect)
    apart = abs((part.second.score or 0.0) - (part.first.score or 0.0))
    return (not mistaken, not part.permissive, -apart)


def _differs(part: Part) -> bool:
    both = part.decided
    return both is not None and both[0] != both[1]


def _wrong(decision: Decision | None, defect: bool) -> bool:
    return decision == ("accept" if defect else "reject")


def _change(counts: Sequence[tuple[bool, bool]], confidence: float) -> Change:
    n = len(counts)
    first, second = (sum(one[side] for one in counts) for side in (0, 1))
    up = sum(b and not a for a, b in counts)
    unlike = up + sum(a and not b for a, b in counts)
    if not n:
        return Change(share(0, 0), share(0, 0), None, -1.0, 1.0)
    # where they never differ, the share of those that do is bounded all the same
    most = share(unlike, n, confidence).high
    low, high = (2 * end - 1 for end in interval(up, unlike, confidence))
    scale = unlike / n if unlike else most
    return Change(
        share(first, n, confidence),
        share(second, n, confidence),
        (second - first) / n,
        low * scale,
        high * scale,
    )


def _truths(parts: Sequence[Part]) -> Truths | None:
    known = [(part.defect, *both) for part in parts
             if part.defect is not None and (both := part.decided) is not None]  # fmt: skip
    if not known:
        return None
    wrong = [(_wrong(a, defect), _wrong(b, defect)) for defect, a, b in known]
    first = sum(a and not b for a, b in wrong)
    second = sum(b and not a for a, b in wrong)
    tail = at_most(min(first, second), first + second, 0.5)
    return Truths(
        counted((defect, a) for defect, a, _ in known),
        counted((defect, b) for defect, _, b in known),
        first,
        second,
        min(1.0, 2 * tail),
    )


def _timed(part: Part) -> bool:
    both = (part.first, part.second)
    return all(one.fault is None and one.score is not None and one.ms > 0 for one in both)


def _times(both: Sequence[tuple[float, float]], confidence: float) -> Times | None:
    if not both:
        return None
    first, second = (sorted(one[side] for one in both) for side in (0, 1))
    ratios = sorted(b / a for a, b in both)
    n = len(ratios)
    k = order_statistic(n, 0.5, (1 - confidence) / 2)
    low, high = (ratios[k - 1], ratios[n - k]) if k else (0.0, float("inf"))
    return Times(
        _quantile(first, 0.5),
        _quantile(first, 0.99),
        _quantile(second, 0.5),
        _quantile(second, 0.99),
        _quantile(ratios, 0.5),
        low,
        high,
    )


def _quantile(ordered: Sequence[float], at: float) -> float:
    return ordered[min(len(ordered) - 1, int(at * len(ordered)))]


def _truths_json(truths: Truths) -> dict[str, object]:
    def one(confusion: Confusion) -> dict[str, object]:
        return {
            "good": confusion.good.as_json(),
            "defect": confusion.defect.as_json(),
            "escapes": confusion.escapes().as_json(),
            "overkill": confusion.overkill().as_json(),
        }

    return {
        "first": one(truths.first),
        "second": one(truths.second),
        "only_first_wrong": truths.only_first_wrong,
        "only_second_wrong": truths.only_second_wrong,
        "p": truths.p,
    }


def _times_json(times: Times) -> dict[str, object]:
    return {
        "first": {"p50": times.first_p50, "p99": times.first_p99},
        "second": {"p50": times.second_p50, "p99": times.second_p99},
        "ratio": times.ratio,
        "low": times.low,
        "high": None if times.high == float("inf") else times.high,
    }
