"""The central database: what is committed, and how far each chain is held."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.acknowledgement import MOST_AHEAD, Acknowledgement, Span, Through
from sync.fleet import tables
from sync.fleet.arrival import Arrival, Key
from sync.fleet.database import Database
from sync.fleet.filing import Filing, Tally
from sync.fleet.hearing import Word
from sync.fleet.joining import Joining
from sync.fleet.joining import Span as Held

MOST_EPOCHS = 8
Stream = tuple[str, str]
"""Station and stream."""


@dataclass(slots=True)
class Commit:
    """What one transaction does, and what may be said about it once `finish` has returned."""

    tally: Tally = field(default_factory=Tally)
    acknowledgements: dict[Stream, Acknowledgement] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def finish(self) -> None:
        """Make it durable; in whichever thread. Raises Away, and nothing of it counts."""
        self._open.close()


class Central:
    """The one place where records are written. Used from one thread at a time.

    Several processes may share one PostgreSQL: the row of a chain in `chains` is its lock, taken in
    the order of the keys, so that two of them never wait for each other in a circle. `wall` gives
    the time as text, for people.
    """

    def __init__(self, database: Database, wall: Callable[[], str]) -> None:
        self.database = database
        self._wall = wall

    def open(self) -> None:
        """Make sure that the database can be used. Raises DatabaseError."""
        with self.database.transaction() as connection:
            connection.execute(sa.select(tables.meta.c.key).limit(1)).all()

    def begin(self, arrivals: Sequence[Arrival]) -> Commit:
        """Put everything into the tables, in one transaction that ends with `finish`; until then
        nothing else may be asked of this object. Raises Away, and nothing of it counts."""
        done = Commit()
        ordered = sorted(arrivals, key=lambda one: (one.key, one.piece.first))
        with ExitStack() as opened:
            connection = opened.enter_context(self.database.transaction())
            for key, pieces in groupby(ordered, key=lambda one: one.key):
                self._file(connection, key, list(pieces), done.tally)
            for stream in dict.fromkeys((one.key.station, one.key.stream) for one in ordered):
                done.acknowledgements[stream] = self._standing(connection, stream)
            done._open = opened.pop_all()
        return done

    def commit(self, arrivals: Sequence[Arrival]) -> Commit:
        """`begin` and `finish`."""
        done = self.begin(arrivals)
        done.finish()
        return done

    def standing(self) -> dict[Stream, Acknowledgement]:
        """How far every known stream is held."""
        chains = tables.chains.c
        with self.database.transaction() as connection:
            query = sa.select(chains.station, chains.stream).distinct()
            streams = sorted((row[0], row[1]) for row in connection.execute(query))
            return {stream: self._standing(connection, stream) for stream in streams}

    def through(self, key: Key) -> int:
        """The end of the gapless beginning of one chain; 0 when nothing of it is known."""
        chains = tables.chains.c
        with self.database.transaction() as connection:
            query = sa.select(chains.through).where(_is(key))
            return int(connection.execute(query).scalar() or 0)

    def heard(self, words: Mapping[str, Word]) -> None:
        """Keep the newest word of each station about itself, and since when it says so: what a
        broker only repeats is no news."""
        insert = self.database.insert(tables.stations)
        kept = sa.func.coalesce(insert.excluded.delivery, tables.stations.c.delivery)
        same = tables.stations.c.status == insert.excluded.status
        since = sa.case((same, tables.stations.c.at), else_=insert.excluded.at)
        news = {"at": since, "status": insert.excluded.status, "delivery": kept}
        statement = insert.on_conflict_do_update(index_elements=["station"], set_=news)
        at = self._wall()
        rows = [
            {"station": one, "at": at, "status": word.status, "delivery": word.delivery}
            for one, word in sorted(words.items())
        ]
        with self.database.transaction() as connection:
            connection.execute(statement, rows)

    def _file(
        self, connection: Connection, key: Key, pieces: Sequence[Arrival], tally: Tally
    ) -> None:
        number, joining = self._locked(connection, key)
        filing = Filing(connection, self.database.insert, number, joining, self._wall())
        for piece in pieces:
            filing.put(piece)
        filing.end()
        tally.add(filing.tally)

    def _locked(self, connection: Connection, key: Key) -> tuple[int, Joining]:
        """The chain's number and state; until the transaction ends nobody else changes it."""
        chains = tables.chains.c
        query = sa.select(chains.id, chains.through, chains.hash).where(_is(key)).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            begun = Joining()
            first: dict[str, object] = {**key._asdict(), "through": 0, "hash": begun.hash}
            first.update(records=0, duplicates=0, conflicts=0)
            first.update(first_at=self._wall(), last_at=self._wall())
            insert = self.database.insert(tables.chains).on_conflict_do_nothing()
            connection.execute(insert, [first])
            row = connection.execute(query).one()
        return row.id, Joining(row.through, row.hash, _ahead(connection, row.id))

    def _standing(self, connection: Connection, stream: Stream) -> Acknowledgement:
        chains = tables.chains.c
        query = (
            sa.select(chains.id, chains.epoch, chains.through, chains.hash)
            .where(chains.station == stream[0], chains.stream == stream[1])
            .order_by(chains.last_at.desc(), chains.id.desc())
            .limit(MOST_EPOCHS)
        )
        epochs = []
        for row in connection.execute(query).all():
            ahead = [
                Span(span.first, span.last, span.hash)
                for span in _ahead(connection, row.id, MOST_AHEAD)
                if span.hash is not None
            ]
            epochs.append(Through(row.epoch, row.through, row.hash, tuple(ahead)))
        return Acknowledgement(tuple(epochs), self.database.store)


def _is(key: Key) -> sa.ColumnElement[bool]:
    chains = tables.chains.c
    return sa.and_(
        chains.station == key.station, chains.stream == key.stream, chains.epoch == key.epoch
    )


def _ahead(connection: Connection, number: int, most: int | None = None) -> tuple[Held, ...]:
    spans = tables.spans.c
    query = sa.select(spans.first, spans.last, spans.previous_hash, spans.hash)
    query = query.where(spans.chain == number).order_by(spans.first).limit(most)
    return tuple(Held(*row) for row in connection.execute(query))
