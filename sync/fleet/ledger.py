"""The books: for every chain what was recorded, what is held, and what is not, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.fleet import tables, words
from sync.fleet.account import Account, Range, Word, account, apart
from sync.fleet.arrival import Key
from sync.fleet.database import Database

MOST_LISTED = 1000
"""Gaps and alarms of a chain that are listed one by one; the sums are over all."""


@dataclass(frozen=True, slots=True)
class GapTold:
    """Records that the station said will not come; `absent` of them are indeed not held."""

    first: int
    last: int
    why: str
    absent: int
    at: str | None
    by: str | None
    size: int | None
    told_at: str


@dataclass(frozen=True, slots=True)
class AlarmTold:
    """Two segments that do not fit: what is held (`lower`) and what came (`upper`)."""

    kind: str
    lower: Range
    upper: Range
    lower_hash: str
    upper_previous_hash: str
    upper_hash: str
    times: int
    first_at: str
    last_at: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One chain. `spoken_of` says whether the station still names it."""

    key: Key
    account: Account
    through: int
    hash: str
    ahead: tuple[Range, ...]
    duplicates: int
    conflicts: int
    gaps: tuple[GapTold, ...]
    alarms: tuple[AlarmTold, ...]
    alarm_count: int
    spoken_of: bool
    said_by: str | None
    said_at: str | None
    last_at: str | None


def ledger(database: Database, station: str | None = None) -> list[Entry]:
    """Every chain that was collected, or of which a station speaks, by station, stream and age.

    One consistent look. Raises DatabaseError.
    """
    with database.transaction() as connection:
        said = _said(connection, station)
        chains = tables.chains
        query = sa.select(chains).order_by(chains.c.station, chains.c.stream, chains.c.id)
        if station is not None:
            query = query.where(chains.c.station == station)
        entries = {}
        for row in connection.execute(query).all():
            key = Key(row.station, row.stream, row.epoch)
            entries[key] = _entry(connection, key, row, said.pop(key, None))
        for key, (word, at) in said.items():
            entries[key] = _unseen(key, word, at)
    return [entries[key] for key in sorted(entries, key=lambda key: key[:2])]


def _said(connection: Connection, station: str | None) -> dict[Key, tuple[Word, str]]:
    """What stations say of their chains, and when that came."""
    stations = tables.stations.c
    query = sa.select(stations.station, stations.at, stations.delivery)
    if station is not None:
        query = query.where(stations.station == station)
    found: dict[Key, tuple[Word, str]] = {}
    for name, at, delivery in connection.execute(query):
        content = words.status(delivery or "")
        for key, word in words.chains(name, content or {}).items():
            found[key] = (word, at)
    return found


def _entry(
    connection: Connection, key: Key, row: sa.Row[tuple[object, ...]], told: tuple[Word, str] | None
) -> Entry:
    spans = tables.spans.c
    chain = int(str(row.id))
    query = sa.select(spans.first, spans.last).where(spans.chain == chain).order_by(spans.first)
    ahead = tuple((first, last) for first, last in connection.execute(query))
    gaps, gone = _gaps(connection, chain)
    alarms, alarm_count = _alarms(connection, chain)
    word, at = told if told is not None else (None, None)
    return Entry(
        key,
        account(row.through, ahead, gone, word),
        row.through,
        row.hash,
        ahead,
        row.duplicates,
        row.conflicts,
        gaps,
        alarms,
        alarm_count,
        word is not None,
        word.by if word else None,
        at,
        row.last_at,
    )


def _unseen(key: Key, word: Word, at: str) -> Entry:
    """A chain of which nothing has come."""
    found = account(0, (), {}, word)
    return Entry(key, found, 0, "", (), 0, 0, (), (), 0, True, word.by, at, None)


def _gaps(connection: Connection, chain: int) -> tuple[tuple[GapTold, ...], dict[str, int]]:
    gaps = tables.gaps.c
    names = ("first", "last", "why", "at", "by", "size", "told_at")
    query = sa.select(*(gaps[name] for name in names)).where(gaps.chain == chain)
    rows = connection.execute(query.order_by(gaps.told_at, gaps.first, gaps.last)).all()
    gone: dict[str, int] = {}
    for first, last, why in apart([(row.first, row.last, row.why) for row in rows]):
        gone[why] = gone.get(why, 0) + _absent(connection, chain, first, last)
    told = tuple(
        GapTold(
            row.first,
            row.last,
            row.why,
            _absent(connection, chain, row.first, row.last),
            row.at,
            row.by,
            row.size,
            row.told_at,
        )
        for row in rows[:MOST_LISTED]
    )
    return told, gone


def _absent(connection: Connection, chain: int, first: int, last: int) -> int:
    records = tables.records.c
    query = sa.select(sa.func.count()).where(
        records.chain == chain, records.seq.between(first, last)
    )
    return last - first + 1 - int(connection.execute(query).scalar_one())


def _alarms(connection: Connection, chain: int) -> tuple[tuple[AlarmTold, ...], int]:
    alarms = tables.alarms
    query = sa.select(alarms).where(alarms.c.chain == chain).order_by(alarms.c.id)
    rows = connection.execute(query).all()
    told = tuple(
        AlarmTold(
            row.kind,
            (row.lower_first, row.lower_last),
            (row.upper_first, row.upper_last),
            row.lower_hash,
            row.upper_previous_hash,
            row.upper_hash,
            row.times,
            row.first_at,
            row.last_at,
        )
        for row in rows[:MOST_LISTED]
    )
    return told, sum(row.times for row in rows)
