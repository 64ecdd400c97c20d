"""Copies of what persons are asked about: a damaged line.db must not empty the queue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import Any

from edge.access.store import WebStore
from edge.log import log


class Copies:
    """The records of open escalations, in web.db. Used by one thread; written in batches by
    `flush`, each of them one transaction. A disk that refuses costs the copies, nothing else."""

    def __init__(self, store: WebStore) -> None:
        self._store = store
        self._there = {str(name) for (name,) in store.rows("SELECT inspection FROM cases")}
        self._new: dict[str, str] = {}
        self._gone: set[str] = set()

    def keep(self, inspection: str, record: Mapping[str, Any]) -> None:
        """Copy it at the next `flush`, if it is not there."""
        self._gone.discard(inspection)
        if inspection not in self._there:
            self._new[inspection] = json.dumps(dict(record))

    def drop(self, inspection: str) -> None:
        """It is not needed any more."""
        self._new.pop(inspection, None)
        if inspection in self._there:
            self._gone.add(inspection)

    def only(self, waiting: Collection[str]) -> None:
        """All others are not needed any more."""
        for name in self._there - set(waiting):
            self.drop(name)

    def find(self, inspection: str) -> dict[str, Any] | None:
        """The record, as it was copied."""
        if inspection in self._new:
            return dict(json.loads(self._new[inspection]))
        found = self._store.rows("SELECT body FROM cases WHERE inspection = ?", (inspection,))
        return dict(json.loads(found[0][0])) if found else None

    def flush(self, wall: float) -> None:
        """Write what has changed."""
        if not self._new and not self._gone:
            return
        try:
            with self._store.atomically() as database:
                database.executemany(
                    "INSERT OR REPLACE INTO cases VALUES (?, ?, ?, NULL)",
                    [(name, wall, body) for name, body in self._new.items()],
                )
                database.executemany(
                    "DELETE FROM cases WHERE inspection = ?", [(name,) for name in self._gone]
                )
        except (sqlite3.Error, OSError) as error:
            log.warning("web.copies", error=error)
            return
        self._there = (self._there | self._new.keys()) - self._gone
        self._new.clear()
        self._gone.clear()
