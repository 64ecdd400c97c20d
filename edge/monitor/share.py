"""A counted share and how sure one can be of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.decision.binomial import upper_bound


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `n`, with the ends of Clopper and Pearson's two-sided interval.

    The interval is for this one share, fixed before the data were seen: whoever picks the best of
    several shares, or a cut by looking at them, needs the band (`edge/decision/band.py`).
    """

    count: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share seen; None of nothing."""
        return self.count / self.n if self.n else None

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "count": self.count,
            "n": self.n,
            "value": self.value,
            "low": self.low,
            "high": self.high,
        }


def share(count: int, n: int, confidence: float = 0.95) -> Share:
    """`count` of `n` with its exact interval; 0 to 1 where there is nothing."""
    return Share(count, n, *interval(count, n, confidence))


def interval(count: int, n: int, confidence: float) -> tuple[float, float]:
    """Clopper and Pearson's two-sided interval: each end spends half of 1 - confidence."""
    alpha = (1 - confidence) / 2
    low = 1 - upper_bound(n - count, n, alpha) if n else 0.0
    return low, upper_bound(count, n, alpha)
