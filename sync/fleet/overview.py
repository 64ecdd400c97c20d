"""Everything that `fleet status` tells, read from the central database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.fleet import plan as plans
from sync.fleet.ending import ending
from sync.fleet.following import AWAY_FROM_IT, Member, Seen, follow
from sync.fleet.knowing import members_of
from sync.fleet.plan import PlanError
from sync.fleet.roles import Roles
from sync.fleet.rollout_tables import assignments, bundles, model_states, orders, rollouts
from sync.fleet.said import Desired, Said, read
from sync.fleet.standing import Course, Standing, Trouble, standing
from sync.fleet.tables import stations

OPEN = ("pending", "running", "paused")
FEW = 3
"""Of those that are over."""


@dataclass(frozen=True, slots=True)
class Overview:
    """One moment: roll-outs, the newest first, every station that is known, by name, and what is
    wrong with the fleet's own documents. `missed`: stations that are in no roll-out, and the newest
    one whose targets would name them: they were first heard after it was ordered."""

    courses: tuple[Course, ...]
    stations: tuple[Standing, ...]
    troubles: tuple[Trouble, ...] = ()
    missed: Mapping[str, Course] = field(default_factory=dict)


def overview(
    connection: Connection, now: float, targets: tuple[str, ...] = (), every: bool = False
) -> Overview:
    """What is known at this wall time; with `targets` only of the stations that they name. Of
    roll-outs that are over, the newest in which a station still is; with `every` all of them."""
    assigned = _assigned(connection)
    said = _said(connection)
    told = [_course(connection, row, said, assigned) for row in _rollouts(connection)]
    courses = [one for one in told if one is not None]
    statuses = {
        row.station: (row.status, row.at, row.delivery)
        for row in connection.execute(sa.select(stations))
    }
    places: dict[str, tuple[str, Member]] = {}
    for course in reversed(courses):  # the newest has the word
        for member in course.members:
            if member.state not in AWAY_FROM_IT or member.station not in places:
                places[member.station] = course.id, member
    names = sorted({*statuses, *assigned, *said, *places})
    shown = [one for one in names if not targets or plans.matches(targets, one)]
    over = [one for one in courses if one.state not in OPEN and (every or _holds(one, places))]
    return Overview(
        (
            *[one for one in courses if one.state in OPEN],
            *(over if every else over[:FEW]),
        ),
        tuple(
            standing(one, statuses.get(one), said.get(one), assigned.get(one), places.get(one), now)
            for one in shown
        ),
        tuple(ending(Roles(connection, "").newest, now)),
        _missed(courses, [one for one in shown if one not in places], said),
    )


def _holds(course: Course, places: Mapping[str, tuple[str, Member]]) -> bool:
    """Whether a station is still where this roll-out has brought it."""
    stations = [one.station for one in course.members if one.state not in AWAY_FROM_IT]
    return any(places[station][0] == course.id for station in stations)


def _missed(
    courses: Iterable[Course], stations: Iterable[str], said: Mapping[str, Said]
) -> dict[str, Course]:
    """Those that have ended a bundle before were left out on purpose."""
    live = [one for one in courses if one.state not in ("cancelled", "rolled_back")]
    found = {}
    for station in stations:
        ended = {one.bundle for one in said[station].refused} if station in said else set()
        named = (
            one
            for one in live
            if one.bundle not in ended and plans.matches(one.plan.targets, station)
        )
        if newest := next(named, None):
            found[station] = newest
    return found


def _rollouts(connection: Connection) -> list[Any]:
    """With the names of their bundles, the newest first."""
    query = (
        sa.select(rollouts, bundles.c.name, bundles.c.version)
        .join(bundles, bundles.c.digest == rollouts.c.digest, isouter=True)
        .order_by(rollouts.c.at.desc(), rollouts.c.id.desc())
    )
    return list(connection.execute(query).all())


def _course(
    connection: Connection,
    row: Any,
    said: Mapping[str, Said],
    assigned: Mapping[str, Desired],
) -> Course | None:
    try:
        plan = plans.parse(row.plan)
    except PlanError:
        return None  # of a later version
    own = members_of(connection, row.id)
    # The tables have their states; shares and figures are what the stations say.
    followed = [_with_figures(one, row, said, assigned) for one in own]
    return Course(
        row.id,
        row.digest,
        row.name or "",
        row.version or "",
        row.state,
        row.why,
        plan,
        row.wave + 1,
        max((one.wave for one in own), default=0) + 1,
        row.by,
        row.reason,
        row.at,
        tuple(followed),
        _resumed(connection, row.id),
    )


def _resumed(connection: Connection, rollout: str) -> tuple[str, str] | None:
    query = sa.select(orders).where(orders.c.kind == "resume").order_by(orders.c.at.desc())
    given = (
        row for row in connection.execute(query) if json.loads(row.answer)["rollout"] == rollout
    )
    newest = next(given, None)
    return None if newest is None else (newest.by, newest.at)


def _with_figures(
    member: Member, row: Any, said: Mapping[str, Said], assigned: Mapping[str, Desired]
) -> Member:
    newest = assigned.get(member.station)
    if newest is None or newest.rollout != row.id:
        return member
    return follow(member, row.id, row.digest, Seen(said.get(member.station), row.id))


def _assigned(connection: Connection) -> dict[str, Desired]:
    query = sa.select(assignments.c.station, assignments.c.body)
    found = {}
    for row in connection.execute(query):
        content = json.loads(row.body)
        file = content["bundle"]
        names = (content["rollout"], content["action"], file["name"], file["version"])
        found[row.station] = Desired(file["digest"], content["serial"], *names)
    return found


def _said(connection: Connection) -> dict[str, Said]:
    query = sa.select(model_states.c.station, model_states.c.body)
    read_all = {row.station: read(row.body, row.station) for row in connection.execute(query)}
    return {station: said for station, said in read_all.items() if said is not None}
