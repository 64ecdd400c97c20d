"""Which live limits follow from how the model and its calibration are. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.decision.automation import Limit

FAILING_S = 10.0
DEATHS_IN_A_MINUTE = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tend thread knows about the model just now.

    `no_model` and `no_cuts` say in words why there is none. `away_s` is how long the child has
    been unable to answer, `deaths` how often it died within the last minute.
    """

    no_model: str | None = None
    no_cuts: str | None = None
    uncertified: bool = False
    allow_uncertified: bool = False
    unconfirmed: tuple[str, ...] = ()
    away_s: float = 0.0
    deaths: int = 0


def live_limits(facts: Facts) -> tuple[Limit, ...]:
    """Every limit that holds while these facts do."""
    found: list[Limit] = []
    if facts.no_model is not None:
        found.append(Limit("no_model", "human_only", facts.no_model))
    if facts.away_s >= FAILING_S:
        found.append(Limit("model_failing", "human_only", "the model has not answered for 10 s"))
    if facts.deaths >= DEATHS_IN_A_MINUTE:
        reason = "the model died three times within a minute"
        found.append(Limit("model_dying", "human_only", reason))
    if facts.no_cuts is not None:
        found.append(Limit("no_calibration", "shadow", facts.no_cuts))
    elif facts.uncertified and not facts.allow_uncertified:
        reason = "the cuts are not certified and decision.allow_uncertified is not set"
        found.append(Limit("uncertified", "shadow", reason))
    if facts.unconfirmed:
        reason = f"the bundle has guessed fields: {', '.join(facts.unconfirmed)}"
        found.append(Limit("unconfirmed", "shadow", reason))
    return tuple(found)
