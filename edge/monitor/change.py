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

Numbers = NDArray[np.float64]
RATIOS: Numbers = np.array([1.5, 2.0, 3.0, 5.0, 10.0, 30.0])
"""How many times the limit the rate is bet to be; several, since nobody knows."""
LARGEST = 1e300
LINES = 2000


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
    """After how many looks a rate that jumps to `rate` has been noticed, with this chance.

    The detector is played against 2,000 lines whose past says nothing; the same ones every time.
    Raises ValueError for a rate that is not above the limit.
    """
    if not limit < rate <= 1:
        raise ValueError(f"the rate {rate} must lie above the limit {limit}")
    dice = np.random.default_rng(LINES)
    hit, miss = e_values(limit)
    sums, looks = np.zeros((LINES, RATIOS.size)), np.zeros(LINES)
    noticed = np.full(LINES, np.inf)
    while np.isinf(noticed).mean() > (1.0 - chance) / 10:
        gap = dice.geometric(rate, LINES).astype(np.float64)
        kept = miss ** (gap - 1.0)[:, None]  # all looks up to the next error at once
        sums = sums * kept + miss * (1.0 - kept) / (1.0 - miss)
        sums = np.minimum((sums + 1.0) * hit, LARGEST)
        looks += gap
        found = np.isinf(noticed) & (evidence(sums) >= between)
        noticed[found] = looks[found]
    return math.ceil(float(np.quantile(noticed, chance, method="higher")))
