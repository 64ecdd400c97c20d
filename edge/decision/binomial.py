"""The binomial distribution, exact to about 12 digits also for millions of samples. Pure.

Single terms by saddle-point expansion (Loader, "Fast and accurate computation of binomial
probabilities", 2000); the sum runs outwards from the largest term and stops where terms vanish, so
that its cost grows with the square root of n.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

HALVINGS = 60
"""A rate is found to the last bit of a double."""
WIDE = 12
"""Terms farther than this many standard deviations from the largest add nothing to a double."""
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@lru_cache(maxsize=4096)
def at_most(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) <= k); 0 for k < 0, 1 for k >= n."""
    if k < 0:
        return 0.0
    if k >= n or p <= 0.0:
        return 1.0
    if p >= 1.0:
        return 0.0
    if k > n * p:
        return 1.0 - _lower(n - k - 1, n, 1.0 - p, p)
    return _lower(k, n, p, 1.0 - p)


def _lower(k: int, n: int, p: float, q: float) -> float:
    """The sum of the terms k, k - 1, … 0, where these fall: k is at most about n p."""
    reach = min(k, int(WIDE * math.sqrt(n * p * q)) + 60)
    j = np.arange(k, k - reach, -1, dtype=np.float64)
    ratios = j * q / ((n - j + 1) * p)
    return _term(k, n, p, q) * (1.0 + float(np.cumprod(ratios).sum()))


def _term(x: int, n: int, p: float, q: float) -> float:
    """P(Binomial(n, p) = x), with q = 1 - p."""
    if x == 0:
        return math.exp(n * math.log1p(-p)) if p < 0.5 else math.exp(n * math.log(q))
    if x == n:
        return math.exp(n * math.log(p)) if p < 0.5 else math.exp(n * math.log1p(-q))
    exponent = _stirling(n) - _stirling(x) - _stirling(n - x)
    exponent -= _deviance(x, n * p) + _deviance(n - x, n * q)
    return math.exp(exponent) * math.sqrt(n / (2 * math.pi * x * (n - x)))


def _stirling(n: int) -> float:
    """What Stirling's formula leaves out of log(n!)."""
    if n < 16:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - _HALF_LOG_2PI
    square = float(n) * n
    series = 1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square
    return (1 / 12 - (1 / 360 - series / square) / square) / n


def _deviance(x: float, mean: float) -> float:
    """x log(x / mean) + mean - x, without losing digits where x is near the mean."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    v = (x - mean) / (x + mean)
    total, power, j = (x - mean) * v, 2 * x * v, 1
    while True:
        power *= v * v
        more = total + power / (2 * j + 1)
        if more == total:
            return total
        total, j = more, j + 1


@lru_cache(maxsize=4096)
def order_statistic(n: int, target: float, alpha: float) -> int:
    """The largest k <= n with P(Binomial(n, target) <= k - 1) <= alpha; 0 where there is none."""
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        if at_most(middle - 1, n, target) <= alpha:
            low = middle
        else:
            high = middle - 1
    return low


@lru_cache(maxsize=4096)
def upper_bound(errors: int, n: int, alpha: float) -> float:
    """Clopper and Pearson's one-sided upper bound for a rate; 1 without samples."""
    if errors >= n:
        return 1.0
    low, high = errors / n, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if at_most(errors, n, middle) <= alpha:
            high = middle
        else:
            low = middle
    return high


def tightest(n: int, alpha: float) -> float:
    """The smallest rate that n samples can certify: 1 - alpha ** (1 / n); 1 without samples."""
    return 1.0 if n == 0 else -math.expm1(math.log(alpha) / n)


def samples(target: float, alpha: float) -> int:
    """How many samples certify `target` at all: the least n with (1 - target) ** n <= alpha."""
    n = max(1, math.ceil(math.log(alpha) / math.log1p(-target)))
    while n > 1 and order_statistic(n - 1, target, alpha) > 0:
        n -= 1
    while order_statistic(n, target, alpha) == 0:
        n += 1
    return n
