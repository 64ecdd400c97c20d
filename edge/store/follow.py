"""A read-only connection that follows a path, whatever happens to the file behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from edge.store.schema import BUSY_MS, check_readable, version
from edge.store.symptoms import Identity, Symptom, identity, is_damage


class Following:
    """Reads `path` as it is at each call: absent, new, written to, stopped, replaced.

    Opens with `mode=ro` and `query_only`, never `immutable`: SQLite then reads what a running or
    killed writer has in its write-ahead log. It may create the `-shm` file, so it must run as the
    owner of the directory (edge/store/owner.py).
    """

    def __init__(self, path: Path, busy_ms: int = BUSY_MS) -> None:
        self.path = path
        self._busy_ms = busy_ms
        self.version = 0
        self.symptom: Symptom | None = None
        self._database: sqlite3.Connection | None = None
        self._file: Identity | None = None
        self._inside = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """One consistent view of the database; None while there is nothing to read.

        May be nested: the inner one sees what the outer one sees.
        """
        if self._inside:
            yield self._database
            return
        try:
            database = self._current()
            if database is None:
                yield None
                return
            with self._transaction(database):
                yield database
        except sqlite3.Error as error:
            if is_damage(error):
                self.symptom = Symptom(self._file or identity(self.path), str(error))
                self.close()  # so that the next reading sees the file and not its own memory of it
            raise
        self.symptom = None

    @contextmanager
    def _transaction(self, database: sqlite3.Connection) -> Iterator[None]:
        database.execute("BEGIN")
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
            database.rollback()

    def close(self) -> None:
        """Let the file go. The next reading opens it again."""
        if self._database is not None:
            self._database.close()
        self._database, self._file = None, None

    def _current(self) -> sqlite3.Connection | None:
        file = identity(self.path)
        if file is None or file != self._file:
            self.close()
            self._open()
        return self._database

    def _open(self) -> None:
        # Opened, then looked at again: the path may have changed hands in between.
        while (file := identity(self.path)) is not None:
            database = connect_reader(self.path, self._busy_ms)
            try:
                readable = check_readable(database)
                self.version = version(database)
            except BaseException:
                database.close()
                raise
            if readable and identity(self.path) == file:
                self._database, self._file = database, file
                return
            database.close()
            if not readable:
                return


def connect_reader(path: Path, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """A connection that cannot change a record. Raises sqlite3.Error, also for a long lock."""
    database = sqlite3.connect(
        f"file:{quote(str(path))}?mode=ro",
        uri=True,
        isolation_level=None,
        timeout=busy_ms / 1000,
        check_same_thread=False,
    )
    database.execute("PRAGMA query_only = ON")
    return database
