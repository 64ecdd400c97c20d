"""How good a list of scores is. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def auroc(good: NDArray[Any], defect: NDArray[Any]) -> float:
    """P(score of a random defect > score of a random good part), ties counting one half.

    The Mann-Whitney statistic divided by the number of pairs.
    """
    ordered = np.sort(good)
    below = np.searchsorted(ordered, defect, "left")
    up_to = np.searchsorted(ordered, defect, "right")
    return float((below + up_to).sum() / 2 / len(good) / len(defect))


def auroc_interval(
    good: NDArray[Any], defect: NDArray[Any], rounds: int = 500
) -> tuple[float, float]:
    """95 % bootstrap interval of the AUROC (percentiles; parts drawn again within each class)."""
    random = np.random.RandomState(0)
    values = [
        auroc(random.choice(good, len(good)), random.choice(defect, len(defect)))
        for _ in range(rounds)
    ]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def accepted_at_escape(good: NDArray[Any], defect: NDArray[Any], escape: float) -> float:
    """Share of good parts below the cut at which this share of these defects lies below it."""
    return float((good < np.quantile(defect, escape, method="lower")).mean())
