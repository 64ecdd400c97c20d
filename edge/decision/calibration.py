"""The exact, distribution-free rule for the two cuts. Pure; design section 6, "Calibration".

With n exchangeable defects and k the largest number with P(Binomial(n, target) <= k - 1) <= alpha,
the k-th smallest defect score is a threshold below which at most `target` of all defects lie, with
confidence 1 - alpha (a one-sided tolerance bound: Wilks 1941; Clopper and Pearson 1934).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Only = Literal["accept", "reject"]
"""With one cut alone: whatever the other one would decide is escalated."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The errors that the plant can bear, and how sure it wants to be that they hold together."""

    max_escape: float = 0.01
    max_overkill: float = 0.01
    confidence: float = 0.95
    only: Only | None = None

    @property
    def alpha(self) -> float:
        """What each bound may spend of 1 - confidence: half of it, all where there is one bound."""
        return (1.0 - self.confidence) / (2 if self.only is None else 1)


@dataclass(frozen=True, slots=True)
class Bound:
    """One error rate: wanted, seen on these data, and its one-sided upper confidence bound.

    Without a target there is no such cut: nothing is decided that way, and all of it is 0.
    """

    target: float | None
    observed: float
    upper_bound: float

    def as_json(self) -> dict[str, float | None]:
        """As in `calibration/1`."""
        return {
            "target": self.target,
            "observed": self.observed,
            "upper_bound": self.upper_bound,
        }


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Cuts that hold both bounds together."""

    accept_below: float
    reject_above: float
    escape: Bound
    overkill: Bound


class CannotCertify(Exception):
    """The data do not suffice. `needed` is how many more good and defective parts would."""

    def __init__(self, tightest: dict[str, float], needed: dict[str, int]) -> None:
        self.tightest = tightest
        self.needed = needed
        super().__init__(
            f"these data certify at most escape {tightest['escape']:.4f} and overkill "
            f"{tightest['overkill']:.4f}; {needed['defect']} more defects and "
            f"{needed['good']} more good parts are needed"
        )


def calibrate(good: Sequence[float], defect: Sequence[float], targets: Targets) -> Calibrated:
    """The cuts for these scores of known parts.

    Raises CannotCertify where even the most cautious cut would not hold, ValueError where a score
    is no probability.
    """
    good_scores, defect_scores = _checked(good), _checked(defect)
    alpha = targets.alpha
    k_defect = order_statistic(len(defect_scores), targets.max_escape, alpha)
    k_good = order_statistic(len(good_scores), targets.max_overkill, alpha)
    if k_defect == 0 or k_good == 0:
        raise CannotCertify(
            {
                "escape": tightest(len(defect_scores), alpha),
                "overkill": tightest(len(good_scores), alpha),
            },
            {
                "good": max(0, samples(targets.max_overkill, alpha) - len(good_scores)),
                "defect": max(0, samples(targets.max_escape, alpha) - len(defect_scores)),
            },
        )
    accept_below = float(defect_scores[k_defect - 1])
    reject_above = math.nextafter(float(good_scores[-k_good]), math.inf)
    if accept_below >= reject_above:
        accept_below = reject_above = (accept_below + reject_above) / 2
    return Calibrated(
        accept_below,
        reject_above,
        _bound(int(np.sum(defect_scores < accept_below)), len(defect), targets.max_escape, alpha),
        _bound(int(np.sum(good_scores >= reject_above)), len(good), targets.max_overkill, alpha),
    )


def order_statistic(n: int, target: float, alpha: float) -> int:
    """The largest k with P(Binomial(n, target) <= k - 1) <= alpha; 0 where even k = 1 is too many.

    Terms are summed in logarithms, so that (1 - target) ** n may underflow.
    """
    if n == 0:
        return 0
    k, log_term, log_sum = 0, n * math.log1p(-target), -math.inf
    odds = math.log(target) - math.log1p(-target)
    while k <= n:
        larger, smaller = max(log_sum, log_term), min(log_sum, log_term)
        log_sum = larger + math.log1p(math.exp(smaller - larger))
        if log_sum > math.log(alpha):
            return k
        log_term += math.log(n - k) - math.log(k + 1) + odds if k < n else -math.inf
        k += 1
    return n


def tightest(n: int, alpha: float) -> float:
    """The smallest rate that n samples can certify: 1 - alpha ** (1 / n); 1 without samples."""
    return 1.0 if n == 0 else -math.expm1(math.log(alpha) / n)


def samples(target: float, alpha: float) -> int:
    """How many samples certify `target` at all: the least n with (1 - target) ** n <= alpha."""
    return math.ceil(math.log(alpha) / math.log1p(-target))


def upper_bound(errors: int, n: int, alpha: float) -> float:
    """Clopper and Pearson's one-sided upper bound for a rate, by bisection to 1e-12."""
    if errors >= n:
        return 1.0
    low, high = errors / n, 1.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        if order_statistic(n, middle, alpha) > errors:
            high = middle
        else:
            low = middle
    return high


def _bound(errors: int, n: int, target: float, alpha: float) -> Bound:
    return Bound(target, errors / n, upper_bound(errors, n, alpha))


def _checked(scores: Sequence[float]) -> Scores:
    values = np.sort(np.asarray(scores, dtype=np.float64))
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("a score is a probability: a finite number in 0..1")
    return values
