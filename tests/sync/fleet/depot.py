"""A real repository with one bundle, and roll-outs as a push leaves them in the tables."""

from __future__ import annotations

import json
import random
from hashlib import sha256

import sqlalchemy as sa

from sync.assignment import parse
from sync.fleet import metadata, shelf
from sync.fleet.database import Database
from sync.fleet.plan import Plan, waves_of
from sync.fleet.repository import Parcel, Repository, iso
from sync.fleet.rollout_tables import assignments, members, rollouts

AT = "2026-11-20T12:00:00.000Z"
NOON = 1_795_176_000.0
OLD = "0" * 64


def bundle(size=100_000, seed=1, name="rings"):
    """A bundle's file of so many bytes; what it holds does not matter to the fleet."""
    data = random.Random(seed).randbytes(size)
    return Parcel(name, f"1.{seed}.0", sha256(data).hexdigest(), "name: rings\n", data)


def add_bundle(repository, connection, parcel, by="ann"):
    """Store a bundle, and list it by the targets' keys that are at hand, without an order."""
    file = shelf.store(connection, parcel, by, iso(repository.wall()))
    roles = repository.open(connection)
    if not metadata.lists(repository.document(roles, "targets"), file):
        repository.seal(roles, {"targets": repository.listing(roles, file)})
    return file


class Depot:
    """A repository in its folder, and its database."""

    def __init__(self, folder, database, wall=lambda: NOON):
        self.folder, self.database = folder, database
        self.repository = None if folder is None else Repository.create(folder, wall=wall)

    @classmethod
    def reading(cls, url):
        """Only to be asked: it holds up nobody."""
        return cls(None, Database(url, read_only=True))

    def add(self, parcel):
        with self.database.transaction() as connection:
            self.file = add_bundle(self.repository, connection, parcel)
        return self.file

    def begin(self, name, stations, plan=None, digest=None, at=AT):
        """As a push does."""
        plan = plan or Plan(("*/*/*",))
        row = {"id": name, "digest": digest or self.file.digest, "state": "running", "wave": 0}
        row |= {"plan": plan.as_text(), "by": "ann", "at": at, "changed_at": at}
        waves = waves_of(stations, plan.waves, name)
        rows = [
            {"rollout": name, "station": one, "wave": wave, "state": "waiting", "changed_at": at}
            for one, wave in waves.items()
        ]
        with self.database.transaction() as connection:
            connection.execute(sa.insert(rollouts), [row])
            connection.execute(sa.insert(members), rows)
        return waves

    def set(self, name, **columns):
        with self.database.transaction() as connection:
            connection.execute(sa.update(rollouts).where(rollouts.c.id == name).values(**columns))

    def rollout(self, name):
        with self.database.transaction() as connection:
            return connection.execute(sa.select(rollouts).where(rollouts.c.id == name)).one()

    def members(self, name):
        with self.database.transaction() as connection:
            query = sa.select(members).where(members.c.rollout == name)
            return {row.station: row for row in connection.execute(query)}

    def assigned(self):
        """The newest assignment of each station."""
        with self.database.transaction() as connection:
            rows = connection.execute(sa.select(assignments)).all()
        return {row.station: parse(bytes(row.body)) for row in rows}

    def published(self):
        with self.database.transaction() as connection:
            rows = connection.execute(sa.select(assignments)).all()
        return {row.station: int(row.published) for row in rows}


def state(station, word=None, *, running=OLD, candidate=None, last=None, **more):
    """A payload of model/state; `word` is the assignment that it has read."""
    content = {"schema": "model-state/1", "station": station, "at": AT, "software": "1"}
    content["running"] = {"bundle": running, "name": "rings", "version": "1", "trial": None}
    if word is not None:
        content["desired"] = {
            "digest": word.bundle.digest, "name": word.bundle.name,
            "version": word.bundle.version, "serial": word.serial, "rollout": word.rollout,
            "action": word.action,
        }  # fmt: skip
    content |= {"candidate": candidate, "last": last, "refused": [], "refusal": None, **more}
    return json.dumps(content)


def trial(word, state, **more):
    """A candidate of this assignment."""
    return {"bundle": word.bundle.digest, "state": state, "serial": word.serial, **more}
