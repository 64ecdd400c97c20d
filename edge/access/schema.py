"""The tables of web.db: what belongs in no chain. Names of persons are here and nowhere else.

A migration is never edited once released: a change is another migration at the end of the list.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.store.errors import StoreError, WrongVersion

if TYPE_CHECKING:
    import sqlite_utils

APPLICATION_ID = 0x4549_5731
"""`EIW1`."""


def _first(db: sqlite_utils.Database) -> None:
    """Persons, their sessions, machines, wrong tries, settings, and copies of cases.

    Of what signs somebody in only hashes are kept: of PINs scrypt's, of badges and one-time codes a
    keyed one, of cookies and tokens (which nobody can guess) SHA-256. Monotonic times are only
    good within their `boot_id`.
    """
    for statement in (
        """CREATE TABLE persons (
             id TEXT PRIMARY KEY, number TEXT UNIQUE, name TEXT, role TEXT NOT NULL,
             language TEXT NOT NULL, pin TEXT, pin_long INTEGER NOT NULL,
             pin_given INTEGER NOT NULL, badge BLOB UNIQUE, state TEXT NOT NULL,
             since TEXT NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE sessions (
             hash BLOB PRIMARY KEY, person TEXT NOT NULL, boot_id TEXT NOT NULL,
             begun_ns INTEGER NOT NULL, seen_ns INTEGER NOT NULL, locked INTEGER NOT NULL
           ) WITHOUT ROWID""",
        """CREATE TABLE machines (
             id TEXT PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,
             rights TEXT NOT NULL, since TEXT NOT NULL, used TEXT) WITHOUT ROWID""",
        """CREATE TABLE tries (
             key TEXT PRIMARY KEY, wrong REAL NOT NULL, last_ns INTEGER NOT NULL,
             until_ns INTEGER NOT NULL, boot_id TEXT NOT NULL) WITHOUT ROWID""",
        "CREATE TABLE places (address TEXT PRIMARY KEY, last REAL NOT NULL) WITHOUT ROWID",
        "CREATE TABLE codes (hash BLOB PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """CREATE TABLE cases (
             inspection TEXT PRIMARY KEY, at REAL NOT NULL, body TEXT NOT NULL, picture BLOB
           ) WITHOUT ROWID""",
        f"PRAGMA application_id = {APPLICATION_ID}",
        "PRAGMA user_version = 1",
    ):
        db.execute(statement)


MIGRATIONS: tuple[tuple[str, Callable[[sqlite_utils.Database], None]], ...] = (("first", _first),)
VERSION = len(MIGRATIONS)
FOREIGN = "SELECT count(*) FROM sqlite_master WHERE tbl_name != '_sqlite_migrations'"


def migrate(database: sqlite3.Connection, path: str) -> None:
    """Bring the file to VERSION, each migration in one transaction.

    Raises WrongVersion when the file is newer than this program, StoreError when it is some other
    program's.
    """
    found = int(database.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise WrongVersion(
            f"{path}: version {found} was written by a newer edge-inspect than this ({VERSION})",
            "install that version again, or give this one another state directory",
        )
    if found == VERSION:
        return
    if found == 0 and database.execute(FOREIGN).fetchone()[0]:
        raise StoreError(f"{path}: not a database of edge-inspect", "move it out of the way")
    import sqlite_utils

    wanted = sqlite_utils.Migrations("edge-inspect.web")
    for name, function in MIGRATIONS:
        wanted(name=name)(function)
    wanted.apply(sqlite_utils.Database(database, execute_plugins=False))
