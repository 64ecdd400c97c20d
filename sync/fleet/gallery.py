"""Pictures in the central database: pieces come in any order, whole ones are proved and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.fleet.database import Database
from sync.fleet.tables import arriving, picture_files, pictures, pieces
from sync.picture import MOST_SIZE, Piece, Received, joined

MOST_ARRIVING = 16
MOST_ARRIVING_BYTES = 2 * MOST_SIZE
MOST_PIECES = 20_000
"""What is kept of pictures that are not whole: so many of one station, so many bytes of them, and
so many pieces of one. What is older goes first; a station sends it again."""


@dataclass(slots=True)
class Counts:
    """Since the start. `wrong`: all bytes came, and were not those that were announced; `dropped`:
    pictures whose pieces went because others of the station needed the room."""

    pieces: int = 0
    received: int = 0
    duplicates: int = 0
    wrong: int = 0
    dropped: int = 0


class Gallery:
    """Where pictures are put together. Used from one thread at a time; several processes may share
    one PostgreSQL, and whoever adds the last piece finishes the picture. `wall` gives the time as
    text, for people.
    """

    def __init__(self, database: Database, wall: Callable[[], str]) -> None:
        self.counts = Counts()
        self._database = database
        self._wall = wall

    def take(self, arrived: Sequence[tuple[str, Piece]]) -> list[tuple[str, Received]]:
        """Keep pieces of `(station, piece)` in one durable transaction; what may then be said to
        which station. Raises `sync.fleet.database.Away`, and nothing of it counts."""
        counts, said = Counts(), list[tuple[str, Received]]()
        # In one order everywhere: two collectors never wait for each other in a circle.
        ordered = sorted(arrived, key=lambda one: (one[0], one[1].sha256, one[1].offset))
        with self._database.transaction() as connection:
            for station, piece in ordered:
                if self._take(connection, station, piece, counts):
                    word = Received(piece.inspection, piece.sha256, self._database.store)
                    said.append((station, word))
        counts.pieces = len(ordered)
        for name in Counts.__slots__:
            setattr(self.counts, name, getattr(self.counts, name) + getattr(counts, name))
        return list(dict.fromkeys(said))

    def _take(self, connection: Connection, station: str, piece: Piece, counts: Counts) -> bool:
        """Whether the picture is whole now, or was before."""
        while True:
            if self._is_held(connection, station, piece, counts):
                return True
            number = self._locked(connection, station, piece, counts)
            if number is not None:
                break
            # Another collector finished it between the two looks.
        self._put(connection, number, piece)
        return self._finished(connection, number, station, piece, counts)

    def _is_held(self, connection: Connection, station: str, piece: Piece, counts: Counts) -> bool:
        named = pictures.c
        query = sa.select(named.sha256).where(
            named.station == station,
            named.inspection == piece.inspection,
            named.sha256 == piece.sha256,
        )
        if connection.execute(query).first() is not None:
            counts.duplicates += 1
            return True
        if not _has_file(connection, station, piece):
            return False
        self._name(connection, station, piece)
        counts.received += 1
        return True

    def _name(self, connection: Connection, station: str, piece: Piece) -> None:
        row = {
            "station": station,
            "inspection": piece.inspection,
            "sha256": piece.sha256,
            "path": piece.path,
            "size": piece.size,
            "at": self._wall(),
        }
        connection.execute(self._database.insert(pictures).on_conflict_do_nothing(), [row])

    def _locked(
        self, connection: Connection, station: str, piece: Piece, counts: Counts
    ) -> int | None:
        columns = arriving.c
        query = (
            sa.select(columns.id, columns.size)
            .where(columns.station == station, columns.sha256 == piece.sha256)
            .with_for_update()
        )
        row = connection.execute(query).one_or_none()
        if row is not None and row.size != piece.size:
            _forget(connection, [row.id])  # one of the two lied; what is true will come again
            row = None
        if row is None:
            first = {"station": station, "sha256": piece.sha256, "size": piece.size}
            rest = {"pieces": 0, "bytes": 0, "at": self._wall()}
            insert = self._database.insert(arriving).on_conflict_do_nothing()
            connection.execute(insert, [{**first, **rest}])
            row = connection.execute(query).one_or_none()
            if row is not None and _has_file(connection, station, piece):
                _forget(connection, [row.id])  # it was finished while we waited for the lock
                return None
            counts.dropped += self._make_room(connection, station, piece)
        return None if row is None else int(row.id)

    def _make_room(self, connection: Connection, station: str, piece: Piece) -> int:
        """Let the oldest unfinished pictures of a station go; how many."""
        columns = arriving.c
        query = (
            sa.select(columns.id, columns.size)
            .where(columns.station == station, columns.sha256 != piece.sha256)
            .order_by(columns.id.desc())
        )
        size, going = piece.size, list[int]()
        for number, row in enumerate(connection.execute(query), 2):
            size += row.size
            if number > MOST_ARRIVING or size > MOST_ARRIVING_BYTES:
                going.append(row.id)
        if going:
            # Only these, and only if nobody else is at them: locks out of order could meet.
            mine = sa.select(columns.id).where(columns.id.in_(going))
            found = connection.execute(mine.with_for_update(skip_locked=True))
            going = [row.id for row in found]
            _forget(connection, going)
        return len(going)

    def _put(self, connection: Connection, number: int, piece: Piece) -> None:
        own = sa.and_(pieces.c.arriving == number, pieces.c.start == piece.offset)
        old = connection.execute(sa.select(pieces.c.bytes).where(own)).scalar()
        content = {"bytes": len(piece.data), "data": piece.data}
        if old is None:
            place = {"arriving": number, "start": piece.offset}
            connection.execute(sa.insert(pieces).values({**place, **content}))
        else:
            connection.execute(sa.update(pieces).where(own).values(content))
        more = {
            "pieces": arriving.c.pieces + int(old is None),
            "bytes": arriving.c.bytes + len(piece.data) - (old or 0),
        }
        connection.execute(sa.update(arriving).where(arriving.c.id == number).values(more))

    def _finished(
        self, connection: Connection, number: int, station: str, piece: Piece, counts: Counts
    ) -> bool:
        columns = arriving.c
        query = sa.select(columns.pieces, columns.bytes).where(columns.id == number)
        held = connection.execute(query).one()
        if held.bytes < piece.size and held.pieces <= MOST_PIECES:
            return False
        data = _whole(connection, number, piece.size)
        if data is not None and hashlib.sha256(data).hexdigest() == piece.sha256:
            _forget(connection, [number])
            row = {"station": station, "sha256": piece.sha256, "data": data}
            connection.execute(self._database.insert(picture_files).on_conflict_do_nothing(), [row])
            self._name(connection, station, piece)
            counts.received += 1
            return True
        if data is not None or held.pieces > MOST_PIECES or held.bytes > 2 * piece.size:
            _forget(connection, [number])
            counts.wrong += 1
        return False


def _has_file(connection: Connection, station: str, piece: Piece) -> bool:
    columns = picture_files.c
    query = sa.select(columns.sha256).where(
        columns.station == station, columns.sha256 == piece.sha256
    )
    return connection.execute(query).first() is not None


def _whole(connection: Connection, number: int, size: int) -> bytes | None:
    """All bytes, or None while there is a gap: the data are read only when there is none."""
    columns = pieces.c
    own = columns.arriving == number
    query = sa.select(columns.start, columns.bytes).where(own).order_by(columns.start)
    end = 0
    for row in connection.execute(query):
        if row.start > end:
            return None
        end = max(end, row.start + row.bytes)
    if end != size:
        return None
    query = sa.select(columns.start, columns.data).where(own).order_by(columns.start)
    return joined(size, [(row[0], bytes(row[1])) for row in connection.execute(query)])


def _forget(connection: Connection, numbers: Sequence[int]) -> None:
    if numbers:
        connection.execute(sa.delete(pieces).where(pieces.c.arriving.in_(numbers)))
        connection.execute(sa.delete(arriving).where(arriving.c.id.in_(numbers)))
