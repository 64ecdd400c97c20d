"""Pictures that were collected, to be read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from sync.fleet.database import Database
from sync.fleet.tables import picture_files, pictures


@dataclass(frozen=True, slots=True)
class Held:
    """A whole picture: the file that a station had at `path`."""

    station: str
    inspection: str
    sha256: str
    path: str
    size: int


def find(database: Database, inspection: str) -> list[Held]:
    """The pictures that came for one inspection, by its id: one, unless a station lied.

    Raises DatabaseError.
    """
    own = pictures.c
    query = (
        sa.select(own.station, own.inspection, own.sha256, own.path, own.size)
        .where(own.inspection == inspection)
        .order_by(own.station, own.sha256)
    )
    with database.transaction() as connection:
        return [Held(*row) for row in connection.execute(query)]


def data(database: Database, held: Held) -> bytes | None:
    """The file's bytes, which have been compared with the hash once more; None where they differ.

    Raises DatabaseError.
    """
    own = picture_files.c
    query = sa.select(own.data).where(own.station == held.station, own.sha256 == held.sha256)
    with database.transaction() as connection:
        found = bytes(connection.execute(query).scalar() or b"")
    return found if hashlib.sha256(found).hexdigest() == held.sha256 else None


def per_station(database: Database, station: str | None = None) -> dict[str, int]:
    """How many inspections of each station have their picture here. Raises DatabaseError."""
    query = sa.select(pictures.c.station, sa.func.count()).group_by(pictures.c.station)
    if station is not None:
        query = query.where(pictures.c.station == station)
    with database.transaction() as connection:
        return {row[0]: row[1] for row in connection.execute(query.order_by(pictures.c.station))}
