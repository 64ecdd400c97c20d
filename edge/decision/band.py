"""An upper bound for a rate that holds at all cuts at once. Pure.

Whoever looks at a curve and then picks a cut needs this; a bound for one cut fixed beforehand
(Clopper and Pearson) is too narrow for it.

The band is made of straight lines: with probability 1 - alpha_i, F <= offset_i + slope_i * F_n
everywhere. The probability that the empirical distribution of n samples crosses a line is known
exactly: A. P. Dempster, "Generalized D_n^+ statistics", Annals of Mathematical Statistics 30
(1959). Slope 1 is the exact form (Smirnov 1944; Birnbaum and Tingey 1951) of the inequality of
Dvoretzky, Kiefer and Wolfowitz, for which Massart (1990) gave the constant. Steeper lines are far
narrower where errors are rare, which is where cuts are chosen. Ties only make the band wider than
it needs to be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SLOPES = (1.0, 1.25, 2.0, 4.0)
"""Each line spends a quarter of alpha. Narrow from no error at all up to half of the samples."""
NEGLIGIBLE = -100.0
"""Terms smaller than e to this power cannot change a probability that matters."""
HALVINGS = 45


@dataclass(frozen=True, slots=True)
class Band:
    """Upper bounds for the share of errors, as a function of their number among `n` samples."""

    n: int
    alpha: float
    offsets: tuple[float, ...]

    def at(self, errors: int) -> float:
        """The bound where `errors` of the samples are errors; 1 without samples."""
        return float(self.over(np.array([errors]))[0])

    def over(self, errors: NDArray[np.int64]) -> NDArray[np.float64]:
        """The bound at each of these counts. All of them hold together."""
        if self.n == 0:
            return np.ones(len(errors))
        lines = [
            offset + slope * errors / self.n
            for offset, slope in zip(self.offsets, SLOPES, strict=True)
        ]
        bound: NDArray[np.float64] = np.minimum(1.0, np.min(lines, axis=0))
        return bound


@lru_cache(maxsize=16)
def upper_band(n: int, alpha: float) -> Band:
    """The band of n samples: wrong at any cut at all with probability `alpha` at most."""
    if n == 0:
        return Band(0, alpha, tuple(1.0 for _ in SLOPES))
    share = alpha / len(SLOPES)
    log_choose = _log_choose(n)
    return Band(n, alpha, tuple(_offset(n, slope, share, log_choose) for slope in SLOPES))


def crossing(n: int, offset: float, slope: float, log_choose: NDArray[np.float64]) -> float:
    """P(F > offset + slope * F_n somewhere) for n samples of any continuous F; slope 1 or more.

    The sum runs over j, the number of samples below the first crossing (Dempster's theorem).
    """
    most = min(n, math.ceil(n * (1.0 - offset) / slope))
    total, start, block = 0.0, 0, 4096
    while start <= most:
        j = np.arange(start, min(start + block, most + 1), dtype=np.float64)
        at = offset + slope * j / n
        j, at = j[at < 1.0], at[at < 1.0]
        logs = log_choose[j.astype(np.int64)] + math.log(offset) + (j - 1) * np.log(at)
        logs += (n - j) * np.log1p(-at)
        total += float(np.exp(logs).sum())
        # later terms may rise once more, but never above the square root of this one
        if len(j) == 0 or (slope > 1.0 and logs[-1] < NEGLIGIBLE):
            break
        start, block = start + block, block * 4
    return total


def _offset(n: int, slope: float, alpha: float, log_choose: NDArray[np.float64]) -> float:
    """The least offset whose line is crossed with probability `alpha` at most."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if crossing(n, middle, slope, log_choose) > alpha:
            low = middle
        else:
            high = middle
    return high


def _log_choose(n: int) -> NDArray[np.float64]:
    """Logarithms of the binomial coefficients (n over 0) to (n over n)."""
    i = np.arange(1, n + 1, dtype=np.float64)
    return np.concatenate(([0.0], np.cumsum(np.log(n - i + 1) - np.log(i))))
