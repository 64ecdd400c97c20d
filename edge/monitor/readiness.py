"""Whether a station in shadow is ready for *partial*: persons' answers against the model's. Pure.

Only answers that the model's own answer cannot have led (shadow hides it) and about parts drawn
independently of the score count; the caller leaves the others out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.monitor.share import Share, share
from edge.records import Decision

Verdict = str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the plant asks for before the model may decide."""

    max_escape: float
    max_overkill: float
    confidence: float
    answers_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The figures, and everything that still speaks against *partial* (nothing: ready).

    `agreement`: share of answers equal to what the model would have decided, where it was sure.
    `escape`: share of the defects (by the persons) that it would have accepted. `overkill`: share
    of the good parts that it would have rejected. `asked_per_hour`: what would go to persons.
    """

    answers: int
    agreement: Share
    escape: Share
    overkill: Share
    asked_per_hour: float | None
    because: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.because

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "ready": self.ready,
            "because": list(self.because),
            "answers": self.answers,
            "agreement": self.agreement.as_json(),
            "escape": self.escape.as_json(),
            "overkill": self.overkill.as_json(),
            "asked_per_hour": self.asked_per_hour,
        }

    def in_words(self) -> list[str]:
        """For people, a line each."""
        asked = self.asked_per_hour
        lines = [
            f"answers to parts that were shown blindly: {self.answers}",
            f"agreement where the model was sure: {in_words(self.agreement)}",
            f"would-be escapes, of the defects: {in_words(self.escape)}",
            f"would-be overkill, of the good parts: {in_words(self.overkill)}",
            "would go to persons in partial: "
            + ("not known" if asked is None else f"{asked:,.0f} parts/h"),
        ]
        if self.ready:
            return [*lines, "ready for partial: yes"]
        return [*lines, "ready for partial: not yet, because", *(f"  {b}" for b in self.because)]


def readiness(
    answers: Iterable[tuple[Decision, Verdict]],
    wanted: Wanted,
    asked_per_hour: float | None,
    obstacles: Iterable[str] = (),
) -> Readiness:
    """Judge (what the model would have decided, what the person said) of every answered part.

    `obstacles` are reasons that stand outside the figures, such as a calibration that is missing.
    An observed rate speaks against *partial* only when its whole interval lies above the target:
    the targets themselves are certified by the calibration, not by these few answers.
    """
    pairs = [pair for pair in answers if pair[1] in ("accept", "reject")]
    sure = [(model, person) for model, person in pairs if model != "escalate"]
    defects = [model for model, person in pairs if person == "reject"]
    good = [model for model, person in pairs if person == "accept"]
    agreed = share(sum(m == p for m, p in sure), len(sure), wanted.confidence)
    escape = share(defects.count("accept"), len(defects), wanted.confidence)
    overkill = share(good.count("reject"), len(good), wanted.confidence)
    against = list(obstacles)
    if not pairs:
        against.append("no person has answered yet about a part that was drawn blindly")
    elif not defects:
        against.append("none of these parts was a defect: nothing is known about would-be escapes")
    elif not good:
        against.append("none of these parts was good: nothing is known about would-be overkill")
    against += _broken("escape", escape, wanted.max_escape)
    against += _broken("overkill", overkill, wanted.max_overkill)
    capacity = wanted.answers_per_hour
    if asked_per_hour is None:
        against.append("too little is recorded with cuts in force to say how many would be asked")
    if asked_per_hour is not None and capacity is not None and asked_per_hour > capacity:
        against.append(
            f"{asked_per_hour:,.0f} parts/h would go to persons, who can answer {capacity:,.0f}"
        )
    return Readiness(len(pairs), agreed, escape, overkill, asked_per_hour, tuple(against))


def in_words(found: Share) -> str:
    """The share, its counts and its interval."""
    if found.value is None:
        return "nothing to count"
    return f"{found.value:.1%} ({found.count} of {found.n}; {found.low:.1%} to {found.high:.1%})"


def _broken(name: str, found: Share, target: float) -> list[str]:
    if found.value is None or found.low <= target:
        return []
    return [f"the would-be {name} rate is {in_words(found)}, above the target of {target:.1%}"]
