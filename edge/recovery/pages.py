"""The bytes of a SQLite file, read without SQLite: what is sound can be read around what is not.

The format: https://www.sqlite.org/fileformat2.html. Nothing here trusts what it reads. Whoever uses
it has to prove what comes out, by the hashes of the records.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

PAGE = 4096
"""The page size of every database of ours (edge/store/schema.py)."""
FRAME = 24 + PAGE
WAL_HEADER = 32
TABLE, INDEX = 0x0D, 0x0A
INNER_INDEX = 0x02
PIECE = 256 * PAGE
LARGEST = 64 << 20
MOST_COLUMNS = 32
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Value = int | float | str | bytes | None


class Place(NamedTuple):
    """Where a page lies: in the write-ahead log or in the database, and from which byte on."""

    in_log: bool
    offset: int


class Cell(NamedTuple):
    """One row of a table: its number, and where in the page it begins."""

    rowid: int
    offset: int
    values: list[Value]


class Pages:
    """A database and its write-ahead log. Missing and unreadable bytes read as zeros.

    Of the log only what was committed counts, of each page its newest version.
    """

    def __init__(self, path: Path) -> None:
        self._main = _open(path)
        self._log = _open(path.with_name(path.name + "-wal"))
        self._newest: dict[int, int] = {}
        self._log_commits: list[list[int]] = []
        self._log_goes_on = False
        self._read_log()

    def close(self) -> None:
        """Let both files go."""
        for handle in (self._main, self._log):
            if handle >= 0:
                os.close(handle)
        self._main = self._log = -1

    def places(self) -> Iterator[tuple[Place, bytes]]:
        """Every page of the database, then every committed one of the log, older ones too."""
        size = _size(self._main)
        for start in range(0, size, PIECE):
            piece = _read(self._main, start, PIECE)
            for offset in range(0, len(piece), PAGE):
                yield Place(False, start + offset), piece[offset : offset + PAGE]
        for offset in chain.from_iterable(self._log_commits):
            yield Place(True, offset), _read(self._log, offset, PAGE)

    @property
    def durable_frames(self) -> int:
        """Up to which frame of the log everything was on the disk for certain: every transaction
        behind which another was begun. The last one may have been torn by a power cut."""
        last = len(self._log_commits) - (not self._log_goes_on)
        return 0 if last <= 0 else (self._log_commits[last - 1][-1] - WAL_HEADER) // FRAME + 1

    def at(self, place: Place) -> bytes:
        """The page that lies there."""
        return _read(self._log if place.in_log else self._main, place.offset, PAGE)

    def page(self, number: int) -> bytes:
        """The newest committed version of a page, by its number from 1."""
        offset = self._newest.get(number)
        if offset is not None:
            return _read(self._log, offset, PAGE)
        return _read(self._main, (number - 1) * PAGE, PAGE)

    def current(self, most: int) -> Iterator[bytes]:
        """The newest version of each of the first `most` pages, and of each page in the log."""
        for number in range(1, min(_size(self._main) // PAGE, most) + 1):
            if number not in self._newest:
                yield self.page(number)
        for number in self._newest:
            yield self.page(number)

    def whole(self, local: bytes, size: int, next_page: int) -> bytes | None:
        """A payload of `size` bytes that begins with `local` and goes on in overflow pages."""
        pieces, got = [local], len(local)
        while got < size:
            if next_page <= 1 or len(pieces) > size // (PAGE - 4) + 2:
                return None
            page = self.page(next_page)
            next_page = int.from_bytes(page[:4], "big")
            pieces.append(page[4:])
            got += PAGE - 4
        return b"".join(pieces)[:size]

    def _read_log(self) -> None:
        header = _read(self._log, 0, WAL_HEADER)
        starts = range(WAL_HEADER, _size(self._log) - FRAME + 1, FRAME)
        heads = [_read(self._log, start, 24) for start in starts]
        # A log is begun again from its start: what lies behind the newest frames is older.
        salts = header[16:24] if _is_log_header(header) or not heads else heads[0][8:16]
        waiting: list[tuple[int, int]] = []
        for start, head in zip(starts, heads, strict=True):
            if not _nearly(head[8:16], salts):
                continue
            number, commit = struct.unpack(">II", head[:8])
            waiting.append((number, start + 24))
            if commit:
                self._newest.update(waiting)
                self._log_commits.append([offset for _, offset in waiting])
                waiting = []
        self._log_goes_on = bool(waiting)


def rows(pages: Pages, page: bytes) -> Iterator[Cell]:
    """The rows of a table that this page may hold: of a damaged one too, as far as they are whole.

    A page of any other kind gives none, or nonsense.
    """
    for offset in _cells(page, 8):
        found = cell(pages, page, offset)
        if found is not None:
            yield found


def cell(pages: Pages, page: bytes, offset: int) -> Cell | None:
    """The row that begins there; None where there is none."""
    size, at = _varint(page, offset)
    rowid, at = _varint(page, at)
    values = _values(pages, page, at, size, PAGE - 35)
    return None if values is None else Cell(rowid, offset, values)


def index_rows(pages: Pages, page: bytes) -> Iterator[list[Value]]:
    """The rows of a table WITHOUT ROWID that this page holds; none where it is of another kind."""
    if page[:1] not in (bytes([INDEX]), bytes([INNER_INDEX])):
        return
    inner = page[0] == INNER_INDEX
    for offset in _cells(page, 12 if inner else 8):
        size, at = _varint(page, offset + 4 * inner)
        values = _values(pages, page, at, size, (PAGE - 12) * 64 // 255 - 23)
        if values is not None:
            yield values


def _cells(page: bytes, start: int) -> Iterator[int]:
    """Where cells begin. Their number is not believed to be the most: it may be damaged too."""
    said = page[3] << 8 | page[4]
    for index, at in enumerate(range(start, PAGE - 1, 2)):
        offset = page[at] << 8 | page[at + 1]
        if at < offset < PAGE - 4:
            yield offset
        elif index >= said:
            return


def _values(pages: Pages, page: bytes, at: int, size: int, local_most: int) -> list[Value] | None:
    if not 2 <= size <= LARGEST:
        return None
    local = size
    if size > local_most:
        least = (PAGE - 12) * 32 // 255 - 23
        local = least + (size - least) % (PAGE - 4)
        local = local if local <= local_most else least
    if at + local > PAGE:
        return None
    payload: bytes | None = page[at : at + local]
    if local < size:
        next_page = int.from_bytes(page[at + local : at + local + 4], "big")
        payload = pages.whole(page[at : at + local], size, next_page)
    return None if payload is None else decode(payload)


def decode(payload: bytes) -> list[Value] | None:
    """The values of one row; None where the bytes are no row."""
    header, at = _varint(payload, 0)
    if not at <= header <= min(len(payload), 9 * MOST_COLUMNS):
        return None
    values: list[Value] = []
    place = header
    while at < header:
        kind, at = _varint(payload, at)
        found = _value(payload, place, kind)
        if found is None:
            return None
        place, value = found
        values.append(value)
    return values if at == header and place == len(payload) else None


def _value(payload: bytes, at: int, kind: int) -> tuple[int, Value] | None:
    """Where the next value begins, and this one."""
    if kind == 0:
        return at, None
    if kind in (8, 9):
        return at, kind - 8
    size = _INTEGERS.get(kind, 8 if kind == 7 else (kind - 12) // 2 if kind >= 12 else -1)
    raw = payload[at : at + size]
    if size < 0 or len(raw) != size:
        return None
    if kind == 7:
        return at + size, float(struct.unpack(">d", raw)[0])
    if kind < 12:
        return at + size, int.from_bytes(raw, "big", signed=True)
    return at + size, raw if kind % 2 == 0 else raw.decode(errors="replace")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to nine bytes, and where the next one begins. Zeros behind the end."""
    value = 0
    for index in range(at, at + 8):
        byte = data[index] if index < len(data) else 0
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, index + 1
    last = data[at + 8] if at + 8 < len(data) else 0
    return value << 8 | last, at + 9


def _nearly(some: bytes, others: bytes) -> bool:
    """Whether they differ in one bit at most: an older frame's salts differ in many."""
    differing = int.from_bytes(some, "big") ^ int.from_bytes(others, "big")
    return differing & (differing - 1) == 0


def _is_log_header(header: bytes) -> bool:
    """Whether its checksum is right."""
    words = struct.unpack("<8I" if header[3] == 0x82 else ">8I", header)
    first = second = 0
    for index in (0, 2, 4):
        first = (first + words[index] + second) & 0xFFFFFFFF
        second = (second + words[index + 1] + first) & 0xFFFFFFFF
    return struct.unpack(">2I", header[24:]) == (first, second)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _size(handle: int) -> int:
    return os.fstat(handle).st_size if handle >= 0 else 0


def _read(handle: int, offset: int, size: int) -> bytes:
    """Exactly `size` bytes; zeros for what is not there or cannot be read, page by page."""
    if handle < 0:
        return bytes(size)
    try:
        found = os.pread(handle, size, offset)
    except (OSError, OverflowError):
        if size <= PAGE:
            return bytes(size)
        return b"".join(_read(handle, start, PAGE) for start in range(offset, offset + size, PAGE))
    return found if len(found) == size else found + bytes(size - len(found))
