"""Roll-outs go on: one transaction at a time, at whichever `fleet serve` has the turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.assignment import Assignment, BundleFile
from sync.fleet import shelf, tables
from sync.fleet.database import Database, DatabaseError
from sync.fleet.following import Member
from sync.fleet.knowing import Knowing, Known, Newest
from sync.fleet.publisher import Allowed
from sync.fleet.rollout import Decision, Order, decide
from sync.fleet.rollout_tables import assignments, members, model_states, rollouts
from sync.fleet.said import Evidence

MOST_ORDERS = 100
"""Stations that are assigned in one transaction: records must not wait long for it."""

RENEW_EVERY_S = 600.0
"""How often it is asked whether something must be signed anew."""


class Signer(Protocol):
    """The repository, as far as a turn needs it: see `sync/fleet/repository.py`."""

    def open(self, connection: Connection) -> object:
        """Begin the documents where the database has none yet."""

    def assign(self, connection: Connection, words: Mapping[str, Assignment]) -> None:
        """Sign these and store them as the newest of their stations."""

    def renew(self, connection: Connection) -> bool:
        """Sign anew what expires soon; whether anything was."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What is true after a turn. `stamps` is for each assigned station the version of the timestamp
    that vouches for it; `mine` are those that this turn has assigned. `news` is for the log. With
    `more` there is more to do at once."""

    allowed: Mapping[str, Allowed]
    stamps: Mapping[str, int]
    mine: frozenset[str]
    news: tuple[str, ...]
    more: bool


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
        self._renew_at = 0.0
        self._evidence: dict[tuple[str, str, int | None], Evidence] = {}

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
            decided = [
                decide(one.rollout, self._with_evidence(one), what)
                for one, what in zip(known, seen, strict=True)
            ]
            self._remember(known, decided)
            given, more = self._give(connection, known, decided, told, now)
            for one, decision in zip(known, decided, strict=True):
                self._store(connection, one, decision, given, self._text(now))
            if now >= self._renew_at or now < self._renew_at - 2 * RENEW_EVERY_S:
                self._renew_at = now + RENEW_EVERY_S
                self._signer.renew(connection)
            told = self._knowing.newest(connection)
            return Turn(
                {station: one.file for station, one in told.items()},
                {station: one.signed for station, one in told.items() if one.signed},
                frozenset(given),
                tuple(_news(known, decided)),
                more,
            )

    def _with_evidence(self, one: Known) -> list[Member]:
        """The members with the figures that were last said of them."""
        return [
            replace(member, evidence=self._evidence.get(_attempt(one, member), member.evidence))
            for member in one.members
        ]

    def _remember(self, known: Sequence[Known], decided: Sequence[Decision]) -> None:
        before = {_attempt(one, member) for one in known for member in one.members}
        self._evidence = {key: said for key, said in self._evidence.items() if key in before}
        for one, decision in zip(known, decided, strict=True):
            for member in decision.members:
                self._evidence[_attempt(one, member)] = member.evidence

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

    def _give(
        self,
        connection: Connection,
        known: Sequence[Known],
        decided: Sequence[Decision],
        told: Mapping[str, Newest],
        now: float,
    ) -> tuple[dict[str, tuple[str, int]], bool]:
        """Sign the assignments that were decided; by station the roll-out and the serial. Of two
        roll-outs that want a station the newer one has it."""
        orders: dict[str, tuple[Known, Order]] = {}
        for one, decision in zip(reversed(known), reversed(decided), strict=True):
            for order in decision.orders:
                orders.setdefault(order.station, (one, order))
        # what stops a candidate goes before what begins one
        ranked = sorted(orders.items(), key=lambda each: (each[1][1].action == "run", each[0]))
        given, made = dict[str, tuple[str, int]](), dict[str, Assignment]()
        files: dict[str, BundleFile] = {}
        for station, (one, order) in ranked[:MOST_ORDERS]:
            digest = one.rollout.digest
            if digest not in files:
                files[digest] = _there(connection, digest)
            before = told[station].serial if station in told else 0
            serial = max(before + 1, int(now))  # also after a database was restored
            made[station] = _assignment(one, order, files[digest], serial, self._text(now))
            given[station] = one.rollout.id, serial
        if made:
            self._signer.assign(connection, made)
        return given, len(ranked) > MOST_ORDERS

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


def _lock(connection: Connection) -> None:
    """Nobody else takes a turn or gives orders (`sync/fleet/orders.py`) until this ends."""
    query = sa.select(tables.meta.c.value).where(tables.meta.c.key == "store")
    connection.execute(query.with_for_update()).all()


def _mark(connection: Connection, taken: Mapping[str, int]) -> None:
    columns = assignments.c
    for station, stamp in sorted(taken.items()):
        own = sa.and_(columns.station == station, columns.published < stamp)
        connection.execute(sa.update(assignments).where(own).values(published=stamp))


def _attempt(one: Known, member: Member) -> tuple[str, str, int | None]:
    return one.rollout.id, member.station, member.serial


def _columns(member: Member) -> dict[str, object]:
    names = ("wave", "state", "serial", "code", "why")
    return {name: getattr(member, name) for name in names}


def _assignment(one: Known, order: Order, file: BundleFile, serial: int, at: str) -> Assignment:
    plan = one.rollout.plan
    return Assignment(
        station=order.station,
        serial=serial,
        rollout=one.rollout.id,
        issued_at=at,
        by=one.by,
        action=order.action,
        bundle=file,
        strategy=plan.strategy,
        steps=plan.steps,
        promote=plan.promote,
        again=order.again,
        not_trained_on_yours=plan.not_trained_on_yours,
        limits=plan.limits,
    )


def _there(connection: Connection, digest: str) -> BundleFile:
    file = shelf.read(connection, digest)
    if file is None:
        raise DatabaseError(f"the bundle {digest} is not in the database", "push it again")
    return file


def _news(known: Iterable[Known], decided: Iterable[Decision]) -> Iterable[str]:
    for one, decision in zip(known, decided, strict=True):
        before, after = one.rollout, decision.rollout
        if (before.state, before.wave) != (after.state, after.wave):
            why = f": {after.why}" if after.why else ""
            yield f"{after.id} is {after.state}, wave {after.wave + 1}{why}"
