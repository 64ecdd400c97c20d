"""Reading line.db, for other processes and for commands. Never writes a byte of the database.

Works while the line runs, after it stopped or was killed, before its first record, and when
another file has taken the place of the old one. Each call is one short read: a long one would keep
the writer's log from being emptied.
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.store import escalations, schema
from edge.store.errors import Replaced
from edge.store.escalations import Escalation
from edge.store.follow import Following
from edge.store.rows import DISPOSITION, INSPECTION, Anchor, Kept, Row, Stored, hexed
from edge.store.schema import BUSY_MS
from sync.chain import GENESIS

_ROW = "seq, body, hash"
_STORED = "seq, schema, subject, part_id, at, decision, body, hash"
KEPT_SINCE = 2
"""The version of the file from which on it has the tables `kept` and `pictures`."""


@dataclass(frozen=True, slots=True)
class Story:
    """What the journal knows about one part. `automation` is the last change before it."""

    inspection: Row
    disposition: Row | None
    automation: Row | None
    calibration: Row | None
    open: Escalation | None


class Archive:
    """A reader of one database. Used from one thread at a time.

    A missing or empty file reads as no records: the service may not have started yet. Every call
    first looks whether the path is still the file that is open. Raises sqlite3.Error when the file
    is damaged or cannot be opened, or locked for longer than `busy_ms` (which hardly happens),
    WrongVersion when it is too new or too old to be understood.
    """

    def __init__(self, path: Path, busy_ms: int = BUSY_MS) -> None:
        self.path = path
        self._file = Following(path, busy_ms)

    @classmethod
    def open(cls, path: Path) -> Archive:
        """An archive of `path`, whose version is checked now."""
        archive = cls(path)
        with archive._file.reading():
            return archive

    def close(self) -> None:
        """Let the file go. May be called twice; the next call opens it again."""
        self._file.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def reading(self) -> AbstractContextManager[sqlite3.Connection | None]:
        """One consistent view of the database, for longer questions; None where it is not there."""
        return self._file.reading()

    @property
    def epoch(self) -> str | None:
        """The epoch of the file; None before it is made."""
        row = self._one("SELECT value FROM meta WHERE key = 'epoch'")
        return None if row is None else str(row[0])

    @property
    def anchor(self) -> Anchor:
        """Where the stored chain begins."""
        row = self._one(
            "SELECT seq, hash, count, at, acknowledged_by FROM anchors ORDER BY seq DESC LIMIT 1"
        )
        return Anchor(0, GENESIS) if row is None else Anchor(row[0], hexed(row[1]), *row[2:])

    def rows(
        self, after_seq: int, max_rows: int, max_bytes: int, epoch: str | None = None
    ) -> list[Row]:
        """The next records in order of seq: at most `max_rows`, bodies at most `max_bytes` in all.

        At least one where there is one, however large. With `epoch`, raises Replaced when the file
        holds another one.
        """
        found: list[Row] = []
        with self._file.reading() as database:
            if database is None:
                return found
            if epoch is not None and epoch != self.epoch:
                raise Replaced(f"{self.path}: no longer epoch {epoch}")
            size = 0
            for row in database.execute(
                f"SELECT {_ROW} FROM records WHERE seq > ? ORDER BY seq LIMIT ?",
                (after_seq, max_rows),
            ):
                size += len(row[1])
                if found and size > max_bytes:
                    break
                found.append(Row.of(row))
        return found

    def stored(self, after_seq: int, max_rows: int) -> list[Stored]:
        """The next records with their look-up columns, in order of seq, whatever is in them."""
        with self._file.reading() as database:
            if database is None:
                return []
            rows = database.execute(
                f"SELECT {_STORED} FROM records WHERE seq > ? ORDER BY seq LIMIT ?",
                (after_seq, max_rows),
            )
            return [Stored.of(row) for row in rows]

    def written(self) -> tuple[int, int]:
        """The newest seq, and how many records the counters know: equal unless rows are lost."""
        with self._file.reading():
            known = sum(n for name, n in self.counts().items() if "/" in name)
            return self.head()[0], known

    def newest(
        self, limit: int, since: str | None = None, decision: str | None = None
    ) -> list[Row]:
        """The newest inspections, newest last. `since` is a UTC time as records write it."""
        # Left alone, SQLite walks back through all records when few are new enough.
        index = "" if since is None else "INDEXED BY records_at"
        terms, values = ["decision IS NOT NULL"], list[object]()
        if decision is not None:
            terms.append("decision = ?")
            values.append(decision)
        if since is not None:
            terms.append("at >= ?")
            values.append(since)
        where = " AND ".join(terms)
        inner = f"SELECT seq FROM records {index} WHERE {where} ORDER BY seq DESC LIMIT ?"
        return self._many(
            f"SELECT {_ROW} FROM records WHERE seq IN ({inner}) ORDER BY seq", *values, limit
        )

    def inspections(
        self, after_seq: int, limit: int, since: str | None = None, decision: str | None = None
    ) -> list[Row]:
        """The next inspections in order of seq: for going through all of them, page by page."""
        return self._many(
            f"SELECT {_ROW} FROM records WHERE decision IS NOT NULL AND seq > ?1"
            " AND (?2 IS NULL OR decision = ?2) AND (?3 IS NULL OR at >= ?3) ORDER BY seq LIMIT ?4",
            after_seq,
            decision,
            since,
            limit,
        )

    def latest(self, kind: str, before_seq: int | None = None) -> Row | None:
        """The newest record of a rare kind (not inspections or dispositions), such as an alarm."""
        before = (1 << 62) if before_seq is None else before_seq
        rows = self._many(
            f"SELECT {_ROW} FROM records WHERE schema = ? AND {schema.FREQUENT}"
            " AND seq < ? ORDER BY seq DESC LIMIT 1",
            kind,
            before,
        ) or self._kept("schema = ? AND seq < ? ORDER BY seq DESC LIMIT 1", kind, before)
        return rows[0] if rows else None

    def find(self, name: str) -> list[Row]:
        """Inspections with this id, or else with this part id, oldest first."""
        one = self._about(name, INSPECTION)
        if one is not None:
            return [one]
        kept = self._kept("part_id = ? ORDER BY seq", name)
        return kept + self._many(f"SELECT {_ROW} FROM records WHERE part_id = ? ORDER BY seq", name)

    def record(self, kind: str, name: str) -> Row | None:
        """The record of this kind that is called so: most kinds by their own id."""
        return self._about(name, kind)

    def disposition(self, inspection: str) -> Row | None:
        """What finally happened to the part of this inspection; None when that is open."""
        return self._about(inspection, DISPOSITION)

    def story(self, inspection: str) -> Story | None:
        """Everything about one inspection, by its id; None when there is no such inspection."""
        with self._file.reading():
            found = self._about(inspection, INSPECTION)
            if found is None:
                return None
            return Story(
                found,
                self._about(inspection, DISPOSITION),
                self.latest("automation/1", found.seq),
                self.latest("calibration/1", found.seq),
                self.waiting(inspection),
            )

    def counts(self) -> dict[str, int]:
        """How many of each kind the epoch has seen, deleted ones included.

        Names: `inspection/1`, `decision:accept`, `disposition:hold:fallback` and so on.
        """
        with self._file.reading() as database:
            return dict(database.execute("SELECT name, n FROM counts")) if database else {}

    def last_hash(self, seq: int) -> str | None:
        """The hash of the record `seq`, from its row or the anchor; zeros for 0, else None."""
        if seq == 0:
            return GENESIS
        row = self._one(
            "SELECT hash FROM records WHERE seq = ?1"
            " UNION ALL SELECT hash FROM anchors WHERE seq = ?1",
            seq,
        )
        return None if row is None else hexed(row[0])

    def previous_hash(self, seq: int) -> str | None:
        """The hash that the record `seq` was chained to, also where that record is deleted."""
        kept = self.outlived(seq - 1, 1)
        if kept and kept[0].stored.seq == seq:
            return kept[0].previous
        return self.last_hash(seq - 1)

    def outlived(self, after_seq: int, most: int) -> list[Kept]:
        """The next records that were kept when those around them were deleted."""
        with self._file.reading() as database:
            if database is None or self._file.version < KEPT_SINCE:
                return []
            rows = database.execute(
                f"SELECT {_STORED}, previous FROM kept WHERE seq > ? ORDER BY seq LIMIT ?",
                (after_seq, most),
            )
            return [Kept(Stored.of(row), hexed(row[8])) for row in rows]

    def given_up(self, first: int, last: int) -> set[int]:
        """The records from `first` to `last` whose pictures were removed on purpose."""
        with self._file.reading() as database:
            if database is None or self._file.version < KEPT_SINCE:
                return set()
            rows = database.execute(
                "SELECT seq FROM pictures WHERE seq BETWEEN ? AND ? AND removed > 0", (first, last)
            )
            return {row[0] for row in rows}

    def head(self) -> tuple[int, str]:
        """Seq and hash of the newest record."""
        row = self._one("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1")
        if row is not None:
            return int(row[0]), hexed(row[1])
        anchor = self.anchor
        return anchor.seq, anchor.hash

    def state(self, key: str) -> str | None:
        """What the line keeps under this key."""
        row = self._one("SELECT value FROM state WHERE key = ?", key)
        return None if row is None else str(row[0])

    def open_escalations(self) -> list[Escalation]:
        """Escalated inspections without a disposition, oldest first."""
        with self._file.reading() as database:
            return escalations.read_open(database) if database else []

    def waiting(self, inspection: str) -> Escalation | None:
        """The open escalation of this inspection; None where it is not open."""
        with self._file.reading() as database:
            return escalations.read_one(database, inspection) if database else None

    def _about(self, inspection: str, kind: str) -> Row | None:
        rows = self._many(
            f"SELECT {_ROW} FROM records WHERE subject = ? AND schema = ?", inspection, kind
        ) or self._kept("subject = ? AND schema = ?", inspection, kind)
        return rows[0] if rows else None

    def _kept(self, term: str, *values: object) -> list[Row]:
        """Records that have outlived the prefix. A file of the version before has none."""
        with self._file.reading() as database:
            if database is None or self._file.version < KEPT_SINCE:
                return []
            return self._many(f"SELECT {_ROW} FROM kept WHERE {term}", *values)

    def _many(self, statement: str, *values: object) -> list[Row]:
        with self._file.reading() as database:
            if database is None:
                return []
            return [Row.of(row) for row in database.execute(statement, values)]

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        with self._file.reading() as database:
            if database is None:
                return None
            row: tuple[Any, ...] | None = database.execute(statement, values).fetchone()
            return row
