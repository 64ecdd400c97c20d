"""The station's databases as delivery reads them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from edge.review import verdicts
from edge.store.archive import Archive
from edge.store.errors import Replaced, StoreError
from sync.journal import Anchor, JournalError, Row, Source

T = TypeVar("T")

LINE, QUEUE = "line", verdicts.STREAM
SALVAGE = "salvage"
VERIFY = "edge-inspect results --verify"
_SALVAGED = re.compile(rf"({LINE}|{QUEUE})-[0-9a-zA-Z-]{{1,64}}\.db")
_PARTLY = ("malformed", "disk I/O error", "decode", "too big")
"""Words of SQLite for a page, or a row, that cannot be read where others can."""


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

    def anchor(self) -> Anchor:
        """Where the stored chain begins."""
        anchor = self._try(lambda: self._archive.anchor)
        return Anchor(anchor.seq, anchor.hash, anchor.at, anchor.acknowledged_by)

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
        except Replaced as error:
            raise JournalError(str(error), "nothing: delivery goes on in the new one") from error
        except StoreError as error:
            raise JournalError(str(error), error.hint) from error
        except (sqlite3.Error, OSError, TypeError, ValueError) as error:
            partly = isinstance(error, TypeError | ValueError) or any(
                word in str(error) for word in _PARTLY
            )
            raise JournalError(f"{self.path} cannot be read: {error}", VERIFY, partly) from error


class Outboxes:
    """A `sync.journal.Shelf`: line.db always, queue.db once it is there, and what was salvaged."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._open: dict[str, tuple[Outbox, Source]] = {}

    def __call__(self) -> Sequence[Source]:
        """What is there now."""
        paths = {LINE: self._state_dir / "line.db"}
        if (self._state_dir / verdicts.FILE).exists():
            paths[QUEUE] = self._state_dir / verdicts.FILE
        for path in self._salvaged():
            paths[f"{SALVAGE}/{path.name}"] = path
        for name in [name for name in self._open if name not in paths]:
            self._open.pop(name)[0].close()
        for name, path in paths.items():
            if name not in self._open:
                outbox = Outbox(path)
                stream = path.name.partition("-")[0] if name.startswith(SALVAGE) else name
                source = Source(name, stream, outbox, name.startswith(SALVAGE))
                self._open[name] = outbox, source
        return [self._open[name][1] for name in paths]

    def close(self) -> None:
        """Let all files go."""
        for outbox, _ in self._open.values():
            outbox.close()
        self._open.clear()

    def _salvaged(self) -> list[Path]:
        try:
            found = sorted((self._state_dir / SALVAGE).iterdir())
        except OSError:
            return []
        return [path for path in found if _SALVAGED.fullmatch(path.name)]
