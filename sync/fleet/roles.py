"""Signed documents in the central database: the table `roles`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from sync.fleet.rollout_tables import assignments, roles

PENDING = "pending/"
"""Before the name of a document that still lacks signatures."""


class Roles:
    """Used within one transaction. `at` is the time that new rows carry, as text."""

    def __init__(self, connection: Connection, at: str) -> None:
        self.connection = connection
        self._at = at

    def lock(self) -> bytes | None:
        """Until the transaction ends nobody else changes a document; the first root, or None where
        the repository is not in this database yet."""
        query = sa.select(roles.c.body).where(roles.c.name == "root", roles.c.version == 1)
        body = self.connection.execute(query.with_for_update()).scalar()
        return None if body is None else bytes(body)

    def newest(self, name: str) -> bytes | None:
        """The newest version of a document."""
        query = sa.select(roles.c.body).where(roles.c.name == name)
        body = self.connection.execute(query.order_by(roles.c.version.desc()).limit(1)).scalar()
        return None if body is None else bytes(body)

    def history(self, name: str) -> dict[int, bytes]:
        """All versions that are there, by number."""
        query = sa.select(roles.c.version, roles.c.body).where(roles.c.name == name)
        rows = self.connection.execute(query.order_by(roles.c.version))
        return {int(row.version): bytes(row.body) for row in rows}

    def put(self, name: str, version: int, body: bytes, only: bool = True) -> None:
        """Store a version; with `only` the others of that name are dropped."""
        if only:
            self.drop(name)
        row = {"name": name, "version": version, "body": body, "at": self._at}
        self.connection.execute(insert_into(self.connection, roles).on_conflict_do_nothing(), [row])

    def drop(self, name: str) -> None:
        """Forget a document."""
        self.connection.execute(sa.delete(roles).where(roles.c.name == name))

    def assign(self, rows: list[dict[str, object]]) -> None:
        """Store the newest assignments, one for each station."""
        insert = insert_into(self.connection, assignments)
        news = {
            name: insert.excluded[name] for name in ("serial", "rollout", "body", "signed", "at")
        }
        statement = insert.on_conflict_do_update(index_elements=["station"], set_=news)
        filled = [{**row, "published": 0, "at": self._at} for row in rows]
        self.connection.execute(statement, filled)

    def vouch_for_all(self, stamp: int) -> None:
        """Every station's assignment is vouched for by this version of the timestamp."""
        self.connection.execute(sa.update(assignments).values(signed=stamp))

    def assigned(self, station: str) -> bytes | None:
        """The newest assignment of a station."""
        query = sa.select(assignments.c.body).where(assignments.c.station == station)
        body = self.connection.execute(query).scalar()
        return None if body is None else bytes(body)

    def serials(self, stations: list[str]) -> dict[str, int]:
        """The serial of the newest assignment of each of these that has one."""
        query = sa.select(assignments.c.station, assignments.c.serial)
        if len(stations) < 500:
            query = query.where(assignments.c.station.in_(stations))
        found = {str(row.station): int(row.serial) for row in self.connection.execute(query)}
        return {station: found[station] for station in stations if station in found}


def insert_into(connection: Connection, table: sa.Table) -> Any:
    """An insert that knows what to do on a conflict."""
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    return kind.insert(table)
