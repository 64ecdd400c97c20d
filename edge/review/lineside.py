"""What the line says about parts: their records, their fates, and which answers it has read."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from edge.recovery.history import History
from edge.review.waiting import Decided
from edge.store.errors import StoreError

UNREADABLE = (sqlite3.Error, StoreError, ValueError, KeyError, TypeError)
"""What reading the line's files may raise: a lock, damage, nonsense."""


@dataclass(frozen=True, slots=True)
class Read:
    """How far the line has read the queue, and acted. Not `running`: it acts on nothing."""

    running: bool
    epoch: str | None = None
    seq: int = 0


class LineSide(Protocol):
    """What the queue asks of the line's files. May be called from several threads."""

    def inspection(self, name: str) -> Mapping[str, Any] | None:
        """The record of an inspection by its id."""
        ...

    def fate(self, name: str) -> Decided | None:
        """What has happened to its part."""
        ...

    def read(self) -> Read | None:
        """How far the line has read; None where that is not known."""
        ...


class LineFiles:
    """`LineSide` over line.db and the status that the line writes.

    `status` gives the line's status file as it is now, None where the line does not run.
    """

    def __init__(self, path: Path, status: Callable[[], Mapping[str, object] | None]) -> None:
        self._history = History(path)
        self._status = status
        self._mutex = threading.Lock()

    def inspection(self, name: str) -> Mapping[str, Any] | None:
        """Raises sqlite3.Error, StoreError, ValueError: it cannot be read now."""
        with self._mutex:
            rows = self._history.find(name)
        found = [json.loads(row.body) for row in rows]
        return next((one for one in found if one["id"] == name), None)

    def fate(self, name: str) -> Decided | None:
        """Raises as `inspection` does."""
        with self._mutex:
            row = self._history.disposition(name)
        return None if row is None else decided(json.loads(row.body))

    def read(self) -> Read | None:
        """As the status says it; None while a running line does not say it."""
        status = self._status()
        if status is None:
            return Read(False)
        said = status.get("answers")
        if not isinstance(said, Mapping) or not isinstance(said.get("seq"), int):
            return None
        return Read(True, said.get("epoch"), said["seq"])

    def close(self) -> None:
        """Let the file go."""
        with self._mutex:
            self._history.close()


class NoLine:
    """A line of which nothing is known and that does not run."""

    def inspection(self, name: str) -> Mapping[str, Any] | None:
        """Nothing."""
        return None

    def fate(self, name: str) -> Decided | None:
        """Nothing."""
        return None

    def read(self) -> Read | None:
        """It acts on nothing."""
        return Read(False)


def decided(record: Mapping[str, Any]) -> Decided:
    """What a disposition says."""
    return Decided(record["disposition"], record["by"], record["at"], record["verdict"])
