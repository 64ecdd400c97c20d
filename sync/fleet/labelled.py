"""What persons said about the parts of all stations, with the records of these parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.fleet import tables
from sync.fleet.database import Database

INSPECTION, DISPOSITION = "inspection/1", "disposition/1"
SAID = ("verdict/1", "correction/1")
TOGETHER = 200
"""Parts that are looked up in one query: SQLite takes 999 values at most."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One inspection as its station's records have it: texts of records, those of persons in the
    order in which they were given. `inspection` is None where it was not collected."""

    station: str
    id: str
    said: tuple[bytes, ...]
    inspection: bytes | None
    disposition: bytes | None


def labelled(database: Database, wanted: Callable[[str], bool]) -> Iterator[Labelled]:
    """Every inspection that a person has said something about, by station; `wanted` says which
    stations count. One moment of the database. Raises DatabaseError."""
    with database.transaction() as connection:
        stations = connection.execute(sa.select(tables.chains.c.station).distinct()).scalars()
        for station in sorted(filter(wanted, stations)):
            said = _said(connection, station)
            given = iter(sorted(said.items()))
            while some := dict(islice(given, TOGETHER)):
                yield from _looked_up(connection, station, some)


def _said(connection: Connection, station: str) -> dict[str, tuple[bytes, ...]]:
    """What persons said, by inspection, oldest chain first."""
    records, chains = tables.records.c, tables.chains.c
    query = (
        sa.select(records.subject, records.body)
        .join(tables.chains, chains.id == records.chain)
        .where(sa.text(f"records.{tables.RARE}"), chains.station == station)
        .where(records.schema.in_(SAID), records.subject.is_not(None))
        .order_by(records.subject, chains.id, records.seq)
    )
    rows = connection.execute(query).all()
    return {
        subject: tuple(str(row.body).encode() for row in group)
        for subject, group in groupby(rows, key=lambda row: str(row.subject))
    }


def _looked_up(
    connection: Connection, station: str, said: dict[str, tuple[bytes, ...]]
) -> Iterator[Labelled]:
    records, chains = tables.records.c, tables.chains.c
    query = (
        sa.select(records.subject, records.schema, records.body)
        .join(tables.chains, chains.id == records.chain)
        .where(chains.station == station, records.subject.in_(said))
        .where(records.schema.in_((INSPECTION, DISPOSITION)))
        .order_by(chains.id, records.seq)
    )
    found: dict[tuple[str, str], bytes] = {}
    for row in connection.execute(query):
        found.setdefault((row.subject, row.schema), str(row.body).encode())
    for name, given in said.items():
        inspection, disposition = found.get((name, INSPECTION)), found.get((name, DISPOSITION))
        yield Labelled(station, name, given, inspection, disposition)
