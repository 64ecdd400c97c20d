"""Finding inspections among millions, a bounded piece at a time. Read-only.

Inspections come newest first, by the wall time at which their picture was taken. A piece ends after
so many rows looked at, whether something was found or not, and says how far it has come.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from edge.store.archive import Archive
from edge.store.rows import INSPECTION, Row

NEWEST = "9999"
"""Behind every time that a record can have."""
OLDEST = ""
SLICE = 50_000
"""Index entries that are looked at in one go for a decision."""
PART_MOST = 2_000
_AT = re.compile(rb'"captured_at":"([0-9T:.Z-]{20,30})"')
_HIT = "seq, at, subject, part_id, body, hash"
_INDEX = "records INDEXED BY records_at WHERE decision IS NOT NULL"


class Place(NamedTuple):
    """Where to go on: behind this inspection. `seq` decides between equal times."""

    at: str = NEWEST
    seq: int = 1 << 62


class Hit(NamedTuple):
    """An inspection that was found: its place, its id, its part, and the record."""

    place: Place
    subject: str
    part_id: str | None
    row: Row


@dataclass(frozen=True, slots=True)
class Piece:
    """Some inspections, newest first. Everything down to `reached` was looked at; None: all."""

    hits: tuple[Hit, ...]
    reached: Place | None


def newest_first(
    archive: Archive, behind: Place, since: str, most: int, decision: str | None = None
) -> Piece:
    """The next inspections behind a place, down to the time `since`, at most `most`.

    With a decision only such; then at most SLICE inspections are passed over, and none may be found
    though there are more further back.
    """
    with archive.reading() as database:
        if database is None:
            return Piece((), None)
        floor = since if decision is None else max(since, _floor(database, behind, since))
        hits = tuple(_between(database, behind, floor, most, decision))
        if len(hits) == most:
            return Piece(hits, hits[-1].place)
        return Piece(hits, None if floor <= since else Place(floor, 0))


def of_part(archive: Archive, part: str, behind: Place, most: int) -> Piece:
    """The inspections of one part, newest first, those too that outlived the ones around them.

    A part that came more than PART_MOST times is looked for among its newest ones only.
    """
    with archive.reading() as database:
        if database is None:
            return Piece((), None)
        hits: list[Hit] = []
        for table in ("records", "kept") if _has_kept(database) else ("records",):
            rows = database.execute(
                f"SELECT {_HIT} FROM (SELECT {_HIT} FROM {table}"
                " WHERE part_id = ? AND decision IS NOT NULL ORDER BY seq DESC LIMIT ?)"
                " WHERE at < ? OR (at = ? AND seq < ?) ORDER BY at DESC, seq DESC LIMIT ?",
                (part, PART_MOST, behind.at, behind.at, behind.seq, most),
            )
            hits += _hits(rows)
    hits = sorted(hits, reverse=True)[:most]
    return Piece(tuple(hits), hits[-1].place if len(hits) == most else None)


def of_id(archive: Archive, name: str) -> list[Hit]:
    """The inspection with this id, where it is here; also one that outlived those around it."""
    row = archive.record(INSPECTION, name)
    if row is None:
        return []
    at = _AT.search(row.body)
    return [Hit(Place("" if at is None else at[1].decode(), row.seq), name, None, row)]


def before(archive: Archive, seq: int, most: int) -> list[Row]:
    """The records of every kind before `seq`, newest first, at most `most`."""
    with archive.reading() as database:
        if database is None:
            return []
        rows = database.execute(
            "SELECT seq, body, hash FROM records WHERE seq < ? ORDER BY seq DESC LIMIT ?",
            (seq, most),
        )
        return [Row.of(row) for row in rows]


def _has_kept(database: sqlite3.Connection) -> bool:
    found = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'kept'").fetchone()
    return found is not None


def _floor(database: sqlite3.Connection, behind: Place, since: str) -> str:
    """The time of the inspection SLICE further back; `since` where there are not so many."""
    found = database.execute(
        f"SELECT at FROM {_INDEX} AND at <= ? ORDER BY at DESC LIMIT 1 OFFSET ?",
        (behind.at, SLICE),
    ).fetchone()
    return since if found is None else str(found[0])


def _between(
    database: sqlite3.Connection, behind: Place, floor: str, most: int, decision: str | None
) -> Iterator[Hit]:
    term, values = ("", ()) if decision is None else (" AND decision = ?", (decision,))
    inner = (
        f"SELECT seq FROM {_INDEX} AND at >= ? AND at <= ? AND (at < ? OR seq < ?){term}"
        " ORDER BY at DESC, seq DESC LIMIT ?"
    )
    rows = database.execute(
        f"SELECT {_HIT} FROM records WHERE seq IN ({inner}) ORDER BY at DESC, seq DESC",
        (floor, behind.at, behind.at, behind.seq, *values, most),
    )
    yield from _hits(rows)


def _hits(rows: sqlite3.Cursor) -> Iterator[Hit]:
    for seq, at, subject, part_id, body, hashed in rows:
        yield Hit(Place(str(at), seq), str(subject), part_id, Row.of((seq, body, hashed)))
