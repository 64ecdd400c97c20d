"""The one writer of line.db.

`append` returns when its records are on the disk. They get their place in the chain here and
nowhere else: bodies are made once, hashed, and from then on only copied.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from edge.files import sync_folder
from edge.records import Record
from edge.store import escalations, pruning, schema, tidying
from edge.store.batch import Batch, Committed, Head, make_batch
from edge.store.durable import make_directory
from edge.store.errors import AlreadyApplied, AlreadyDecided, StoreError, Unwritable
from edge.store.escalations import Deadline, Escalation
from edge.store.pruning import Prune, Pruned
from edge.store.rows import DISPOSITION, INSPECTION
from edge.store.tidying import Tidying
from sync.chain import GENESIS

T = TypeVar("T")
NO_DEADLINES: Mapping[str, Deadline] = {}
NO_STATE: Mapping[str, str] = {}
SLACK = 64
"""Pages beyond the bound that housework may take for a moment: records that are kept move first."""

_RECORD = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_COUNT = "INSERT INTO counts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n"
_STATE = "INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_OPEN = "INSERT INTO escalations VALUES (?, ?, ?, ?, ?, ?)"
_CLOSE = "DELETE FROM escalations WHERE inspection = ?"


class Journal:
    """The open line.db. Used from one thread at a time; the caller holds the lock of the service.

    After any error nothing of the call is stored, `head` is as before, and the same records can
    be given again.
    """

    def __init__(self, database: sqlite3.Connection, path: Path, stream: str, boot_id: str) -> None:
        self.path = path
        self._database = database
        self._boot_id = boot_id
        self._head = read_head(database, stream)
        self._cap = 0

    @classmethod
    def open(cls, path: Path, boot_id: str, now_ns: int, stream: str = "line") -> Journal:
        """Open or make the file and its directory, bring it up to date, find the end of the chain.

        `now_ns` is the monotonic clock: escalations of an earlier boot get their whole time again
        from now. Raises sqlite3.Error (the disk, or a damaged file), WrongVersion, StoreError.
        """
        make_directory(path.parent)
        database = schema.connect_writer(path)
        try:
            schema.migrate(database, path)
            sync_folder(path.parent)
            escalations.restart_clocks(database, boot_id, now_ns)
            return cls(database, path, stream, boot_id)
        except BaseException:
            database.close()
            raise

    @property
    def head(self) -> tuple[str, int, str]:
        """Epoch, seq and hash of the newest record; seq 0 and zeros before the first."""
        return self._head.epoch, self._head.seq, self._head.hash

    def append(
        self,
        records: Sequence[Record],
        *,
        deadlines: Mapping[str, Deadline] = NO_DEADLINES,
        state: Mapping[str, str] = NO_STATE,
        request_id: str | None = None,
    ) -> list[Committed]:
        """Write everything given in one transaction; on return it is durable.

        `deadlines` holds one for each inspection that is escalated and asked, by its id. Its
        escalation is then open until its disposition is appended. `state` is kept for the next
        start, `request_id` so that a request is never applied twice.

        Raises AlreadyDecided (a second disposition), AlreadyApplied (the request id), Unwritable
        (a record that can never be stored), sqlite3.Error (try again later).
        """
        batch = make_batch(self._head, records, deadlines, self._boot_id)
        self._check_earlier(batch)
        if request_id is not None and self.seen(request_id):
            raise AlreadyApplied(request_id)
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._write(batch, state, request_id)
            self._database.execute("COMMIT")
        except BaseException as error:
            self._undo()
            if isinstance(error, sqlite3.IntegrityError):
                raise self._unwritable(batch, error) from error
            raise
        if batch.chained:
            newest = batch.chained[-1]
            self._head = Head(self._head.stream, self._head.epoch, newest.seq, newest.hash)
        return batch.chained

    def prune(self, wanted: Prune) -> Pruned:
        """Delete a prefix of the records, in one transaction that leaves an anchor.

        What must outlive it is kept. Raises NotOurs (an acknowledgement of other records: nothing
        is deleted), sqlite3.Error (nothing is deleted; try again later, or with fewer).
        """
        return self._tidily(lambda: pruning.prune(self._database, self._head.epoch, wanted))

    def tidy(self, wanted: Tidying) -> None:
        """Write what retention has decided, in one transaction; durable on return.

        Raises Replaced when it is about another epoch, sqlite3.Error; nothing is written then.
        """
        self._tidily(lambda: tidying.tidy(self._database, self._head.epoch, wanted))

    def bound(self, pages: int, log_pages: int) -> None:
        """Let the file grow to so many pages, its write-ahead log to about so many.

        A file that is larger already stays as it is. Behind the bound every write is refused as on
        a full disk, but for housework, which makes room.
        """
        (page,) = self._database.execute("PRAGMA page_size").fetchone()
        self._cap = pages
        for pragma in (
            f"max_page_count = {pages}",
            f"wal_autocheckpoint = {log_pages}",
            f"journal_size_limit = {4 * log_pages * page}",
        ):
            self._database.execute(f"PRAGMA {pragma}").fetchone()

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and give its room back, as far as readers let."""
        with contextlib.suppress(sqlite3.OperationalError):
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def seen(self, request_id: str) -> bool:
        """Whether the request with this id was committed."""
        return self._one("SELECT 1 FROM requests WHERE id = ?", request_id) is not None

    def state(self, key: str) -> str | None:
        """What was last kept under this key; None when nothing was."""
        row = self._one("SELECT value FROM state WHERE key = ?", key)
        return None if row is None else str(row[0])

    def open_escalations(self) -> list[Escalation]:
        """Escalated inspections without a disposition, oldest first."""
        return escalations.read_open(self._database)

    def close(self) -> None:
        """Move the write-ahead log into the database and close. May be called twice."""
        try:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass  # closed already, or the disk is full: the log stays and is read at the next open
        finally:
            self._database.close()

    def _write(self, batch: Batch, state: Mapping[str, str], request_id: str | None) -> None:
        run = self._database.executemany
        run(_RECORD, batch.rows)
        run(_COUNT, batch.counts.items())
        if batch.pictures:
            run("INSERT INTO pictures VALUES (?, ?, ?, ?, 0)", batch.pictures)
        if batch.opened:
            run(_OPEN, batch.opened.values())
        if batch.earlier:
            run(_CLOSE, [(inspection,) for inspection in batch.earlier])
        if state:
            run(_STATE, state.items())
        if request_id is not None:
            run("INSERT INTO requests VALUES (?, ?)", [(request_id, self._head.seq + 1)])

    def _check_earlier(self, batch: Batch) -> None:
        """Dispositions of earlier inspections: these exist and have none yet.

        An inspection of an earlier epoch exists as long as its escalation is open.
        """
        for inspection, record in batch.earlier.items():
            kinds = self._database.execute(
                "SELECT schema FROM records WHERE subject = ?", (inspection,)
            ).fetchall()
            if (DISPOSITION,) in kinds:
                raise AlreadyDecided(inspection, record)
            open_one = "SELECT 1 FROM escalations WHERE inspection = ?"
            if (INSPECTION,) not in kinds and self._one(open_one, inspection) is None:
                raise Unwritable(f"disposition of an unknown inspection {inspection}", record)

    def _unwritable(self, batch: Batch, error: sqlite3.IntegrityError) -> StoreError:
        """Name the record whose id is taken, so that the others can be tried without it."""
        taken: set[tuple[str, str]] = set()
        for committed, row in zip(batch.chained, batch.rows, strict=True):
            key = (row[2], row[1])
            known = self._database.execute(
                "SELECT 1 FROM records WHERE subject = ? AND schema = ?", key
            ).fetchone()
            if known or key in taken:
                return Unwritable(f"{key[1]} {key[0]} is stored already", committed.record)
            taken.add(key)
        return StoreError(
            f"{self.path}: another process has written to it ({error})",
            "stop every edge-inspect process of this state directory and start the service again",
        )

    def _tidily(self, work: Callable[[], T]) -> T:
        """Do `work` in one transaction, with a few pages more than others may have."""
        if self._cap:
            # A file may be beyond its bound already: the limit was lowered, others fill the disk.
            (pages,) = self._database.execute("PRAGMA page_count").fetchone()
            most = max(self._cap, pages) + SLACK
            self._database.execute(f"PRAGMA max_page_count = {most}").fetchone()
        try:
            self._database.execute("BEGIN IMMEDIATE")
            done = work()
            self._database.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        finally:
            if self._cap:
                self._database.execute(f"PRAGMA max_page_count = {self._cap}").fetchone()
        return done

    def _undo(self) -> None:
        try:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # SQLite rolled back by itself; the first error is the one to tell

    def _one(self, statement: str, key: str) -> tuple[object, ...] | None:
        row: tuple[object, ...] | None = self._database.execute(statement, (key,)).fetchone()
        return row


def read_head(database: sqlite3.Connection, stream: str) -> Head:
    """The newest record of a database, its anchor when there is none. Raises sqlite3.Error."""
    (epoch,) = database.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    newest = database.execute(
        "SELECT seq, hash FROM records UNION ALL SELECT seq, hash FROM anchors"
        " ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    seq, last = (newest[0], newest[1].hex()) if newest else (0, GENESIS)
    return Head(stream, epoch, seq, last)
