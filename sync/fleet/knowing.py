"""What the database knows of roll-outs and of their stations, read for a decision."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.assignment import Action
from sync.fleet import plan as plans
from sync.fleet import words
from sync.fleet.following import FOLLOWED, Member, Seen
from sync.fleet.plan import Plan, PlanError
from sync.fleet.publisher import Allowed
from sync.fleet.rollout import STATES, Rollout, State
from sync.fleet.rollout_tables import assignments, evidence, members, model_states, rollouts
from sync.fleet.said import Evidence, Said, read
from sync.fleet.tables import stations

OPEN = ("running", "paused")
NEVER = 1e12
"""Seconds that a station is away of which nobody has ever heard."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest assignment of a station; `file` is what it says to fetch."""

    serial: int
    rollout: str
    action: Action
    at: str
    signed: int
    file: Allowed
    again: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A roll-out with its members, and who ordered it."""

    rollout: Rollout
    by: str
    members: tuple[Member, ...]


@dataclass(slots=True)
class _Heard:
    at: str = ""
    said: Said | None = None


@dataclass(slots=True)
class _Status:
    at: str = ""
    here: bool = False


@dataclass(slots=True)
class Knowing:
    """Reads within the caller's transaction. What stations say is kept parsed, and read anew only
    where it has changed. Used from one thread."""

    _told: dict[str, Newest] = field(default_factory=dict)
    _heard: dict[str, _Heard] = field(default_factory=dict)
    _status: dict[str, _Status] = field(default_factory=dict)
    _plans: dict[str, Plan | None] = field(default_factory=dict)

    def newest(self, connection: Connection) -> dict[str, Newest]:
        """The newest assignment of every station that has one."""
        columns = assignments.c
        query = sa.select(
            columns.station, columns.serial, columns.rollout, columns.at, columns.signed
        )
        rows = {row.station: row for row in connection.execute(query)}
        found: dict[str, Newest] = {}
        for station, row in rows.items():
            before = self._told.get(station)
            if before is not None and (before.serial, before.at) == (row.serial, row.at):
                found[station] = replace(before, signed=int(row.signed))
                continue
            body = sa.select(columns.body).where(columns.station == station)
            found[station] = _told(row, bytes(connection.execute(body).scalar_one()))
        self._told = found
        return dict(found)

    def rollouts(self, connection: Connection, newest: Mapping[str, Newest]) -> list[Known]:
        """Those that may still ask something of a station, the oldest first. One whose plan this
        version cannot read is left alone."""
        columns = rollouts.c
        used = {one.rollout for one in newest.values()} | _with(connection, "waiting")
        back = _with(connection, "active")
        query = sa.select(rollouts).order_by(columns.at, columns.id)
        found = []
        for row in connection.execute(query):
            undone = row.state == "rolled_back" and row.id in back
            if row.state not in STATES or not (row.state in OPEN or row.id in used or undone):
                continue
            state, plan = cast(State, row.state), self._plan(row.plan)
            if plan is None:
                continue
            rollout = Rollout(row.id, row.digest, state, plan, row.wave, row.why)
            own = members_of(connection, row.id)
            if state not in OPEN:
                own = [
                    one
                    for one in own
                    if one.state == "waiting"
                    or (undone and one.state == "active")
                    or _is_newest(newest.get(one.station), row.id)
                ]
            found.append(Known(rollout, row.by, tuple(own)))
        return found

    def seen(
        self,
        connection: Connection,
        known: Sequence[Known],
        newest: Mapping[str, Newest],
        now: float,
    ) -> list[dict[str, Seen]]:
        """For each roll-out what is known of its stations, at this wall time."""
        self._hear(connection)
        self._look(connection)
        named: set[str] = set()
        busy = {
            member.station
            for one in known
            for member in one.members
            if one.rollout.state in OPEN
            and member.state in FOLLOWED
            and _is_newest(newest.get(member.station), one.rollout.id)
        }
        found: list[dict[str, Seen]] = []
        for one in reversed(known):
            found.append(
                {
                    member.station: replace(
                        self._one(member.station, newest, named, now), busy=member.station in busy
                    )
                    for member in one.members
                }
            )
            if one.rollout.state != "cancelled":
                named |= {member.station for member in one.members}
        return found[::-1]

    def _one(self, station: str, newest: Mapping[str, Newest], named: set[str], now: float) -> Seen:
        heard, told = self._heard.get(station), newest.get(station)
        return Seen(
            said=heard.said if heard else None,
            newest=told.rollout if told else None,
            action=told.action if told else None,
            again=told is not None and told.again,
            fresh=bool(heard and told and heard.at > told.at),
            offline_s=self._offline_s(station, now),
            named=station in named,
            refused_s=_refused_s(heard, now) if heard else 0.0,
        )

    def _offline_s(self, station: str, now: float) -> float | None:
        status = self._status.get(station)
        if status is None:
            return NEVER
        return None if status.here else max(0.0, now - seconds(status.at))

    def _hear(self, connection: Connection) -> None:
        for station, at in _news(connection, model_states, self._heard):
            query = sa.select(model_states.c.body).where(model_states.c.station == station)
            body = connection.execute(query).scalar()
            self._heard[station] = _Heard(at, read(body, station) if body else None)

    def _look(self, connection: Connection) -> None:
        for station, at in _news(connection, stations, self._status):
            query = sa.select(stations.c.status).where(stations.c.station == station)
            content = words.status(connection.execute(query).scalar() or "")
            here = content is not None and content.get("sync") != "down"
            self._status[station] = _Status(at, here)

    def _plan(self, text: str) -> Plan | None:
        if text not in self._plans:
            try:
                self._plans[text] = plans.parse(text)
            except PlanError:
                self._plans[text] = None
        return self._plans[text]


def _refused_s(heard: _Heard, now: float) -> float:
    """By the station's clock until it said so, by ours since then."""
    said = heard.said
    if said is None or said.refusal is None:
        return 0.0
    before = max(0.0, seconds(said.at) - seconds(said.refusal.at)) if said.refusal.at else 0.0
    return before + max(0.0, now - seconds(heard.at))


def seconds(at: str) -> float:
    """A time of the database, in seconds since 1970; 0 for a text that is none."""
    try:
        return datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _told(row: Any, body: bytes) -> Newest:
    """What was written by `sync/fleet/advance.py`, and signed: it is as it should be."""
    content = json.loads(body)
    file, action = content["bundle"], content["action"]
    allowed = Allowed(file["sha256"], file["size"], file["piece"])
    signed, again = int(row.signed), bool(content["again"])
    return Newest(int(row.serial), row.rollout, action, row.at, signed, allowed, again)


def members_of(connection: Connection, rollout: str) -> list[Member]:
    """The members of a roll-out, by name, with what they have shown so far."""
    own, shown = members.c, evidence.c
    same = sa.and_(
        shown.rollout == own.rollout, shown.station == own.station, shown.serial == own.serial
    )
    query = sa.select(members, shown.shown, shown.accepted).join(evidence, same, isouter=True)
    return [
        Member(
            row.station,
            row.wave,
            row.state,
            row.serial,
            row.code,
            row.why,
            evidence=_evidence(row.shown),
            accepted=_evidence(row.accepted),
        )
        for row in connection.execute(query.where(own.rollout == rollout).order_by(own.station))
    ]


def _evidence(text: str | None) -> Evidence:
    return Evidence(**json.loads(text)) if text else Evidence()


def _with(connection: Connection, state: str) -> set[str]:
    """The roll-outs that have a member in this state."""
    columns = members.c
    query = sa.select(columns.rollout).where(columns.state == state).distinct()
    return {row.rollout for row in connection.execute(query)}


def _is_newest(told: Newest | None, rollout: str) -> bool:
    return told is not None and told.rollout == rollout


def _news(
    connection: Connection, table: sa.Table, known: Mapping[str, Any]
) -> list[tuple[str, str]]:
    query = sa.select(table.c.station, table.c.at)
    return [
        (row.station, row.at)
        for row in connection.execute(query)
        if row.station not in known or known[row.station].at != row.at
    ]
