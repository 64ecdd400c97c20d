"""What is decided about one part. Pure; design section 6, "Decisions".

Nothing here can accept a part without a finite score in 0..1 that is strictly below a cut, in a
degree that lets the model decide, and without a doubt or a fault.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from edge.records import Cuts, Decision, Degree, Reason

Trouble = Literal["fault", "late", "overrun"]
DEGREES: tuple[Degree, ...] = ("human_only", "shadow", "assist", "partial", "full")
"""From the least automation to the most."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision, its reason, and what *partial* would have decided from score and cuts."""

    decision: Decision
    reason: Reason
    would_be: Decision | None = None


def rank(degree: Degree) -> int:
    """0 for human_only up to 4 for full."""
    return DEGREES.index(degree)


def valid(score: float | None) -> bool:
    """Whether this is a probability: a finite number in 0..1."""
    return score is not None and math.isfinite(score) and 0.0 <= score <= 1.0


def decide(
    score: float | None,
    cuts: Cuts | None,
    degree: Degree,
    *,
    doubtful: bool = False,
    trouble: Trouble | None = None,
) -> Choice:
    """The decision about a part.

    `score` is None where no prediction was made. `trouble` says that the model gave no usable
    answer; a score that is no probability counts as a fault. In `full`, what is not certified good
    is rejected.
    """
    usable = score if trouble is None and valid(score) else None
    would_be = _partial(usable, cuts)
    if trouble is not None:
        return Choice("escalate", trouble)
    if score is not None and usable is None:
        return Choice("escalate", "fault")
    if doubtful:
        return Choice("escalate", "doubt", would_be)
    if rank(degree) < rank("partial"):
        return Choice("escalate", "automation", would_be)
    if usable is None:
        return Choice("escalate", "fault")
    if would_be is None:
        return Choice("escalate", "automation")
    if would_be != "escalate":
        return Choice(would_be, "confident", would_be)
    return Choice("reject" if degree == "full" else "escalate", "uncertain", would_be)


def _partial(score: float | None, cuts: Cuts | None) -> Decision | None:
    if score is None or cuts is None:
        return None
    if score < cuts.accept_below:
        return "accept"
    return "reject" if score >= cuts.reject_above else "escalate"
