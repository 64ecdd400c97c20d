"""Which parts a person is asked about although the model was sure. Pure: time and chance come in.

The probability is fixed before the score of the part is seen and is never 0, so that sure answers
of every kind are drawn alike and each can be weighted by 1 / p afterwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY_NS = 24 * 3600 * 10**9
LEAST = 2.0**-24
STEPS_AN_OCTAVE = 4
"""Probabilities are rounded to these steps: a few dozen different ones at most, ever."""
FIRST_PARTS = 60.0
FIRST_NS = 60.0 * 10**9
"""Before anything was seen the line is taken to make one sure part a second."""
FLOOR = 0.125
"""With the budget spent, the probability falls to this share of what the rate asks for."""


@dataclass(frozen=True, slots=True)
class Draw:
    """The probability that was fixed beforehand, and how the dice fell."""

    p: float
    drawn: bool

    def as_json(self) -> dict[str, object]:
        """As an inspection carries it."""
        return {"p": self.p, "drawn": self.drawn}


class SpotChecks:
    """Draws so that about `per_day` sure answers a day are asked about.

    Call `draw` for each part before its score is known, `sure` after a part was decided by the
    model alone. The rate of sure parts is the mean of about a day, nights included. A debt or a
    saving of half a day's budget takes the probability down to an eighth, or doubles it. Not
    thread-safe: the inspect thread owns it.
    """

    def __init__(self, per_day: int, now_ns: int) -> None:
        self._per_day = per_day
        self._parts = FIRST_PARTS
        self._over_ns = FIRST_NS
        self._balance = 0.0
        self._at_ns = now_ns

    def draw(self, chance: float, now_ns: int) -> Draw | None:
        """The draw for the next part; None where no spot checks are configured.

        `chance` is uniform in 0 to below 1.
        """
        if self._per_day <= 0:
            return None
        self._let_time_pass(now_ns)
        p = self._probability()
        return Draw(p, chance < p)

    def sure(self, draw: Draw | None) -> None:
        """The model decided the part of this draw: it counts for the rate, and for the budget."""
        self._parts += 1
        if draw is not None and draw.drawn:
            self._balance = max(self._balance - 1, -float(self._per_day))

    def _let_time_pass(self, now_ns: int) -> None:
        gone_ns = max(0, now_ns - self._at_ns)
        self._at_ns = max(now_ns, self._at_ns)
        kept = math.exp(-gone_ns / DAY_NS)
        self._parts *= kept
        self._over_ns = self._over_ns * kept + gone_ns
        earned = self._per_day * gone_ns / DAY_NS
        self._balance = min(self._balance + earned, float(self._per_day))

    def _probability(self) -> float:
        a_day = max(self._parts, 1.0) / self._over_ns * DAY_NS
        correction = 1.0 + 2.0 * self._balance / self._per_day
        wanted = self._per_day / a_day * min(max(correction, FLOOR), 2.0)
        return _rounded(min(max(wanted, LEAST), 1.0))


def _rounded(p: float) -> float:
    """The next lower of 2 ** (-i / 4)."""
    return float(2.0 ** (math.floor(math.log2(p) * STEPS_AN_OCTAVE) / STEPS_AN_OCTAVE))
