"""Roll-outs go on: one transaction at a time, at whichever `fleet serve` has the turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.fleet import tables
from sync.fleet.database import Database
from sync.fleet.following import Member, Seen
from sync.fleet.giving import Fault, Giving, Signer
from sync.fleet.knowing import Knowing, Known
from sync.fleet.publisher import Allowed
from sync.fleet.rollout import Decision, decide
from sync.fleet.rollout_tables import assignments, evidence, members, model_states, rollouts
from sync.fleet.said import Evidence

RENEW_EVERY_S = 600.0
"""How often it is asked whether something must be signed anew."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What is true after a turn. `stamps` is for each assigned station the version of the timestamp
    that vouches for it; `mine` are those that this turn has assigned. `news` is for the log,
    `faults` are those of roll-outs that cannot go on. With `more` there is more to do at once."""

    allowed: Mapping[str, Allowed]
    stamps: Mapping[str, int]
    mine: frozenset[str]
    news: tuple[str, ...]
    more: bool
    faults: tuple[Fault, ...] = ()


class Advance:
    """Takes turns. Several processes may share one PostgreSQL: a turn begins with a row lock and
    reads everything anew, so that it does not matter whose it is. `wall` gives seconds since 1970,
    `text` the same as it is stored.
    """

    def __init__(
        self,
        database: Database,
        signer: Signer,
        wall: Callable[[], float],
        text: Callable[[float], str],
    ) -> None:
        self._database = database
        self._signer = signer
        self._wall = wall
        self._text = text
        self._knowing = Knowing()
        self._giving = Giving(signer, text)
        self._renew_at = 0.0

    def turn(self, heard: Mapping[str, str], taken: Mapping[str, int]) -> Turn:
        """Keep what stations said (`heard`, as JSON) and which packs a broker has `taken` (versions
        of the timestamp), then let every roll-out go on. All or nothing.

        Raises `sync.fleet.database.DatabaseError`, and whatever the signer raises.
        """
        now = self._wall()
        with self._database.transaction() as connection:
            _lock(connection)
            self._signer.open(connection)
            self._keep(connection, heard, self._text(now))
            _mark(connection, taken)
            told = self._knowing.newest(connection)
            known = self._knowing.rollouts(connection, told)
            seen = self._knowing.seen(connection, known, told, now)
            self._giving.begin(known, now)
            decided = [self._decide(one, what, now) for one, what in zip(known, seen, strict=True)]
            given = self._giving.give(connection, known, decided, told, now)
            for one, decision in zip(known, decided, strict=True):
                self._store(connection, one, decision, given.by_station, self._text(now))
            if now >= self._renew_at or now < self._renew_at - 2 * RENEW_EVERY_S:
                self._renew_at = now + RENEW_EVERY_S
                self._signer.renew(connection)
            told = self._knowing.newest(connection)
            return Turn(
                {station: one.file for station, one in told.items()},
                {station: one.signed for station, one in told.items() if one.signed},
                frozenset(given.by_station),
                tuple(_news(known, decided)),
                given.more,
                tuple(self._giving.faults.values()),
            )

    def _decide(self, one: Known, seen: Mapping[str, Seen], now: float) -> Decision:
        """What is to change; nothing where that cannot be said: others go on."""
        if one.rollout.id in self._giving.faults:
            return Decision(one.rollout)
        try:
            return decide(one.rollout, one.members, seen)
        except Exception as error:
            self._giving.fault(one.rollout.id, error, now)
            return Decision(one.rollout)

    def _keep(self, connection: Connection, heard: Mapping[str, str], at: str) -> None:
        if not heard:
            return
        insert = self._database.insert(model_states)
        changed = model_states.c.body != insert.excluded.body
        statement = insert.on_conflict_do_update(
            index_elements=["station"],
            set_={"at": insert.excluded.at, "body": insert.excluded.body},
            where=changed,  # what a broker only repeats is no news
        )
        rows = [{"station": one, "at": at, "body": body} for one, body in sorted(heard.items())]
        connection.execute(statement, rows)

    def _store(
        self,
        connection: Connection,
        known: Known,
        decision: Decision,
        given: Mapping[str, tuple[str, int]],
        at: str,
    ) -> None:
        rollout, before = decision.rollout, {one.station: one for one in known.members}
        if rollout != known.rollout:
            columns = {"state": rollout.state, "why": rollout.why, "wave": rollout.wave}
            statement = sa.update(rollouts).where(rollouts.c.id == rollout.id)
            connection.execute(statement.values(**columns, changed_at=at))
        fresh = {order.station for order in decision.orders if order.fresh}
        shown: list[dict[str, object]] = []
        for member in decision.members:
            if member.station in fresh:
                got = given.get(member.station)
                if got is None or got[0] != rollout.id:
                    continue  # its turn comes later
                member = replace(member, serial=got[1])  # noqa: PLW2901
            if _columns(member) != _columns(before[member.station]):
                statement = sa.update(members).where(
                    members.c.rollout == rollout.id, members.c.station == member.station
                )
                connection.execute(statement.values(**_columns(member), changed_at=at))
            if member.evidence != before[member.station].evidence:
                told = {"shown": _text(member.evidence), "serial": member.serial}
                shown.append({"rollout": rollout.id, "station": member.station, **told})
        self._show(connection, shown)

    def _show(self, connection: Connection, rows: list[dict[str, object]]) -> None:
        """What was accepted of an attempt stays so; of a new one nothing was."""
        if not rows:
            return
        insert = self._database.insert(evidence)
        news, columns = insert.excluded, evidence.c
        kept = sa.case((columns.serial == news.serial, columns.accepted), else_=None)
        statement = insert.on_conflict_do_update(
            index_elements=["rollout", "station"],
            set_={"serial": news.serial, "shown": news.shown, "accepted": kept},
        )
        connection.execute(statement, rows)


def _lock(connection: Connection) -> None:
    """Nobody else takes a turn or gives orders (`sync/fleet/orders.py`) until this ends."""
    query = sa.select(tables.meta.c.value).where(tables.meta.c.key == "store")
    connection.execute(query.with_for_update()).all()


def _mark(connection: Connection, taken: Mapping[str, int]) -> None:
    columns = assignments.c
    for station, stamp in sorted(taken.items()):
        own = sa.and_(columns.station == station, columns.published < stamp)
        connection.execute(sa.update(assignments).where(own).values(published=stamp))


def _text(one: Evidence) -> str:
    return json.dumps(asdict(one), separators=(",", ":"))


def _columns(member: Member) -> dict[str, object]:
    names = ("wave", "state", "serial", "code", "why")
    return {name: getattr(member, name) for name in names}


def _news(known: Iterable[Known], decided: Iterable[Decision]) -> Iterable[str]:
    for one, decision in zip(known, decided, strict=True):
        before, after = one.rollout, decision.rollout
        if (before.state, before.wave) != (after.state, after.wave):
            why = f": {after.why}" if after.why else ""
            yield f"{after.id} is {after.state}, wave {after.wave + 1}{why}"
