"""Whether a roll-out must stop: the thresholds on what the lines themselves say. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sync.fleet.following import AWAY_FROM_IT, Member
from sync.fleet.plan import Plan

NO_FAULT_OF_THE_MODEL = frozenset({"not_calibrated", "ordered", "superseded"})
"""Codes of an end that say nothing against the bundle."""
FAILED = frozenset({"rejected", "rolled_back", "refused"})


def is_failed(member: Member) -> bool:
    """Whether a station has ended badly, or does not take the bundle."""
    return member.state in FAILED and member.code not in NO_FAULT_OF_THE_MODEL


def breached(plan: Plan, members: Sequence[Member]) -> str | None:
    """The first threshold that is exceeded, in words; None while all is well.

    Counts of all stations are added up: what is too little to be seen at one of them is seen over
    many. They are judged as they are, without an allowance for chance: to stop costs a look.
    """
    judged = [
        one
        for one in members
        if one.serial is not None and one.state not in AWAY_FROM_IT and one.state != "waiting"
    ]
    return _failed(plan, judged) or _deaths(plan, judged) or _shares(plan, judged)


def _failed(plan: Plan, judged: Sequence[Member]) -> str | None:
    failed = sorted(one.station for one in judged if is_failed(one))
    if len(failed) <= plan.thresholds.max_failed * len(judged):
        return None
    first = next(one for one in judged if one.station == failed[0])
    reason = f"{first.code}: {first.why}" if first.why else first.code or first.state
    share = f"{plan.thresholds.max_failed:.0%}"
    return f"{len(failed)} of {len(judged)} failed, and {share} may: {_names(failed)} ({reason})"


def _deaths(plan: Plan, judged: Sequence[Member]) -> str | None:
    dead = [one for one in judged if one.evidence.deaths > 0]
    deaths = sum(one.evidence.deaths for one in dead)
    if deaths <= plan.thresholds.max_deaths:
        return None
    names = _names(sorted(one.station for one in dead))
    return f"the model died {deaths} times, and {plan.thresholds.max_deaths} are allowed: {names}"


def _shares(plan: Plan, judged: Sequence[Member]) -> str | None:
    limits, parts = plan.thresholds, sum(one.evidence.compared for one in judged)
    if parts < max(1, limits.min_parts):
        return None
    for words, count, most in (
        (
            "accepts parts that the active model does not",
            sum(one.evidence.permissive for one in judged),
            limits.max_permissive,
        ),
        (
            "escalates more parts than the active model",
            sum(one.evidence.escalations for one in judged),
            limits.max_escalation_rise,
        ),
        (
            "rejects more good parts than the active model",
            sum(one.evidence.overkill for one in judged),
            limits.max_overkill_rise,
        ),
    ):
        if count > most * parts:
            return (
                f"the candidate {words}: {count} of {parts} parts at all stations together "
                f"({count / parts:.2%}), and {most:.2%} is allowed"
            )
    return None


def _names(stations: Sequence[str]) -> str:
    more = f" and {len(stations) - 3} more" if len(stations) > 3 else ""
    return ", ".join(stations[:3]) + more
