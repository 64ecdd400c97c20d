"""Where stations stand with their models, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from edge.cli.push_again import command
from sync.refusals import REFUSALS

if TYPE_CHECKING:
    from sync.fleet.overview import Overview
    from sync.fleet.said import Trial
    from sync.fleet.standing import Course, Standing

SCHEMA = "fleet-status/1"
HEADING = ("station", "desired", "running", "candidate", "progress", "here")
NOTHING = "–"
NO_MEND = "nothing"
"""Of what a person ordered."""
MORE_LABELS = "edge-inspect calibrate … --apply at the station, with more labelled pictures"
NOT_BY_LABELS = (
    "edge-inspect calibrate … --apply at the station, with pictures that it was not trained on; or "
    "push it again with --not-trained-on-station-pictures, where these are such"
)


def as_json(store: str, found: Overview) -> dict[str, object]:
    """One object: docs/fleet.md lists the members."""
    missed = found.missed
    return {
        "schema": SCHEMA,
        "store": store,
        "troubles": [asdict(trouble) for trouble in found.troubles],
        "rollouts": [_course(one) for one in found.courses],
        "stations": [
            {**_station(one), "missed": missed[one.station].id if one.station in missed else None}
            for one in found.stations
        ],
    }


def lines(found: Overview) -> Iterator[str]:
    """Roll-outs, the table, and then in words what is not as it should be."""
    for trouble in found.troubles:
        yield f"{trouble.name}: {trouble.what}"
        yield f"  → {trouble.mend}"
    for course in found.courses:
        yield from _heading(course)
    if found.courses:
        yield ""
    if not found.stations:
        yield "No station was ever heard, and none was assigned anything."
        return
    rows = [HEADING, *(_columns(one) for one in found.stations)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(HEADING))]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    for one in found.stations:
        yield from _remarks(one)
    for station, course in found.missed.items():
        yield f"{station}: not in {course.id}: it was first heard after that was pushed"
    for course in {course.id: course for course in found.missed.values()}.values():
        yield f"  → {command(course.bundle, course.plan)}"


def _heading(course: Course) -> Iterator[str]:
    counts = ", ".join(f"{count} {state}" for state, count in course.counts().items())
    bundle = f"{course.name} {course.version}".strip() or course.bundle[:12]
    wave = (
        ""
        if course.state in ("done", "cancelled", "rolled_back")
        else (f", wave {course.wave} of {course.waves}")
    )
    yield (
        f"{course.id}: {course.state.replace('_', ' ')}{wave}; {bundle}, {course.plan.strategy}; "
        f"{course.succeeded} of {len(course.members)} there ({counts})"
    )
    if course.unjudged:
        yield f"  at {course.unjudged} of them nothing that it decides was compared"
    if course.why:
        yield f"  {course.why}"
    if course.resumed and course.state in ("running", "paused"):
        known = course.accepted()
        yield (
            f"  resumed by {course.resumed[0]}, {course.resumed[1]}: what was known counts no more"
            f" ({known.compared} parts, {known.permissive} accepted wrongly, {known.escalations}"
            f" more escalated, {known.overkill} more rejected, {known.deaths} deaths)"
        )
    if course.state == "pending":
        yield "  → edge-inspect fleet keys list tells what waits for whom"
    if course.state == "paused":
        yield f"  → edge-inspect fleet resume {course.id}, or fleet rollback {course.id}"


def _columns(one: Standing) -> tuple[str, ...]:
    assigned, running = one.assigned, one.running
    desired = NOTHING
    if assigned is not None:
        word = "" if assigned.action == "run" else f" ({assigned.action})"
        desired = f"{assigned.name} {assigned.version}{word}"
    here = "yes"
    if one.offline_since is not None:
        here = f"offline since {one.offline_since}" if one.offline_since else "never heard"
    elif one.line == "down":
        here = "yes, its line is down"
    runs = NOTHING if running is None else f"{running.name} {running.version}"
    return one.station, desired, runs, _candidate(one), _progress(one), here


def _candidate(one: Standing) -> str:
    trial = one.candidate
    if trial is not None:
        return f"{trial.name} {trial.version} {trial.state}"
    if one.running is not None and one.running.trial is not None:
        return f"{one.running.name} {one.running.version} on trial"
    return NOTHING


def _progress(one: Standing) -> str:
    said, trial = one.said, one.candidate
    if trial is not None and trial.state == "needs_calibration":
        return "waits for labels"
    if trial is not None and trial.state == "canary" and trial.share is not None:
        return f"{trial.share:.0%} of parts, {trial.parts} seen"
    if trial is not None and trial.state == "shadow":
        return f"{trial.parts} parts seen"
    if one.running is not None and one.running.trial is not None:
        return f"{one.running.trial} parts to go"
    delivery = said.delivery if said else None
    if delivery is not None and delivery.state == "downloading" and delivery.size:
        return f"download {delivery.bytes / delivery.size:.0%}"
    if one.member is not None and one.member.state == "waiting":
        return f"waits for wave {one.member.wave + 1}"
    behind = one.assigned is not None and (
        said is None or said.desired is None or said.desired.serial < one.assigned.serial
    )
    return "not heard of it yet" if behind else NOTHING


def _remarks(one: Standing) -> Iterator[str]:
    for trouble in one.troubles:
        yield f"{one.station}: {trouble.name}: {trouble.what}"
        yield f"  → {trouble.mend}"
    trial = one.candidate
    if trial is not None and trial.state == "needs_calibration":
        yield f"{one.station}: {_needs(trial)}"
        yield f"  → {MORE_LABELS if any(trial.needed or ()) else NOT_BY_LABELS}"
    member = one.member
    if member is not None and member.state in ("rejected", "rolled_back"):
        word = member.state.replace("_", " ")
        yield f"{one.station}: {word}: {member.code or ''}: {member.why or 'no reason was given'}"
        if member.code in REFUSALS and REFUSALS[member.code].mend != NO_MEND:
            yield f"  → {REFUSALS[member.code].mend}"
    for refused in one.refused:
        if member is None or refused.why != member.why:
            name = f"{refused.name} {refused.version}".strip() or refused.bundle[:12]
            yield f"{one.station}: does not take {name} again: {refused.code}: {refused.why}"


def _needs(trial: Trial) -> str:
    good, defect = trial.needed or (0, 0)
    missing = f"; {good} good and {defect} defect are missing" if good or defect else ""
    until = f", waits until {trial.until}" if trial.until else ""
    why = trial.why or "the pictures there do not suffice"
    return f"{trial.name} {trial.version} cannot be calibrated: {why}{missing}{until}"


def _course(one: Course) -> dict[str, object]:
    return {
        "id": one.id,
        "bundle": {"digest": one.bundle, "name": one.name, "version": one.version},
        "state": one.state,
        "why": one.why,
        "wave": one.wave,
        "waves": one.waves,
        "succeeded": one.succeeded,
        "unjudged": one.unjudged,
        "counts": one.counts(),
        "by": one.by,
        "reason": one.reason,
        "at": one.at,
        "resumed": dict(zip(("by", "at"), one.resumed, strict=True)) if one.resumed else None,
        "plan": asdict(one.plan),
        "members": [asdict(member) for member in one.members],
    }


def _station(one: Standing) -> dict[str, object]:
    said = one.said
    trial = one.candidate
    waits = trial is not None and trial.state == "needs_calibration"
    return {
        "station": one.station,
        "offline_since": one.offline_since,
        "line": one.line,
        "desired": asdict(one.assigned) if one.assigned else None,
        "running": asdict(one.running) if one.running else None,
        "candidate": asdict(trial) if trial else None,
        "last": asdict(said.last) if said and said.last else None,
        "delivery": asdict(said.delivery) if said and said.delivery else None,
        "refused": [asdict(refused) for refused in one.refused],
        "rollout": one.rollout,
        "state": one.member.state if one.member else None,
        "code": one.member.code if one.member else None,
        "why": one.member.why if one.member else None,
        "waits_for_labels": list(trial.needed) if waits and trial and trial.needed else None,
        "waits_until": trial.until if waits and trial else None,
        "certificate_until": one.certificate_until,
        "troubles": [asdict(trouble) for trouble in one.troubles],
    }
