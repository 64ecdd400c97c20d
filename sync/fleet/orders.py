"""What persons order, each order once: into the tables, within one transaction.

An order comes from a command that writes the database itself, or through a file from `fleet serve`,
which writes it then: the same code. An order that is refused changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.assignment import BundleFile
from sync.fleet import metadata, shelf, tables, words
from sync.fleet.ceremony import Ceremony, read_offer
from sync.fleet.folder import RepositoryError
from sync.fleet.order import Order, OrderRefused, check
from sync.fleet.plan import Plan, PlanError, parse, waves_of
from sync.fleet.repository import Parcel, Repository, iso
from sync.fleet.roles import PENDING, Roles
from sync.fleet.rollout_tables import evidence, members, orders, rollouts
from sync.topics import Station, TopicError

FAILED = ("rejected", "rolled_back", "refused")
OPEN = ("running", "paused")
WAITS = "pending"
"""State of a roll-out whose bundle is not signed by enough persons yet."""
Answer = dict[str, Any]


class Orders:
    """Applies orders. `data` gives the file of this sha256 that came with an order; it raises
    OSError where there is none."""

    def __init__(self, repository: Repository, data: Callable[[str], bytes]) -> None:
        self._repository = repository
        self._ceremony = Ceremony(repository)
        self._data = data
        self._kinds: dict[str, Callable[[Connection, Order], Answer]] = {
            "push": self._push,
            "pause": self._pause,
            "resume": self._resume,
            "rollback": self._rollback,
            "offer": self._offer,
            "sign": self._sign,
            "discard": self._discard,
        }

    def apply(self, connection: Connection, order: Order) -> Answer:
        """Carry an order out, or repeat the answer that it got before. Raises OrderRefused: then
        the transaction must not be committed."""
        _lock(connection)
        query = sa.select(orders.c.answer).where(orders.c.id == order.id)
        known = connection.execute(query).scalar()
        if known is not None:
            found: Answer = json.loads(known)
            return found
        if order.kind not in self._kinds:
            raise OrderRefused(f"this version knows no order {order.kind!r}", "update it")
        try:
            answer = self._kinds[order.kind](connection, order)
        except (RepositoryError, metadata.MetadataError) as error:
            raise OrderRefused(str(error), getattr(error, "mend", "report it")) from error
        answer |= {"account": order.account, "reason": order.body.get("reason")}
        row = {"id": order.id, "kind": order.kind, "by": order.by, "at": self._now()}
        connection.execute(sa.insert(orders).values(**row, answer=json.dumps(answer)))
        return answer

    def _push(self, connection: Connection, order: Order) -> Answer:
        body, plan = order.body, _plan(order.body)
        parcel, stations = self._parcel(body), _stations(body)
        rollout = str(body["rollout"])
        if connection.execute(sa.select(rollouts).where(rollouts.c.id == rollout)).first():
            raise OrderRefused(f"there is a roll-out {rollout} already", "push again")
        taken = shelf.versions(connection, parcel.name).get(parcel.version, parcel.digest)
        if taken != parcel.digest:
            raise OrderRefused(
                f"another bundle was pushed as {parcel.name} {parcel.version} before",
                "give this one a version of its own",
            )
        check(plan, parcel.as_file(), order.by)
        before = shelf.read(connection, parcel.digest)
        file = shelf.store(connection, parcel, order.by, self._now())
        roles = self._repository.open(connection)
        missing = self._list(roles, file, body)
        if missing and before not in (None, file):
            _not_under_way(connection, parcel)
        row = {"id": rollout, "digest": parcel.digest, "plan": plan.as_text(), "wave": 0}
        row |= {"state": WAITS if missing else "running", "by": order.by}
        row |= {"why": _missing(missing), "reason": body.get("reason"), "at": self._now()}
        connection.execute(sa.insert(rollouts).values(**row, changed_at=self._now()))
        waves = waves_of(stations, plan.waves, rollout, _here(connection))
        each = {"rollout": rollout, "state": "waiting", "changed_at": self._now()}
        rows = [{**each, "station": one, "wave": wave} for one, wave in sorted(waves.items())]
        connection.execute(sa.insert(members), rows)
        sizes = [list(waves.values()).count(wave) for wave in sorted({*waves.values()})]
        told = {"rollout": rollout, "state": row["state"], "missing": missing, "waves": sizes}
        return {**told, "stations": len(stations), "file": file.path, "size": file.size}

    def _list(self, roles: Roles, file: BundleFile, body: Mapping[str, Any]) -> int:
        """See to it that the bundle is listed, now or with the signatures that are missing."""
        if metadata.lists(self._repository.document(roles, "targets"), file):
            return 0
        missing = self._ceremony.offer(roles, read_offer(body))
        coming = f"{PENDING}targets" if missing else "targets"
        if not metadata.lists(self._repository.document(roles, coming), file):
            raise OrderRefused("another bundle than this was signed", "push it again")
        return missing

    def _pause(self, connection: Connection, order: Order) -> Answer:
        return self._turn(connection, order, ("running",), "paused")

    def _resume(self, connection: Connection, order: Order) -> Answer:
        """Also tries those again that failed. What the others have shown so far is accepted."""
        answer = self._turn(connection, order, ("paused",), "running")
        known = sa.update(evidence).where(evidence.c.rollout == answer["rollout"])
        connection.execute(known.values(accepted=evidence.c.shown))
        own = sa.and_(members.c.rollout == answer["rollout"], members.c.state.in_(FAILED))
        news = {"state": "waiting", "code": None, "why": None, "changed_at": self._now()}
        tried = connection.execute(sa.update(members).where(own).values(**news))
        return {**answer, "again": tried.rowcount}

    def _rollback(self, connection: Connection, order: Order) -> Answer:
        """Of one that waits for signatures, it is the end of what waits, too."""
        row = _rollout(connection, str(order.body["rollout"]))
        if row.state == WAITS:
            self._ceremony.discard(self._repository.open(connection))
            return self._turn(connection, order, (WAITS,), "cancelled")
        state = "cancelled" if order.body.get("keep_active") else "rolled_back"
        return self._turn(connection, order, (*OPEN, "done", "cancelled"), state)

    def _turn(
        self, connection: Connection, order: Order, before: Sequence[str], after: str
    ) -> Answer:
        row = _rollout(connection, str(order.body["rollout"]))
        if row.state not in before:
            raise OrderRefused(f"{row.id} is {row.state}", "edge-inspect fleet status")
        reason = order.body.get("reason")
        why = None if after == "running" else f"{order.by}: {reason}" if reason else order.by
        news = {"state": after, "why": why, "changed_at": self._now()}
        connection.execute(sa.update(rollouts).where(rollouts.c.id == row.id).values(**news))
        return {"rollout": row.id, "state": after}

    def _offer(self, connection: Connection, order: Order) -> Answer:
        roles = self._repository.open(connection)
        missing = self._ceremony.offer(roles, read_offer(order.body))
        self._still_listed(connection, roles, missing)
        return self._signed(connection, roles, missing)

    def _sign(self, connection: Connection, order: Order) -> Answer:
        roles = self._repository.open(connection)
        missing = self._ceremony.take(roles, order.body.get("signatures") or ())
        return self._signed(connection, roles, missing)

    def _discard(self, connection: Connection, order: Order) -> Answer:
        self._ceremony.discard(self._repository.open(connection))
        ended = sa.update(rollouts).where(rollouts.c.state == WAITS)
        news = {"state": "cancelled", "why": order.by, "changed_at": self._now()}
        return {"cancelled": connection.execute(ended.values(**news)).rowcount}

    def _signed(self, connection: Connection, roles: Roles, missing: int) -> Answer:
        """Roll-outs that waited begin with the last signature."""
        begun: list[str] = []
        waiting = sa.select(rollouts.c.id, rollouts.c.digest).where(rollouts.c.state == WAITS)
        targets = self._repository.document(roles, "targets")
        for row in connection.execute(waiting).all():
            file = shelf.read(connection, row.digest)
            news: dict[str, object] = {"why": _missing(missing)}
            if file is not None and metadata.lists(targets, file):
                news = {"why": None, "state": "running", "changed_at": self._now()}
                begun.append(row.id)
            connection.execute(sa.update(rollouts).where(rollouts.c.id == row.id).values(**news))
        root = self._repository.document(roles, "root").signed.version
        return {"missing": missing, "begun": begun, "root": root}

    def _still_listed(self, connection: Connection, roles: Roles, missing: int) -> None:
        """What is being rolled out is not struck off the list: it could not be assigned."""
        name = f"{PENDING}targets" if missing and roles.newest(f"{PENDING}targets") else "targets"
        listed = self._repository.document(roles, name)
        query = sa.select(rollouts.c.id, rollouts.c.digest).where(rollouts.c.state.in_(OPEN))
        for row in connection.execute(query).all():
            file = shelf.read(connection, row.digest)
            if file is not None and not metadata.lists(listed, file):
                raise OrderRefused(
                    f"{row.id} still rolls it out", f"edge-inspect fleet rollback {row.id}"
                )

    def _parcel(self, body: Mapping[str, Any]) -> Parcel:
        said = body.get("bundle")
        if not isinstance(said, dict):
            raise OrderRefused("the order names no bundle", "push it again")
        try:
            data = self._data(str(said["sha256"]))
            names = {name: said[name] for name in ("name", "version", "digest", "manifest")}
        except (OSError, KeyError) as error:
            raise OrderRefused(f"the bundle is not there: {error}", "push it again") from error
        if sha256(data).hexdigest() != said["sha256"]:
            raise OrderRefused("the bundle changed on its way", "push it again")
        return Parcel(data=data, **names)

    def _now(self) -> str:
        return iso(self._repository.wall())


def matching(connection: Connection, begin: str, states: Sequence[str]) -> list[str]:
    """The roll-outs whose id begins so, those that are over only where all are; for an empty
    beginning those in one of these states."""
    query = sa.select(rollouts.c.id, rollouts.c.state).order_by(rollouts.c.at)
    rows = connection.execute(query).all()
    if not begin:
        return [row.id for row in rows if row.state in states]
    named = [row for row in rows if row.id == begin] or [
        row for row in rows if row.id.startswith(begin)
    ]
    left = [row for row in named if row.state not in ("rolled_back", "cancelled")]
    return [row.id for row in left or named]


def _lock(connection: Connection) -> None:
    """Nobody else gives orders or takes a turn (`sync/fleet/advance.py`) until this ends."""
    query = sa.select(tables.meta.c.value).where(tables.meta.c.key == "store")
    connection.execute(query.with_for_update()).all()


def _rollout(connection: Connection, begin: str) -> Any:
    row = connection.execute(sa.select(rollouts).where(rollouts.c.id == begin)).one_or_none()
    if row is None:
        raise OrderRefused(f"there is no roll-out {begin!r}", "edge-inspect fleet status")
    return row


def _not_under_way(connection: Connection, parcel: Parcel) -> None:
    """A file that waits for signatures takes the place of one that is being rolled out: until they
    are there nothing could be ordered of that roll-out, not even that it stops."""
    query = sa.select(rollouts.c.id).where(
        rollouts.c.digest == parcel.digest, rollouts.c.state.in_(OPEN)
    )
    first = connection.execute(query.order_by(rollouts.c.at)).scalars().first()
    if first is not None:
        raise OrderRefused(
            f"{first} still rolls out {parcel.name} {parcel.version} in another file (the same "
            "model, confirmed since)",
            f"edge-inspect fleet rollback {first} --keep-active, then push it again",
        )


def _here(connection: Connection) -> set[str]:
    query = sa.select(tables.stations.c.station, tables.stations.c.status)
    said = {row.station: words.status(row.status) for row in connection.execute(query)}
    return {one for one, content in said.items() if content and content.get("sync") != "down"}


def _plan(body: Mapping[str, Any]) -> Plan:
    try:
        return parse(str(body.get("plan")))
    except PlanError as error:
        raise OrderRefused(str(error), "push it again") from error


def _stations(body: Mapping[str, Any]) -> list[str]:
    stations = body.get("stations")
    if not isinstance(stations, list) or not stations:
        raise OrderRefused("the order names no station", "--to SITE/LINE/STATION")
    try:
        return sorted({str(Station.parse(one)) for one in stations})
    except (TopicError, AttributeError) as error:
        raise OrderRefused(str(error), "--to SITE/LINE/STATION") from error


def _missing(count: int) -> str | None:
    return f"signatures are missing: {count}" if count else None
