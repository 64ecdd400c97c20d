"""The exact, distribution-free rule for the two cuts. Pure; design section 6, "Calibration".

With n exchangeable defects and k the largest number with P(Binomial(n, target) <= k - 1) <= alpha,
the k-th smallest defect score is a threshold below which at most `target` of all defects lie, with
confidence 1 - alpha (a one-sided tolerance bound: Wilks 1941; Clopper and Pearson 1934). It holds
for any distribution of scores, also with ties.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.decision.binomial import order_statistic, samples, tightest, upper_bound

__all__ = [
    "ACCEPT_NONE",
    "REJECT_NONE",
    "Bound",
    "Calibrated",
    "CannotCertify",
    "Only",
    "Targets",
    "calibrate",
    "limits",
    "needed",
    "order_statistic",
    "samples",
    "tightest",
    "upper_bound",
]

Scores = NDArray[np.float64]
Only = Literal["accept", "reject"]
"""With one cut alone: whatever the other one would decide is escalated."""
ACCEPT_NONE = 0.0
REJECT_NONE = math.nextafter(1, 2)
"""Cuts that no score reaches."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The errors that the plant can bear, and how sure it wants to be that they hold together.

    Raises ValueError for numbers that are no shares between 0 and 1.
    """

    max_escape: float = 0.01
    max_overkill: float = 0.01
    confidence: float = 0.95
    only: Only | None = None

    def __post_init__(self) -> None:
        for name in ("max_escape", "max_overkill", "confidence"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise ValueError(f"{name} is {value}; it must lie between 0 and 1")

    @property
    def alpha(self) -> float:
        """What each bound may spend of 1 - confidence: half of it, all where there is one bound."""
        return (1.0 - self.confidence) / (2 if self.only is None else 1)


@dataclass(frozen=True, slots=True)
class Bound:
    """One error rate: wanted, seen on these data, and its one-sided upper confidence bound.

    The bound comes from the rank of the cut, which no score can change, and not from what was seen
    below it: with ties, or where both cuts meet, a bound of what was seen would not hold. Without
    a target there is no such cut: nothing is decided that way, and all of it is 0.
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


NOTHING = Bound(None, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Cuts that hold both bounds together, or the one that was asked for."""

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


def calibrate(
    good: Sequence[float] | Scores, defect: Sequence[float] | Scores, targets: Targets
) -> Calibrated:
    """The cuts for these scores of known parts.

    Raises CannotCertify where even the most cautious cut would not hold, ValueError where a score
    is no probability.
    """
    goods, defects = _checked(good), _checked(defect)
    lacking = needed(len(goods), len(defects), targets)
    if any(lacking.values()):
        raise CannotCertify(limits(len(goods), len(defects), targets.alpha), lacking)
    accept_below, reject_above, k_defect, k_good = ACCEPT_NONE, REJECT_NONE, 0, 0
    if targets.only != "reject":
        k_defect = order_statistic(len(defects), targets.max_escape, targets.alpha)
        accept_below = float(np.partition(defects, k_defect - 1)[k_defect - 1])
    if targets.only != "accept":
        k_good = order_statistic(len(goods), targets.max_overkill, targets.alpha)
        kth = float(np.partition(goods, len(goods) - k_good)[len(goods) - k_good])
        reject_above = math.nextafter(kth, math.inf)
    if accept_below >= reject_above:
        accept_below = reject_above = (accept_below + reject_above) / 2
    alpha, escaped = targets.alpha, int(np.count_nonzero(defects < accept_below))
    overkilled = int(np.count_nonzero(goods >= reject_above))
    return Calibrated(
        accept_below,
        reject_above,
        _bound(targets.max_escape, escaped, k_defect, len(defects), alpha),
        _bound(targets.max_overkill, overkilled, k_good, len(goods), alpha),
    )


def limits(n_good: int, n_defect: int, alpha: float) -> dict[str, float]:
    """The tightest escape and overkill rates that so many parts can certify."""
    return {"escape": tightest(n_defect, alpha), "overkill": tightest(n_good, alpha)}


def needed(n_good: int, n_defect: int, targets: Targets) -> dict[str, int]:
    """How many more good and defective parts are needed before there can be cuts; 0: enough."""
    lacking = {
        "good": max(0, samples(targets.max_overkill, targets.alpha) - n_good),
        "defect": max(0, samples(targets.max_escape, targets.alpha) - n_defect),
    }
    if targets.only is not None:
        lacking["good" if targets.only == "accept" else "defect"] = 0
    return lacking


def _bound(target: float, errors: int, k: int, n: int, alpha: float) -> Bound:
    return NOTHING if k == 0 else Bound(target, errors / n, upper_bound(k - 1, n, alpha))


def _checked(scores: Sequence[float] | Scores) -> Scores:
    values = np.asarray(scores, dtype=np.float64)
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("a score is a probability: a finite number in 0..1")
    return values
