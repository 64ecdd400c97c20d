"""Whether a roll-out must stop: the thresholds on what the lines themselves say. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from sync.fleet.following import AWAY_FROM_IT, Member
from sync.fleet.plan import Plan

NO_FAULT_OF_THE_MODEL = frozenset(
    {"not_calibrated", "ordered", "superseded"}
    | {"wrong_clock", "expired", "not_stored", "no_trust_root"}
)
"""Codes of an end, or of a refused pack, that say nothing against the bundle: a clock that is right
again is no reason to order anything anew."""
CHANCE = 0.01
"""So seldom a share at its limit looks like one above it, at one look."""
FAILED = frozenset({"rejected", "rolled_back", "refused"})


def is_failed(member: Member) -> bool:
    """Whether a station has ended badly, or does not take the bundle."""
    return member.state in FAILED and member.code not in NO_FAULT_OF_THE_MODEL


def breached(plan: Plan, members: Sequence[Member]) -> str | None:
    """The first threshold that is exceeded, in words; None while all is well.

    What a person has accepted, by resuming the roll-out, does not count: only what came after it.
    Counts of all stations are added up: what is too little to be seen at one of them is seen over
    many. Stations and deaths are judged as they are: to stop costs a look. Shares of parts must lie
    above their limit by more than chance makes likely, since a better model differs too.
    """
    judged = [
        replace(one, evidence=one.evidence.beyond(one.accepted))
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
    most = f"at most {plan.thresholds.max_failed:.0%} may"
    return f"{len(failed)} of {len(judged)} failed, and {most}: {_names(failed)} ({reason})"


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
    for words, count, most, chance in (
        (
            "accepts parts that the active model rejects, or a person called defects:",
            sum(one.evidence.permissive for one in judged),
            limits.max_permissive,
            by_chance,
        ),
        (
            "escalates more parts than the active model:",
            sum(one.evidence.escalations for one in judged),
            limits.max_escalation_rise,
            rise_by_chance,
        ),
        (
            "rejects more good parts than the active model:",
            sum(one.evidence.overkill for one in judged),
            limits.max_overkill_rise,
            rise_by_chance,
        ),
    ):
        if chance(count, parts, most) < CHANCE:
            return (
                f"the candidate {words} {count} of {parts} parts at all stations together "
                f"({count / parts:.2%}), and {most:.2%} is allowed"
            )
    return None


def by_chance(count: int, n: int, share: float) -> float:
    """At least the probability of `count` or more among `n` where each has `share`, at most.

    exp(-n KL(count/n, share)): Hoeffding, JASA 58 (1963), theorem 1. 1 where `count` is no more
    than is to be expected.
    """
    seen, share = count / n, max(share, 1e-9)
    if seen <= share:
        return 1.0
    rest = 0.0 if seen >= 1 else (1 - seen) * math.log((1 - seen) / (1 - share))
    return math.exp(-n * (seen * math.log(seen / share) + rest))


def rise_by_chance(net: int, n: int, rise: float) -> float:
    """The same for a sum of `n` differences of -1, 0 or 1 whose mean is at most `rise`.

    exp(-n (net/n - rise)² / 2): the same source, theorem 2.
    """
    above = net / n - rise
    return 1.0 if above <= 0 else math.exp(-n * above * above / 2)


def _names(stations: Sequence[str]) -> str:
    more = f" and {len(stations) - 3} more" if len(stations) > 3 else ""
    return ", ".join(stations[:3]) + more
