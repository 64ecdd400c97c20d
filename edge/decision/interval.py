"""How far a counted share may lie from the true rate: the exact two-sided interval. Pure.

Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
binomial", Biometrika 26 (1934).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HALVINGS = 40


def exact_interval(errors: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The rates that `errors` of `n` do not contradict, to 1e-12; 0 to 1 without samples.

    Each end alone is passed by chance with at most (1 - confidence) / 2. The work grows with the
    smaller of `errors` and `n - errors`.
    """
    if 2 * errors > n:
        low, high = exact_interval(n - errors, n, confidence)
        return 1.0 - high, 1.0 - low
    if n == 0:
        return 0.0, 1.0
    alpha = (1.0 - confidence) / 2
    low = 0.0 if errors == 0 else _rate(_log_choose(n, errors - 1), n, 1.0 - alpha)
    return low, _rate(_log_choose(n, errors), n, alpha)


def _log_choose(n: int, most: int) -> NDArray[np.float64]:
    """Logarithms of the binomial coefficients (n over 0) to (n over `most`)."""
    i = np.arange(1, most + 1, dtype=np.float64)
    return np.concatenate(([0.0], np.cumsum(np.log(n - i + 1) - np.log(i))))


def _rate(log_choose: NDArray[np.float64], n: int, wanted: float) -> float:
    """The rate p at which P(Binomial(n, p) <= most) is `wanted`; it falls as p rises."""
    i = np.arange(len(log_choose), dtype=np.float64)
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        p = (low + high) / 2
        terms = log_choose + i * np.log(p) + (n - i) * np.log1p(-p)
        if float(np.exp(terms).sum()) > wanted:
            low = p
        else:
            high = p
    return (low + high) / 2
