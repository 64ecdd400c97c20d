"""What is stored, as retention needs to know it. Reads line.db in short pieces, writes nothing."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.retention.plan import UPLOAD
from edge.retention.shelved import (
    AT_ONCE,
    Shelved,
    is_stranger,
    of_records,
    on_shelf,
    shelved,
    unheld,
)
from edge.store.follow import Following
from edge.store.rows import INSPECTION
from edge.store.shelf import CHALLENGE, LEAVING, THERE
from edge.store.tidying import Mark

ROWS = 20_000
OVERHEAD_PAGES = 24
"""Pages of an empty database, more or less."""
LEAST_RECORD = 400.0


@dataclass(frozen=True, slots=True)
class Inventory:
    """The database at one moment. `open` are the numbers of inspections that a person is, or may
    be, asked about, `waiting` is the oldest of them, `escalated` the oldest open escalation;
    `watched` is the last record that the instruments have read."""

    epoch: str
    first: int
    head: int
    pages: int
    free_pages: int
    page_bytes: int
    open: frozenset[int]
    waiting: int | None
    escalated: int | None
    watched: int | None

    @property
    def record_bytes(self) -> float:
        """What one record takes, its share of the indices included."""
        records = self.head - self.first + 1
        if records < 1:
            return LEAST_RECORD
        live = (self.pages - self.free_pages - OVERHEAD_PAGES) * self.page_bytes
        return max(live / records, LEAST_RECORD)


@dataclass(slots=True)
class Totals:
    """Sums over the pictures up to `seq`: number and bytes of those that are there, and bytes of
    all that were written behind a given record."""

    seq: int
    there: int = 0
    bytes: int = 0
    written: int = 0


class Stock:
    """A reader for retention. `state` names the keys under which open spot checks and the place of
    the instruments are kept. Every call may raise sqlite3.Error or StoreError."""

    def __init__(self, path: Path, checks_key: str, watch_key: str) -> None:
        self._file = Following(path)
        self._keys = checks_key, watch_key
        self._checks: tuple[str | None, frozenset[int]] = (None, frozenset())

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def look(self) -> Inventory | None:
        """How it stands; None while there is no database."""
        with self._file.reading() as database:
            if database is None:
                return None
            one = _one(database)
            epoch = str(one("SELECT value FROM meta WHERE key = 'epoch'"))
            anchor = int(one("SELECT ifnull(max(seq), 0) FROM anchors"))
            head = int(one("SELECT max(?1, ifnull(max(seq), 0)) FROM records", anchor))
            asked = self.look_open(database)
            return Inventory(
                epoch,
                anchor + 1,
                head,
                int(one("PRAGMA page_count")),
                int(one("PRAGMA freelist_count")),
                int(one("PRAGMA page_size")),
                asked,
                min(asked, default=None),
                one("SELECT min(seq) FROM escalations"),
                _watched(one(_STATE, self._keys[1]), epoch),
            )

    def state(self, key: str) -> str | None:
        """What is kept under this key."""
        with self._file.reading() as database:
            found = None if database is None else _one(database)(_STATE, key)
            return None if found is None else str(found)

    def marks(self) -> list[Mark]:
        """All marks, oldest first."""
        with self._file.reading() as database:
            if database is None:
                return []
            rows = database.execute(
                "SELECT odometer_s, seq, written, used FROM marks ORDER BY number"
            )
            return [Mark(*row) for row in rows]

    def add(self, totals: Totals, behind: int) -> bool:
        """Go on summing, a piece at a time; whether there may be more. `written` counts what is
        behind the record `behind`."""
        with self._file.reading() as database:
            if database is None:
                return False
            rows, last, there, size, written = database.execute(
                "SELECT count(*), max(seq), ifnull(sum(removed = 0), 0),"
                " ifnull(sum(CASE WHEN removed = 0 THEN bytes END), 0),"
                " ifnull(sum(CASE WHEN seq > ?2 THEN bytes END), 0) FROM"
                " (SELECT seq, bytes, removed FROM pictures WHERE seq > ?1 ORDER BY seq LIMIT ?3)",
                (totals.seq, behind, ROWS),
            ).fetchone()
            if rows:
                totals.seq = last
                totals.there += there
                totals.bytes += size
                totals.written += written
            return bool(rows == ROWS)

    def oldest(self) -> int | None:
        """The oldest picture that is there and belongs to a record here."""
        with self._file.reading() as database:
            if database is None:
                return None
            found = [
                _one(database)(
                    f"SELECT min(seq) FROM pictures WHERE removed = {THERE} AND worth = ?"
                    " AND seq > 0",
                    worth,
                )
                for worth in range(CHALLENGE + 1)
            ]
            return min((seq for seq in found if seq is not None), default=None)

    def leaving(self) -> list[Shelved]:
        """Pictures that were given up and may still be there."""
        with self._file.reading() as database:
            if database is None:
                return []
            rows = database.execute(
                f"SELECT seq, worth, bytes, path FROM pictures WHERE removed = {LEAVING}"
                " ORDER BY seq LIMIT ?",
                (ROWS,),
            )
            return [shelved(row) for row in rows]

    def aged(self, through: int, uploaded: Callable[[int], int]) -> list[Shelved]:
        """The oldest pictures up to record `through` that nothing holds."""
        with self._file.reading() as database:
            if database is None:
                return []
            asked = self.look_open(database)
            return [
                one
                for worth in range(CHALLENGE + 1)
                for one in unheld(database, worth, min(through, uploaded(worth)), asked)
            ]

    def cheapest(self, uploaded: Callable[[int], int]) -> tuple[list[Shelved], bool]:
        """The next pictures that nothing holds, the least valuable first; whether that is all."""
        found: list[Shelved] = []
        with self._file.reading() as database:
            if database is None:
                return found, True
            asked = self.look_open(database)
            for worth in range(CHALLENGE + 1):
                page = unheld(database, worth, uploaded(worth), asked)
                found += page
                if len(page) >= AT_ONCE:
                    return found, False
        return found, True

    def held(self, uploaded: Callable[[int], int]) -> list[Shelved]:
        """The next of those that somebody waits for, open escalations left out: these stay."""
        with self._file.reading() as database:
            if database is None:
                return []
            asked = self.look_open(database)
            waiting = [
                one
                for worth in range(CHALLENGE + 1)
                for one in on_shelf(database, worth, uploaded(worth), 1 << 62, AT_ONCE, UPLOAD)
                if one.picture.seq not in asked
            ]
            checks = sorted(asked - _escalated(database))
            return waiting or of_records(database, checks[:AT_ONCE])

    def look_open(self, database: sqlite3.Connection) -> frozenset[int]:
        """The inspections that a person may still be asked about, inside a reading."""
        checks = self._open_checks(database, _one(database)(_STATE, self._keys[0]))
        return _escalated(database) | checks

    def strangers(self, paths: Iterable[str]) -> list[str]:
        """Those of the files that no record here names, as far as their names say."""
        with self._file.reading() as database:
            if database is None:
                return []
            return [path for path in paths if is_stranger(database, path)]

    def newest_paths(self, most: int) -> list[str]:
        """Where the last pictures were put."""
        with self._file.reading() as database:
            if database is None:
                return []
            rows = database.execute("SELECT path FROM pictures ORDER BY seq DESC LIMIT ?", (most,))
            return [row[0] for row in rows]

    def _open_checks(self, database: sqlite3.Connection, kept: object) -> frozenset[int]:
        text = None if kept is None else str(kept)
        if text != self._checks[0]:
            names = json.loads(text) if text else []
            one = _one(database)
            found = (one(_SUBJECT, str(name), INSPECTION) for name in names)
            self._checks = text, frozenset(int(str(seq)) for seq in found if seq is not None)
        return self._checks[1]


_STATE = "SELECT value FROM state WHERE key = ?"
_SUBJECT = "SELECT seq FROM records WHERE subject = ? AND schema = ?"


def _escalated(database: sqlite3.Connection) -> frozenset[int]:
    return frozenset(row[0] for row in database.execute("SELECT seq FROM escalations"))


def _one(database: sqlite3.Connection) -> Callable[..., Any]:
    def first(statement: str, *values: object) -> Any:
        row = database.execute(statement, values).fetchone()
        return None if row is None else row[0]

    return first


def _watched(kept: object, epoch: str) -> int | None:
    """How far the instruments have read; None where nothing says so."""
    with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
        if kept is not None:
            where = json.loads(str(kept))["places"]["line"]
            return int(where[1]) if where[0] == epoch else 0
    return None
