"""Bounds for a rate that hold at every time, from parts of which only some were checked. Pure.

Each part i had been drawn with a known probability p_i before anything about it was known (D_i),
and was found to be an error (Y_i = 1) or not. X_i = D_i Y_i / p_i is 0 or 1 / p_i and has the mean
m = P(Y = 1). Against each candidate m a capital is played:

    K_t(m) = prod_i (1 + lambda_i(m) (X_i - m)),    lambda_i(m) = (r - 1) p_i / (1 - p_i m)

which multiplies by r for an error found, by (1 - r p_i m) / (1 - p_i m) otherwise: r > 1 bets that
the rate is higher, r < 1 that it is lower. At the true m it is a martingale that starts at 1, so
that it ever reaches 1 / alpha with probability at most alpha (Ville 1939), and the rates where it
never did form a confidence sequence. Source: Waudby-Smith and Ramdas, "Estimating means of bounded
random variables by betting", JRSS B 86 (2024; arXiv 2010.09686), theorem 3, with a mixture of
fixed bets; inverse weights: Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, "Anytime-valid
off-policy inference for contextual bandits" (2022).

A check that nobody answered counts as an error for the upper bound and as none for the lower. The
rate is taken to stay as it is for as long as one sequence runs. Where it moves, the bounds are for
its mean over the parts, each weighted by its p_i.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
HALVINGS = 50

_DOWN = 2.0 ** (-np.arange(13) / 2)
LOWER_RATIOS: Numbers = 1.0 - _DOWN
"""Bets that the rate is lower, from all of the capital down to 1.6 % of it."""
LOWER_WEIGHTS: Numbers = _DOWN / _DOWN.sum()
"""Most of it on the largest bet: errors are rare, and mostly none is found."""
HIGHER_RATIOS: Numbers = 1.0 + 2.0 ** np.arange(-4.0, 10.0)
HIGHER_WEIGHTS: Numbers = np.full(HIGHER_RATIOS.size, 1.0 / HIGHER_RATIOS.size)


def log_capital(seen: Any, found: Any, p: Any, mean: float, *, higher: bool) -> Numbers:
    """The logarithm of the capital played against `mean`.

    The last axis of `seen` (parts), `found` (errors among them) and `p` runs over the different
    probabilities; any axes before it are independent plays. `mean` is above 0 and below 1.
    """
    ratios, weights = (HIGHER_RATIOS, HIGHER_WEIGHTS) if higher else (LOWER_RATIOS, LOWER_WEIGHTS)
    share = (np.asarray(p, np.float64) * mean)[..., None]
    # with a large rate the highest bets could lose more than there is
    bets = np.minimum(ratios, (1.0 + 1.0 / share) / 2)
    hit = np.asarray(found, np.float64)[..., None]
    missed = np.asarray(seen, np.float64)[..., None] - hit
    with np.errstate(divide="ignore", invalid="ignore"):
        gained = np.where(hit > 0, hit * np.log(bets), 0.0)
        kept = missed * (np.log1p(-bets * share) - np.log1p(-share))
    return np.asarray(np.logaddexp.reduce((gained + kept).sum(axis=-2) + np.log(weights), axis=-1))


@dataclass(slots=True)
class Level:
    """What became of the parts that had one and the same probability."""

    seen: int = 0
    found: int = 0
    answered: int = 0
    drawn: int = 0


@dataclass(slots=True)
class Rate:
    """One rate under watch, such as the defects among the accepted parts of one calibration."""

    levels: dict[float, Level] = field(default_factory=dict)

    def see(self, p: float, drawn: bool) -> None:
        """One more part, drawn or not with this probability; nobody has answered yet."""
        level = self.levels.setdefault(p, Level())
        level.seen += 1
        level.drawn += drawn

    def answer(self, p: float, error: bool) -> None:
        """A person answered one of the drawn."""
        level = self.levels[p]
        level.answered += 1
        level.found += error

    @property
    def seen(self) -> int:
        """All parts."""
        return sum(level.seen for level in self.levels.values())

    @property
    def answered(self) -> int:
        """Those of them that a person answered."""
        return sum(level.answered for level in self.levels.values())

    @property
    def unanswered(self) -> int:
        """Those that were drawn and not answered."""
        return sum(level.drawn - level.answered for level in self.levels.values())

    @property
    def found(self) -> int:
        """The errors found."""
        return sum(level.found for level in self.levels.values())

    def estimate(self) -> float | None:
        """The weighted share of errors among the answered; None before the first answer."""
        errors = sum(level.found / p for p, level in self.levels.items())
        answers = sum(level.answered / p for p, level in self.levels.items())
        return errors / answers if answers else None

    def bounds(self, alpha: float) -> tuple[float, float]:
        """The lower and the upper bound; each alone is ever wrong with at most `alpha`."""
        if not self.levels:
            return 0.0, 1.0
        p = np.array(list(self.levels))
        levels = list(self.levels.values())
        seen = np.array([level.seen for level in levels])
        found = np.array([level.found for level in levels])
        unanswered = np.array([level.drawn - level.answered for level in levels])
        return _lowest(seen, found, p, alpha), _highest(seen, found + unanswered, p, alpha)

    def as_json(self) -> list[list[float]]:
        """To be kept over a restart."""
        return [
            [p, level.seen, level.found, level.answered, level.drawn]
            for p, level in self.levels.items()
        ]

    @classmethod
    def from_json(cls, content: Any) -> Rate:
        """What `as_json` gave. Raises ValueError or TypeError when it is something else."""
        return cls({float(p): Level(*(int(n) for n in counts)) for p, *counts in content})


def _lowest(seen: Numbers, found: Numbers, p: Numbers, alpha: float) -> float:
    """The smallest rate that was not played out of the game."""
    if not found.any():
        return 0.0
    return _crossing(seen, found, p, alpha, higher=True)


def _highest(seen: Numbers, found: Numbers, p: Numbers, alpha: float) -> float:
    return _crossing(seen, found, p, alpha, higher=False)


def _crossing(seen: Numbers, found: Numbers, p: Numbers, alpha: float, *, higher: bool) -> float:
    """Where the capital is 1 / alpha: it falls with the rate when betting on a higher one."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        won = bool(log_capital(seen, found, p, middle, higher=higher) >= -np.log(alpha))
        if won == higher:
            low = middle
        else:
            high = middle
    return low if higher else high
