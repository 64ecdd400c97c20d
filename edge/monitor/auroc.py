"""How well scores tell defects from good parts, whatever the cut. Pure.

The interval is DeLong's (E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas
under two or more correlated receiver operating characteristic curves", Biometrics 44, 1988), taken
on the logit scale so that it stays within 0..1. It is an approximation for large samples. Where
the scores separate the two kinds completely it would have no width; then the exact bound of
Clopper and Pearson for as many disjoint pairs as the smaller kind has parts takes its place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Auroc:
    """P(score of a defect > score of a good part), ties counting one half, and its interval.

    `exact` says that the interval is the exact one for complete separation.
    """

    value: float
    low: float
    high: float
    exact: bool = False

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {"value": self.value, "low": self.low, "high": self.high}


def auroc(
    good: NDArray[np.float64], defect: NDArray[np.float64], confidence: float = 0.95
) -> Auroc | None:
    """The area and its two-sided interval; None where a kind is missing."""
    if not len(good) or not len(defect):
        return None
    over_good, over_defect = _placements(good, defect), 1 - _placements(defect, good)
    area = float(over_good.mean())
    alpha = 1 - confidence
    if area in (0.0, 1.0):
        near = (alpha / 2) ** (1 / min(len(good), len(defect)))
        return Auroc(area, near, 1.0, True) if area else Auroc(area, 0.0, 1 - near, True)
    variance = _variance(over_good) / len(defect) + _variance(over_defect) / len(good)
    logit = math.log(area / (1 - area))
    reach = NormalDist().inv_cdf(1 - alpha / 2) * math.sqrt(variance) / (area * (1 - area))
    return Auroc(area, _logistic(logit - reach), _logistic(logit + reach))


def _placements(below: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each score the share of `below` that lies under it, equal ones counting one half."""
    ordered = np.sort(below)
    under = np.searchsorted(ordered, scores, "left")
    up_to = np.searchsorted(ordered, scores, "right")
    shares: NDArray[np.float64] = (under + up_to) / (2 * len(below))
    return shares


def _variance(values: NDArray[np.float64]) -> float:
    # one part says nothing about how parts vary: the largest variance that a share can have
    return float(values.var(ddof=1)) if len(values) > 1 else 0.25


def _logistic(value: float) -> float:
    if value < 0:
        return math.exp(value) / (1 + math.exp(value))
    return 1 / (1 + math.exp(-value))
