"""What was collected about one part."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync import chain
from sync.fleet import tables
from sync.fleet.arrival import look_up
from sync.fleet.database import Database

INSPECTION, DISPOSITION, VERDICT = "inspection/1", "disposition/1", "verdict/1"
MOST = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A record as it was stored, and its place. `joined` says that its chain is held without a
    break from record 1 on; `previous_hash` is None where the record before is not held."""

    station: str
    stream: str
    epoch: str
    seq: int
    body: bytes
    previous_hash: str | None
    hash: str
    joined: bool


@dataclass(frozen=True, slots=True)
class Told:
    """One inspection, and what is known about it. `automation` and `calibration` are the last ones
    before it in its chain."""

    inspection: Found
    disposition: Found | None
    verdicts: tuple[Found, ...]
    automation: Found | None
    calibration: Found | None


def stories(database: Database, name: str) -> list[Told]:
    """The inspections with this id, or else of the part with this id, of all stations, oldest
    first; at most `MOST`. Raises DatabaseError."""
    known = look_up(name)
    records = tables.records.c
    with database.transaction() as connection:
        by_id = sa.and_(records.subject == known, records.schema == INSPECTION)
        found = _records(connection, by_id) or _records(
            connection, sa.and_(records.part_id == known, records.schema == INSPECTION)
        )
        return [_story(connection, row) for row in found]


def _story(connection: Connection, row: sa.Row[tuple[object, ...]]) -> Told:
    records = tables.records.c
    about = sa.and_(records.subject == row.subject, records.schema.in_((DISPOSITION, VERDICT)))
    others = [one for one in _records(connection, about) if one.station == row.station]
    dispositions = [_found(connection, one) for one in others if one.schema == DISPOSITION]
    return Told(
        _found(connection, row),
        dispositions[0] if dispositions else None,
        tuple(_found(connection, one) for one in others if one.schema == VERDICT),
        _last_before(connection, row, "automation/1"),
        _last_before(connection, row, "calibration/1"),
    )


def _last_before(
    connection: Connection, row: sa.Row[tuple[object, ...]], schema: str
) -> Found | None:
    records = tables.records.c
    before = sa.and_(
        sa.text(f"records.{tables.RARE}"),
        records.chain == row.chain,
        records.schema == schema,
        records.seq < row.seq,
    )
    found = _records(connection, before, newest=True)
    return _found(connection, found[0]) if found else None


def _records(
    connection: Connection, which: sa.ColumnElement[bool], newest: bool = False
) -> list[sa.Row[tuple[object, ...]]]:
    records, chains = tables.records.c, tables.chains.c
    query = sa.select(tables.records, chains.station, chains.stream, chains.epoch, chains.through)
    query = query.join(tables.chains, chains.id == records.chain).where(which)
    if newest:
        query = query.order_by(records.seq.desc()).limit(1)
    else:
        query = query.order_by(records.at, records.chain, records.seq).limit(MOST)
    return list(connection.execute(query).all())


def _found(connection: Connection, row: sa.Row[tuple[object, ...]]) -> Found:
    records = tables.records.c
    seq = int(str(row.seq))
    before = sa.select(records.hash).where(records.chain == row.chain, records.seq == seq - 1)
    held = connection.execute(before).scalar()
    previous = chain.GENESIS if seq == 1 else bytes(held).hex() if held is not None else None
    joined = seq <= int(str(row.through))
    body, digest = str(row.body).encode(), bytes(row.hash).hex()
    return Found(row.station, row.stream, row.epoch, seq, body, previous, digest, joined)
