"""The line's database as delivery reads it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from edge.store.archive import Archive
from edge.store.errors import StoreError
from sync.journal import JournalError, Row

T = TypeVar("T")


class Outbox:
    """A `sync.journal.JournalReader` over an archive: its errors become JournalErrors."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive = Archive(path)

    def epoch(self) -> str:
        """The epoch of the file."""
        epoch = self._try(lambda: self._archive.epoch)
        if epoch is None:
            raise JournalError(f"nothing is recorded yet in {self.path}", "edge-inspect run")
        return epoch

    def anchor(self) -> tuple[int, str]:
        """Where the stored chain begins."""
        anchor = self._try(lambda: self._archive.anchor)
        return anchor.seq, anchor.hash

    def head(self) -> int:
        """The number of the newest record."""
        return self._try(self._archive.head)[0]

    def rows(self, after_seq: int, max_rows: int, max_bytes: int, epoch: str) -> Sequence[Row]:
        """The next records of this epoch."""
        return self._try(lambda: self._archive.rows(after_seq, max_rows, max_bytes, epoch))

    def last_hash(self, seq: int) -> str | None:
        """The hash of one record or of the anchor."""
        return self._try(lambda: self._archive.last_hash(seq))

    def close(self) -> None:
        """Let the file go."""
        self._archive.close()

    def _try(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except StoreError as error:
            raise JournalError(str(error), error.hint) from error
        except (sqlite3.Error, OSError) as error:
            what = f"{self.path} cannot be read: {error}"
            raise JournalError(what, "edge-inspect results --verify") from error
