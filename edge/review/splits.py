"""splits.db: which part was given to which split, once and for ever, and what was exported.

One writer: the command that holds `splits.lock`. It belongs in no chain: nothing about a part's
fate follows from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from edge.review.split import Given, Shares, Split, parse_shares
from edge.store.errors import StoreError, WrongVersion
from edge.store.lock import Lock
from edge.store.schema import connect_writer

FILE, LOCK = "splits.db", "splits.lock"
APPLICATION_ID = 0x4549_5331
"""`EIS1`."""
VERSION = 1
TABLES = (
    "CREATE TABLE parts (part TEXT PRIMARY KEY, split TEXT NOT NULL, stratum TEXT NOT NULL,"
    " at TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE pictures (sha256 TEXT PRIMARY KEY, part TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE exported (inspection TEXT PRIMARY KEY, label TEXT NOT NULL, at TEXT NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
SHARES = "shares"


class Splits:
    """The file in a state directory, held by this process until `close`.

    Raises Held while another export is running, StoreError or sqlite3.Error where the file cannot
    be used. With `dry`, nothing is written and no file made.
    """

    def __init__(self, state_dir: Path, dry: bool = False) -> None:
        self._dry = dry
        self.path = state_dir / FILE
        self._lock = None if dry else Lock(state_dir / LOCK)
        self._database: sqlite3.Connection | None = None
        try:
            self._database = self._open()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Splits:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file and the lock go. May be called twice."""
        if self._database is not None:
            self._database.close()
            self._database = None
        if self._lock is not None:
            self._lock.release()

    @property
    def shares(self) -> Shares | None:
        """The shares that the last export gave by; None before the first."""
        row = self._all("SELECT value FROM settings WHERE name = ?", SHARES)
        return parse_shares(row[0][0]) if row else None

    def parts(self) -> dict[str, Given]:
        """Every part that has a split."""
        rows = self._all("SELECT part, split, stratum FROM parts")
        return {part: Given(cast(Split, split), stratum) for part, split, stratum in rows}

    def pictures(self) -> dict[str, str]:
        """The part that each picture was first seen with, by SHA-256."""
        rows = self._all("SELECT sha256, part FROM pictures")
        return {sha256: part for sha256, part in rows}

    def exported(self) -> dict[str, str]:
        """The label that each inspection was last exported with."""
        rows = self._all("SELECT inspection, label FROM exported")
        return {inspection: label for inspection, label in rows}

    def give(
        self,
        parts: Mapping[str, Given],
        pictures: Mapping[str, str],
        shares: Shares,
        at: str,
    ) -> None:
        """Keep splits of new parts, strata of known ones, and new pictures, durably, in one
        transaction. A part that has a split keeps it, whatever `parts` says."""
        self._write(
            (
                "INSERT INTO parts VALUES (?, ?, ?, ?)"
                " ON CONFLICT (part) DO UPDATE SET stratum = excluded.stratum",
                [(part, given.split, given.stratum, at) for part, given in parts.items()],
            ),
            ("INSERT OR IGNORE INTO pictures VALUES (?, ?)", pictures.items()),
            ("INSERT OR REPLACE INTO settings VALUES (?, ?)", [(SHARES, str(shares))]),
        )

    def mark(self, labels: Mapping[str, str], at: str) -> None:
        """These inspections were exported with these labels, durably."""
        rows = [(inspection, label, at) for inspection, label in labels.items()]
        self._write(("INSERT OR REPLACE INTO exported VALUES (?, ?, ?)", rows))

    def _write(self, *statements: tuple[str, Iterable[tuple[object, ...]]]) -> None:
        database = self._database
        if self._dry or database is None:
            return
        database.execute("BEGIN IMMEDIATE")
        try:
            for statement, rows in statements:
                database.executemany(statement, rows)
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise

    def _all(self, statement: str, *values: object) -> list[tuple[str, ...]]:
        return (
            [] if self._database is None else self._database.execute(statement, values).fetchall()
        )

    def _open(self) -> sqlite3.Connection | None:
        if self._dry:
            return _checked(_reader(self.path), self.path) if self.path.exists() else None
        database = connect_writer(self.path)
        try:
            if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                database.execute("BEGIN IMMEDIATE")
                for statement in TABLES:
                    database.execute(statement)
                database.execute("COMMIT")
            return _checked(database, self.path)
        except BaseException:
            database.close()
            raise


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


def _checked(database: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """The same. Raises StoreError for another program's file, WrongVersion for a newer one."""
    if database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError(f"{path}: not the splits of edge-inspect", "move it out of the way")
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found != VERSION:
        raise WrongVersion(
            f"{path}: version {found}; this program knows {VERSION}",
            "use the version of edge-inspect that made it",
        )
    return database
