"""The one writer of queue.db: answers, corrections and what was done about persons."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from edge.access.record import Access
from edge.records import Record
from edge.recovery.enduring import EnduringJournal, Times
from edge.review.verdicts import FILE, STREAM
from edge.store.archive import Archive
from edge.store.batch import Committed
from edge.store.errors import StoreError
from edge.store.journal import NO_STATE
from edge.store.lock import Lock
from edge.store.symptoms import Symptom, identity, is_damage


class Chain:
    """The open queue.db, for a service that writes to it as long as it runs.

    It holds `queue.lock`. A damaged file is set aside, and the record that met it is the first of a
    new epoch. Nothing of the file is kept in memory: there is a row for each answer ever given.
    May be used from several threads.
    """

    def __init__(self, state_dir: Path, boot_id: str, clock: Times) -> None:
        """Raises Held (another process writes), sqlite3.Error, StoreError, OSError."""
        self.path = state_dir / FILE
        self._mutex = threading.Lock()
        self._lock = Lock(state_dir / "queue.lock")
        try:
            self._journal = EnduringJournal.begin(
                self.path, boot_id, clock, stream=STREAM, remember=False, glancing=True
            )
        except BaseException:
            self._lock.release()
            raise
        self._archive = Archive(self.path)

    def append(
        self,
        records: Sequence[Record],
        state: Mapping[str, str] = NO_STATE,
        request_id: str | None = None,
    ) -> list[Committed]:
        """Write them in one transaction; durable on return.

        Raises AlreadyApplied (the request), sqlite3.Error or StoreError: nothing is written then.
        """
        with self._mutex:
            return self._journal.append(records, state=state, request_id=request_id)

    def record(self, access: Access) -> None:
        """Write what was done about persons; durable on return. Raises as `append` does."""
        self.append([access])

    @property
    def head(self) -> tuple[str, int, str]:
        """Epoch, seq and hash of the newest record."""
        with self._mutex:
            return self._journal.head

    def seen(self, request_id: str) -> bool:
        """Whether the request with this id was applied."""
        with self._mutex:
            return self._journal.seen(request_id)

    def state(self, key: str) -> str | None:
        """What was last kept under this key."""
        with self._mutex:
            return self._journal.state(key)

    def verdict(self, name: str) -> Mapping[str, Any] | None:
        """The record of the answer with this id."""
        with self._mutex:
            try:
                row = self._archive.record("verdict/1", name)
            except sqlite3.Error as error:
                self._doubt(error, name)
                raise
        return None if row is None else dict(json.loads(row.body))

    def tend(self) -> None:
        """Look whether the file is still sound, though nobody writes. Call it now and then.

        Raises sqlite3.Error or StoreError where it is not and cannot be set aside now.
        """
        with self._mutex:
            self._journal.look()

    def _doubt(self, error: sqlite3.Error, name: str) -> None:
        """A page that only this reading needs: is it damaged for a connection of its own too?"""
        if not is_damage(error):
            return
        file = identity(self.path)
        try:
            self._archive.record("verdict/1", name)
        except sqlite3.Error as again:
            if is_damage(again):
                self.suspect(Symptom(file, str(again)))

    def suspect(self, symptom: Symptom) -> None:
        """A reader has found the file damaged: the next `append` or `tend` goes on in a new one."""
        self._journal.suspect(symptom)

    def close(self) -> None:
        """Let the file and its lock go. May be called twice."""
        with self._mutex:
            self._archive.close()
            self._journal.close()
            self._lock.release()

    def __enter__(self) -> Chain:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


REFUSED_BY_DISK = (sqlite3.Error, StoreError, OSError)
"""What `append` raises where the answer is not recorded and can be given again."""
