"""web.db: persons, sessions, tokens, tries, settings, copies of cases. One writer, thread-safe."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.access.schema import migrate
from edge.log import log
from edge.store.durable import make_directory
from edge.store.schema import connect_writer

FILE = "web.db"
MODE = 0o640


class WebStore:
    """One connection that the threads of the service share, one at a time.

    Whoever opens it holds `queue.lock`. What a transaction has written is on the disk when it ends.
    A file that SQLite cannot read is set aside as `web.db.damaged`: without it nobody could sign in
    any more; the service then begins with a one-time code, as at its first start.
    Raises StoreError, sqlite3.Error, OSError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        make_directory(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE))
        try:
            self._database = _opened(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            _set_aside(path, error)
            self._database = _opened(path)

    @contextmanager
    def atomically(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it durable afterwards, or nothing where it raises."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            try:
                self._database.execute("COMMIT")
            except sqlite3.Error:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds, all of it."""
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def write(self, statement: str, values: Sequence[Any] = ()) -> int:
        """One statement, durable on return; how many rows it changed."""
        with self.atomically() as database:
            return database.execute(statement, values).rowcount

    def setting(self, key: str, default: str = "") -> str:
        """One setting."""
        found = self.rows("SELECT value FROM settings WHERE key = ?", (key,))
        return str(found[0][0]) if found else default

    def set(self, key: str, value: str) -> None:
        """Keep one setting."""
        self.write("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, value))

    def settle(self) -> None:
        """Bring everything into the file itself and empty the log beside it: what was deleted is
        then nowhere any more. A reader in the way puts that off to the next time."""
        with self._lock:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._database.close()


def _opened(path: Path) -> sqlite3.Connection:
    database = connect_writer(path)
    try:
        # Erased names leave the file, not only the tables.
        database.execute("PRAGMA secure_delete = ON")
        migrate(database, str(path))
        for (found,) in database.execute("PRAGMA quick_check(1)"):
            if found != "ok":
                raise sqlite3.DatabaseError(f"quick_check: {found}")
    except BaseException:
        database.close()
        raise
    return database


def _set_aside(path: Path, error: Exception) -> None:
    log.error("web.damaged", file=path.name, why=error, aside=f"{path.name}.damaged")
    for ending in ("-wal", "-shm", ""):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.damaged{ending}"))
