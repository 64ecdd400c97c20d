"""What two cuts make of parts of known truth: decided and escalated parts apart. Pure.

A defect is the positive case. A part that a person was asked about is neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.monitor.share import Share, interval, share
from edge.records import Decision


@dataclass(frozen=True, slots=True)
class Answers:
    """How many parts of one truth were accepted, escalated and rejected."""

    accept: int = 0
    escalate: int = 0
    reject: int = 0

    @property
    def n(self) -> int:
        """All of them."""
        return self.accept + self.escalate + self.reject

    @property
    def decided(self) -> int:
        """Those that nobody was asked about."""
        return self.accept + self.reject

    def as_json(self) -> dict[str, int]:
        """For `--json`."""
        return {"accept": self.accept, "escalate": self.escalate, "reject": self.reject}


@dataclass(frozen=True, slots=True)
class F1:
    """2 TP / (2 TP + FP + FN) of the decided parts; None where there is nothing to count."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Good and defective parts by what was decided about them."""

    good: Answers
    defect: Answers

    @property
    def wrong(self) -> int:
        """Defects accepted and good parts rejected."""
        return self.defect.accept + self.good.reject

    def escapes(self, confidence: float = 0.95) -> Share:
        """Defects accepted, of all defects."""
        return share(self.defect.accept, self.defect.n, confidence)

    def overkill(self, confidence: float = 0.95) -> Share:
        """Good parts rejected, of all good parts."""
        return share(self.good.reject, self.good.n, confidence)

    def escalated(self, confidence: float = 0.95) -> Share:
        """Parts that a person was asked about, of all, in the mix of these data."""
        asked = self.good.escalate + self.defect.escalate
        return share(asked, self.good.n + self.defect.n, confidence)

    def precision(self, confidence: float = 0.95) -> Share:
        """Defects among the parts rejected, in the mix of these data."""
        return share(self.defect.reject, self.defect.reject + self.good.reject, confidence)

    def recall(self, confidence: float = 0.95) -> Share:
        """Parts rejected among the *decided* defects. Escalated defects are left out of it."""
        return share(self.defect.reject, self.defect.decided, confidence)

    def f1(self, confidence: float = 0.95) -> F1:
        """F1 of the decided parts, in the mix of these data.

        F1 = 2 J / (1 + J) rises with J = TP / (TP + FP + FN), a binomial share of the parts that
        are a defect or were rejected: its exact interval gives the one of F1.
        """
        true, union = self.defect.reject, self.defect.decided + self.good.reject
        low, high = interval(true, union, confidence)
        value = _from_jaccard(true / union) if union else None
        return F1(value, _from_jaccard(low), _from_jaccard(high))


def confusion(
    scores: NDArray[np.float64],
    defect: NDArray[np.bool_],
    accept_below: float,
    reject_above: float,
) -> Confusion:
    """What these cuts make of these parts: as *partial* decides, doubts aside."""
    return Confusion(
        _answers(scores[~defect], accept_below, reject_above),
        _answers(scores[defect], accept_below, reject_above),
    )


def counted(answers: Iterable[tuple[bool, Decision]]) -> Confusion:
    """The same from pairs (is a defect, decision)."""
    counts = {(truth, name): 0 for truth in (False, True) for name in _NAMES}
    for pair in answers:
        counts[pair] += 1
    good, defect = (Answers(*(counts[truth, name] for name in _NAMES)) for truth in (False, True))
    return Confusion(good, defect)


_NAMES: tuple[Decision, ...] = ("accept", "escalate", "reject")


def _answers(scores: NDArray[np.float64], accept_below: float, reject_above: float) -> Answers:
    accept = int(np.count_nonzero(scores < accept_below))
    reject = int(np.count_nonzero((scores >= reject_above) & (scores >= accept_below)))
    return Answers(accept, len(scores) - accept - reject, reject)


def _from_jaccard(value: float) -> float:
    return 2 * value / (1 + value)
