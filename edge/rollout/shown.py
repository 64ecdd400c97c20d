"""What the status and its alarms say about models. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from edge.records import utc
from edge.rollout import course
from edge.rollout.course import Known
from edge.rollout.probation import Probation
from edge.rollout.standing import Place, Standing

MOST_REFUSED = 20
"""So many refused bundles are listed, the newest first."""


def shown(
    standing: Standing, known: Known, figures: Mapping[str, object], core_share: float
) -> dict[str, object]:
    """The member `rollout` of the line's status, and of `model/state`. `figures` are those of the
    candidate that is there."""
    candidate, active = standing.candidate, standing.active
    left = None
    if candidate is not None and standing.on_trial and candidate.trial is not None:
        left = max(0, candidate.trial - known.decided)
    beside = standing.beside
    return {
        "running": {**_place(active), "trial": left} if active.digest else None,
        "previous": _place(standing.back) if standing.back is not None else None,
        "candidate": None if beside is None else _candidate(beside, known, figures),
        "last": _last(standing, figures),
        "refused": _refused(standing),
        "lost": None if standing.lost is None else _place(standing.lost),
        "shadow_core_share": round(core_share, 4),
    }


def ended_badly(standing: Standing) -> str | None:
    """How the last candidate ended, until somebody has noted it or another one came; None for one
    that came through, or that a person ended."""
    last = standing.last
    if last is None or standing.noted or standing.candidate is not None:
        return None
    if last.state not in ("rejected", "rolled_back") or last.code == "ordered":
        return None
    was = "was rolled back" if last.state == "rolled_back" else "was rejected"
    return f"{last.name} {last.version} {was} ({last.code}): {last.why}"


def _place(place: Place) -> dict[str, object]:
    return {
        "name": place.name,
        "version": place.version,
        "bundle": place.digest,
        "slot": place.slot,
        "calibration": place.calibration,
        "since": utc(place.since) if place.since else None,
    }


def _candidate(
    one: Probation, known: Known | None, figures: Mapping[str, object]
) -> dict[str, object]:
    orders, code, why = one.orders, one.code, one.why
    if known is not None and known.waits is not None:
        code, why = known.waits.code, known.waits.words
    elif known is not None and one.state != "needs_calibration":
        why = course.waits_for(one, known) or why
    needed = None if one.needed is None else {"good": one.needed[0], "defect": one.needed[1]}
    return {
        "name": one.name,
        "version": one.version,
        "bundle": one.digest,
        "state": one.state,
        "code": code,
        "why": why,
        "share": one.share,
        "serial": orders.serial,
        "rollout": orders.rollout,
        "by": orders.by,
        "since": utc(one.since),
        "paused": orders.rest,
        "parts": known.parts - one.base if known is not None else figures.get("parts", 0),
        "calibration": one.calibration,
        "needed": needed,
        "until": None if one.until is None else utc(one.until),
        "strategy": orders.strategy,
        "steps": list(orders.steps),
        "evidence": dict(figures),
    }


def _last(standing: Standing, figures: Mapping[str, object]) -> dict[str, object] | None:
    """The candidate that ended last; one that is on trial as the active model has done so, too."""
    if standing.on_trial and standing.candidate is not None:
        return _candidate(standing.candidate, None, figures)
    return None if standing.last is None else _candidate(standing.last, None, standing.figures)


def _refused(standing: Standing) -> list[dict[str, object]]:
    newest = reversed(list(standing.refused.items()))
    return [
        {
            "bundle": digest,
            "name": one.name,
            "version": one.version,
            "code": one.code,
            "why": one.why,
            "at": utc(one.at),
            "serial": one.serial,
        }
        for digest, one in list(newest)[:MOST_REFUSED]
    ]
