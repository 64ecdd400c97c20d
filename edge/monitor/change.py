"""Notices that a rate has come to lie above its limit, with a stated false-alarm rate. Pure.

Looks come one by one; each is an error or not. For each ratio r the e-value of a look is r for an
error, (1 - r q) / (1 - q) otherwise, with the mean 1 at a rate of exactly q, the limit, and less
below it. The Shiryaev-Roberts sum M <- (M + 1) e adds up the bets begun at every look so far; M
minus the number of looks is then a supermartingale, so that with an alarm at M >= A

    the mean number of looks before a false alarm is at least A, and
    the probability of one within n looks is at most n / A,

whatever the rate does as long as it stays at or below the limit, and however looks depend on each
other. Source: Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential
change detection", New England Journal of Statistics in Data Science 2 (2024), section 2.4.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.decision.binomial import at_most

Numbers = NDArray[np.float64]
RATIOS: Numbers = np.array([1.5, 2.0, 3.0, 5.0, 10.0, 30.0])
"""How many times the limit the rate is bet to be; several, since nobody knows."""
LARGEST = 1e300


def ratios(limit: float) -> Numbers:
    """The bets that are possible against this limit: none may lose more than there is."""
    return np.minimum(RATIOS, (1.0 + 1.0 / limit) / 2)


def e_values(limit: float) -> tuple[Numbers, Numbers]:
    """What a look multiplies each bet by: where it is an error, and where it is none."""
    bets = ratios(limit)
    return bets, (1.0 - bets * limit) / (1.0 - limit)


def stepped(sums: Numbers, error: Any, limit: float) -> Numbers:
    """The sums after one more look. The last axis runs over the bets, any before are free."""
    hit, miss = e_values(limit)
    factor = np.where(np.asarray(error)[..., None], hit, miss)
    return np.asarray(np.minimum((sums + 1.0) * factor, LARGEST))


def charged(sums: Numbers, limit: float) -> Numbers:
    """The sums after a look that may yet turn out to be no error or none at all.

    At most what they would be either way, so that an answer that is missing never helps an alarm.
    """
    return np.asarray(sums * e_values(limit)[1])


def evidence(sums: Numbers) -> Numbers:
    """M: the mean over the bets."""
    return np.asarray(sums.mean(axis=-1))


def fresh() -> Numbers:
    """The sums before the first look."""
    return np.zeros(RATIOS.size)


@lru_cache(maxsize=256)
def looks_until_noticed(limit: float, rate: float, between: float, chance: float = 0.9) -> int:
    """After how many looks a rate that jumps to `rate` has been noticed, with at least `chance`.

    Exact for the best single bet begun at the jump; the real sum is never less. Raises ValueError
    for a rate that is not above the limit.
    """
    if not limit < rate <= 1:
        raise ValueError(f"the rate {rate} must lie above the limit {limit}")
    high = 1
    while not _noticed(high, limit, rate, between, chance):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if _noticed(middle, limit, rate, between, chance):
            high = middle
        else:
            low = middle
    return high


def _noticed(looks: int, limit: float, rate: float, between: float, chance: float) -> bool:
    needed_log = math.log(between * RATIOS.size)
    for hit, miss in zip(*e_values(limit), strict=True):
        gain, loss = math.log(hit), -math.log(miss)
        errors = math.ceil((needed_log + looks * loss) / (gain + loss))
        if errors <= looks and 1.0 - at_most(errors - 1, looks, rate) >= chance:
            return True
    return False
