"""Notices that a mean of -1, 0 and 1 lies above its limit, at any time, once. Pure.

A look x is 1 (against the newcomer), 0, or -1 (against the other); the claim is that, whatever came
before, its mean is at most m. For a bet b between 0 and 1 / (m - lowest x) the capital

    K = product over all looks of (1 + b (x - m))

is never negative and, while the claim holds, does not grow on average. So the probability that K
*ever* reaches 1 / a is at most a (Ville 1939), however often one looks and however looks depend on
each other. K depends on the counts of 1, 0 and -1 only. Nobody knows the best bet: K is the mean
over 16 of them, from 0.1 % to 95 % of the largest. Source: Waudby-Smith and Ramdas, "Estimating
means of bounded random variables by betting", JRSS B 86 (2024), section 4.

Paired answers of two equal models differ as often in one direction as in the other. Looks at pairs
that differ, 1 or 0, with m = 1/2, are the sign test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
BETS = 16
BLOCK = 1000
"""Looks in a block. Blocks find what goes wrong late, when a long good past has used up K."""
LEAST_LIMIT = 1e-6
"""A limit of 0 is one error in a million."""


@lru_cache(maxsize=64)
def _logs(limit: float, lowest: int) -> tuple[Numbers, Numbers, Numbers]:
    """What each bet makes of a 1, a 0 and a -1, as logarithms."""
    bets = np.geomspace(0.001, 0.95, BETS) / (limit - lowest)
    minus = np.log1p(-bets * (1 + limit)) if lowest < 0 else np.zeros(BETS)
    return np.log1p(bets * (1 - limit)), np.log1p(-bets * limit), minus


def log_capital(plus: Any, zero: Any, minus: Any, limit: float, lowest: int = 0) -> Numbers:
    """log K after so many looks of each kind; the axes of the counts are independent plays.

    `lowest` is 0 where no look can be -1 (`minus` is then 0), else -1. `limit` is below 1.
    """
    up, same, down = _logs(max(limit, LEAST_LIMIT), lowest)
    total = (
        np.asarray(plus, np.float64)[..., None] * up
        + np.asarray(zero, np.float64)[..., None] * same
        + np.asarray(minus, np.float64)[..., None] * down
    )
    return np.asarray(np.logaddexp.reduce(total, axis=-1) - math.log(BETS))


@dataclass(slots=True)
class Counts:
    """How many looks of each kind."""

    plus: int = 0
    zero: int = 0
    minus: int = 0

    @property
    def n(self) -> int:
        """All looks."""
        return self.plus + self.zero + self.minus

    def add(self, look: int, times: int = 1) -> None:
        """Count a look, or with `times=-1` take one back."""
        if look > 0:
            self.plus += times
        elif look < 0:
            self.minus += times
        else:
            self.zero += times


class Guard:
    """One claim under watch, over all looks and over the newest block.

    The probability that it is ever broken while the claim holds is at most `alpha`: half of it for
    all looks, and alpha / (2 k (k + 1)) for the k-th block of 1,000, which adds up to the other.
    """

    def __init__(self, limit: float, alpha: float, lowest: int = 0) -> None:
        self.limit = limit
        self.alpha = alpha
        self.all = Counts()
        self._lowest = lowest
        self._block = Counts()
        self._number = 1

    def add(self, look: int) -> int:
        """Count a look; the number of its block, for `change`."""
        if self._block.n >= BLOCK:
            self._block, self._number = Counts(), self._number + 1
        self.all.add(look)
        self._block.add(look)
        return self._number

    def change(self, block: int, before: int, after: int) -> None:
        """An answer came that makes of an earlier look another."""
        for counts in self._counts(block):
            counts.add(before, -1)
            counts.add(after)

    def drop(self, block: int, look: int) -> None:
        """An answer came by which this was no look at all."""
        for counts in self._counts(block):
            counts.add(look, -1)

    def _counts(self, block: int) -> tuple[Counts, ...]:
        return (self.all, self._block) if block == self._number else (self.all,)

    def broken(self, more: int = 0, limit: float | None = None) -> bool:
        """Whether the claim does not hold.

        `more`: so many of the looks counted as 0 are taken for a 1. `limit`, in place of the
        guard's own, must not depend on looks that it is applied to.
        """
        limit = self.limit if limit is None else limit
        if limit >= 1:
            return False
        half = self.alpha / 2
        shared = half / (self._number * (self._number + 1))
        return self._rich(self.all, more, limit, half) or self._rich(
            self._block, more, limit, shared
        )

    def _rich(self, counts: Counts, more: int, limit: float, alpha: float) -> bool:
        plus = counts.plus + min(more, counts.zero)
        if plus <= counts.n * limit:
            return False
        zero = counts.n - plus - counts.minus
        capital = log_capital(plus, zero, counts.minus, limit, self._lowest)
        return bool(capital >= -math.log(alpha))

    def as_json(self) -> list[list[int]]:
        """To be kept over a restart."""
        both = (self.all, self._block)
        return [[self._number], *([one.plus, one.zero, one.minus] for one in both)]

    def restore(self, content: Any) -> None:
        """Take up what `as_json` gave. Raises ValueError or TypeError for anything else."""
        (number,), everything, block = content
        self._number = int(number)
        self.all = Counts(*(int(count) for count in everything))
        self._block = Counts(*(int(count) for count in block))
