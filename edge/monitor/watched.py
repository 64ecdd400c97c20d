"""What the watched bounds have come to: figures and sentences for the status. Pure."""

from __future__ import annotations

from edge.monitor.betting import Rate
from edge.monitor.bounds import Bounds
from edge.monitor.power import ASSUMED_PREVALENCE, Instrument, Power, power

A_DAY = 1.0


def figures(bounds: Bounds, days: float) -> dict[str, object]:
    """The member `bounds` of the status file. `days` is how long this calibration has decided."""
    wanted, rates = bounds.wanted, bounds.rates
    shown = {name: _rate(rates[name], wanted.alpha) for name in rates}
    return {
        "parts": bounds.parts,
        "days": round(days, 2),
        "confidence": wanted.confidence,
        "escape": {"target": wanted.max_escape, "estimate": escape(bounds)},
        "slip": {"target": wanted.max_slip, **shown["slip"]},
        "overkill_of_rejects": shown["overkill"],
        "prevalence": shown["sampled"],
        "challenge": {
            "escape": {"target": wanted.max_escape, **shown["challenge_escape"]},
            "overkill": {"target": wanted.max_overkill, **shown["challenge_overkill"]},
        },
        "drift": bounds.drift.figures(),
        "open_checks": len(bounds.open_checks),
        "broken": bounds.broken(),
        "power": [one.as_json() for one in powers(bounds, days)],
    }


def escape(bounds: Bounds) -> float | None:
    """The share of defects that were accepted, from spot checks; None before one was found."""
    every = bounds.rates["sampled"]
    weights = sum(level.found / p for p, level in every.levels.items())
    accepted = sum(level.found / p for p, level in bounds.rates["slip"].levels.items())
    return accepted / weights if weights else None


def powers(bounds: Bounds, days: float) -> list[Power]:
    """What each instrument would notice, and when."""
    watched, rates = bounds.watched, bounds.rates
    found = _spot_checks(bounds, days)
    for name, rate, kind in (
        ("challenge_escape", "escape rate", "defective"),
        ("challenge_overkill", "overkill rate", "good"),
    ):
        timeline = watched[name]
        a_day = rates[name].answered / max(days, A_DAY)
        look = f"{kind} challenge parts"
        found += power(
            Instrument("challenge parts", rate, look, timeline.limit, timeline.between, a_day)
        )
    return found


def _spot_checks(bounds: Bounds, days: float) -> list[Power]:
    watched, sampled, slip = bounds.watched, bounds.rates["sampled"], bounds.rates["slip"]
    sampled_a_day = _a_day(bounds, sampled, days)
    prevalence = sampled.estimate() if sampled.found else None
    share = ASSUMED_PREVALENCE if prevalence is None else prevalence
    how = "assumed" if prevalence is None else "found so far"
    escapes = watched["escape_bound"]
    found = power(
        Instrument(
            "spot checks",
            "escape rate",
            "defects among the parts drawn",
            escapes.limit,
            escapes.between,
            sampled_a_day * share,
            f" at a prevalence of {share:.2g}, {how}",
        )
    )
    if "slip_bound" in watched:
        limit, between = watched["slip_bound"].limit, watched["slip_bound"].between
        a_day = _a_day(bounds, slip, days)
        found += power(Instrument("spot checks", "slip", "answers", limit, between, a_day))
    return found


def _a_day(bounds: Bounds, rate: Rate, days: float) -> float:
    """Answers a day: those that came; within the first day those that the budget plans."""
    if days >= A_DAY:
        return rate.answered / days
    sure = bounds.rates["slip"].seen + bounds.rates["overkill"].seen
    return bounds.wanted.checks_per_day * (rate.seen / sure if sure else 1.0)


def _rate(rate: Rate, alpha: float) -> dict[str, object]:
    low, high = rate.bounds(alpha)
    estimate = rate.estimate()
    return {
        "parts": rate.seen,
        "answered": rate.answered,
        "unanswered": rate.unanswered,
        "found": rate.found,
        "estimate": estimate,
        "lower": low,
        "upper": high,
    }
