"""What a degree of automation means for people, from the parts of the last while. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from edge.decision.policy import rank
from edge.records import Decision, Degree, Fate

FEWEST = 100
"""Fewer parts with a known answer say nothing about the next ones."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One recorded part: what *partial* would have decided, whether it was in doubt or a fault,
    and when it came, in seconds."""

    would_be: Decision | None
    troubled: bool
    at: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """The parts of a while: how many, over how many seconds, and what they were like.

    `unknown` parts have no `would_be` (no cuts, or the model was not asked): the others stand for
    them.
    """

    parts: int = 0
    seconds: float = 0.0
    troubled: int = 0
    unknown: int = 0
    would_be: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, seen: Iterable[Seen]) -> Traffic:
        """Count the parts."""
        parts = troubled = unknown = 0
        would_be: Counter[str] = Counter()
        times: list[float] = []
        for part in seen:
            parts += 1
            times.append(part.at)
            if part.troubled:
                troubled += 1
            elif part.would_be is None:
                unknown += 1
            else:
                would_be[part.would_be] += 1
        seconds = max(times) - min(times) if parts > 1 else 0.0
        return cls(parts, seconds, troubled, unknown, would_be)

    @property
    def per_hour(self) -> float | None:
        """Parts an hour; None where too few were seen to say."""
        return (self.parts - 1) * 3600 / self.seconds if self.seconds > 0 else None

    def asked_share(self, degree: Degree) -> float | None:
        """The share of parts that a person would be asked about; None where that is not known.

        Doubts and faults always; below *partial* every part; in *partial* what is between the cuts.
        """
        if self.parts == 0:
            return None
        if rank(degree) < rank("partial"):
            return 1.0
        unsure, troubled = self.unsure_share, self.troubled / self.parts
        if unsure is None:
            return None
        return troubled + (unsure if degree == "partial" else 0.0)

    @property
    def unsure_share(self) -> float | None:
        """The share of parts between the cuts; None where too few were answered with cuts."""
        answered = self.would_be.total()
        if answered < FEWEST:
            return None
        return (1.0 - self.troubled / self.parts) * self.would_be["escalate"] / answered


def consequence(
    traffic: Traffic, degree: Degree, capacity_per_hour: float | None, fallback: Fate
) -> str:
    """One sentence that says what a degree would do, before it is set."""
    share, per_hour = traffic.asked_share(degree), traffic.per_hour
    if share is None or per_hour is None:
        return f"{degree}: too little is recorded with cuts in force to say what it would do"
    asked = share * per_hour
    said = f"{degree}: of {per_hour:,.0f} parts/h, {asked:,.0f} ({share:.0%}) would go to persons"
    if degree == "full":
        said += f"; {traffic.unsure_share or 0.0:.1%} of parts, unsure, rejected"
    if capacity_per_hour is None:
        return f"{said}; escalation.answers_per_hour is not configured"
    said += f"; capacity is {capacity_per_hour:,.0f}/h"
    if asked <= capacity_per_hour:
        return said
    word = "hold" if fallback == "hold" else "reject"
    return f"{said}; the fall-back would {word} the rest ({asked - capacity_per_hour:,.0f}/h)"
