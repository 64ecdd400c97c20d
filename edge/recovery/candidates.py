"""Everything in a damaged database that may be a record, sorted by number in a file beside it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from edge.recovery.pages import Cell, Pages, Place, Value, cell, rows
from edge.store.rows import columns
from edge.store.shelf import THERE
from sync.chain import GENESIS, link

HASH = 32
MOST_VERSIONS = 8
"""Copies of one record that are looked at: its page as it was at earlier commits."""
_EPOCH = re.compile(rb'"epoch":"([0-9a-f-]{36})"')
_NUMBER = re.compile(rb'"seq":([0-9]{1,18})[,}]')


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row that may be a record: nothing about it is certain.

    `content` is None where the body is no record of this number and epoch: its hash may be right
    all the same. `previous` only has a record that outlived those around it.
    """

    seq: int
    body: bytes
    hash: bytes
    content: Mapping[str, Any] | None
    previous: bytes | None = None

    @property
    def proves_itself(self) -> bool:
        """Whether its hash follows from the one before it, which stands beside it."""
        if self.previous is None or self.content is None:
            return False
        return link(self.previous.hex(), self.body) == self.hash.hex()


class Candidates:
    """Looks through every page once; keeps where each row lies, not the row.

    `work` is the file for that, made anew. Raises OSError, sqlite3.Error (no room for it).
    """

    def __init__(self, path: Path, work: Path) -> None:
        self._pages = Pages(path)
        self._page: tuple[Place, bytes] | None = None
        work.unlink(missing_ok=True)
        self._work = sqlite3.connect(work, isolation_level=None)
        self.anchors: list[tuple[object, ...]] = []
        self.epoch: str | None = None
        try:
            self._collect()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let all files go."""
        self._work.close()
        self._pages.close()

    def __enter__(self) -> Candidates:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def records(self, epoch: str, after: int, most: int | None) -> Iterator[list[Candidate]]:
        """All versions of each number behind `after`, up to `most`, the newest version first."""
        return self._versions("found", epoch, after, (1 << 62) if most is None else most)

    def kept(self, epoch: str) -> Iterator[list[Candidate]]:
        """All versions of each record that outlived the prefix before the anchor."""
        return self._versions("kept", epoch, 0, 1 << 62)

    def given_up(self, seq: int) -> bool:
        """Whether the picture of this record was removed on purpose."""
        row = self._work.execute("SELECT removed FROM pictures WHERE seq = ?", (seq,)).fetchone()
        return row is not None and row[0] != THERE

    def _collect(self) -> None:
        database = self._work
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        for table in ("found", "kept"):
            database.execute(
                f"CREATE TABLE {table} (seq INTEGER, log INTEGER, page INTEGER, cell INTEGER,"
                " PRIMARY KEY (seq, log, page, cell)) WITHOUT ROWID"
            )
        database.execute("CREATE TABLE pictures (seq INTEGER PRIMARY KEY, removed INTEGER)")
        database.execute("BEGIN")
        epochs: Counter[bytes] = Counter()
        for place, page in self._pages.places():
            for one in rows(self._pages, page):
                self._sort(place, one, epochs)
        database.execute("COMMIT")
        if epochs:
            self.epoch = epochs.most_common(1)[0][0].decode()

    def _sort(self, place: Place, one: Cell, epochs: Counter[bytes]) -> None:
        values = one.values
        if _is_anchor(values) and one.rowid > 0:
            self.anchors.append((one.rowid, *values[1:]))
            return
        if _is_picture(values) and one.rowid > 0:
            row = (one.rowid, values[4])
            self._work.execute("INSERT OR REPLACE INTO pictures VALUES (?, ?)", row)
            return
        parts = _parts(values)
        if parts is None:
            return
        body, _, previous = parts
        numbers = {one.rowid} if 0 < one.rowid < 1 << 62 else set()
        if said := _NUMBER.search(body):
            numbers.add(int(said[1]))
        if named := _EPOCH.search(body):
            epochs[named[1]] += 1
        table = "found" if previous is None else "kept"
        self._work.executemany(
            f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?, ?)",
            [(number, place.in_log, place.offset, one.offset) for number in numbers],
        )

    def _versions(self, table: str, epoch: str, after: int, most: int) -> Iterator[list[Candidate]]:
        versions: list[Candidate] = []
        for seq, in_log, offset, at in self._work.execute(
            f"SELECT seq, log, page, cell FROM {table} WHERE seq > ? AND seq <= ?"
            " ORDER BY seq, log DESC, page DESC",
            (after, most),
        ):
            if versions and versions[0].seq != seq:
                yield versions
                versions = []
            found = self._read(Place(bool(in_log), offset), at, seq, epoch)
            if found is not None and len(versions) < MOST_VERSIONS and found not in versions:
                versions.append(found)
        if versions:
            yield versions

    def _read(self, place: Place, at: int, seq: int, epoch: str) -> Candidate | None:
        if self._page is None or self._page[0] != place:
            self._page = place, self._pages.at(place)
        one = cell(self._pages, self._page[1], at)
        parts = None if one is None else _parts(one.values)
        if parts is None:
            return None
        body, hashed, previous = parts
        return Candidate(seq, body, hashed, _content(body, seq, epoch), previous)


def _parts(values: list[Value]) -> tuple[bytes, bytes, bytes | None] | None:
    """Body, hash and the hash before, where this row has the shape of a record."""
    if len(values) not in (8, 9):
        return None
    body, hashed, previous = values[6], values[7], values[8] if len(values) == 9 else None
    if not isinstance(body, bytes) or not isinstance(hashed, bytes) or len(hashed) != HASH:
        return None
    if previous is not None and (not isinstance(previous, bytes) or len(previous) != HASH):
        return None
    return body, hashed, previous


def _is_anchor(values: list[Value]) -> bool:
    match values:
        case [None, bytes(hashed), int(count), str(), str() | None]:
            return len(hashed) == len(GENESIS) // 2 and count >= 0
    return False


def _is_picture(values: list[Value]) -> bool:
    match values:
        case [None, str(path), int(), int(), int()]:
            return path.startswith("images/")
    return False


def _content(body: bytes, seq: int, epoch: str) -> Mapping[str, Any] | None:
    try:
        content: Mapping[str, Any] = json.loads(body)
        columns(content)
        return content if (content["seq"], content["epoch"]) == (seq, epoch) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
