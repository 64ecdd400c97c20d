"""One file on its way in: `<sha256>.part`, and beside it a bitmap of the pieces that it holds.

What counts is the hash of each piece. The bitmap only says where it is worth looking after a
restart; where it is damaged or missing, everything is looked at.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from sync.assignment import BundleFile
from sync.durable import sync_folder

LOOK_BYTES = 1 << 20
"""Read and hashed in one go: records that wait meanwhile wait for no longer than that."""
_CHECK = 4


class PieceError(ValueError):
    """The data are not the piece; `code` is one of sync/refusals.py."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


class Incoming:
    """The pieces of one file that are here. Raises OSError where the disk does not do its part.

    `look` until it says that it is done; then `missing` is right. `put` what comes. With nothing
    missing, `prove` until it says whether the whole is what it should be.
    """

    def __init__(self, folder: Path, bundle: BundleFile) -> None:
        self.bundle = bundle
        self.part, self._map_path = paths(folder, bundle.sha256)
        self._file = _open(self.part)
        self._map = -1
        try:
            self._map = _open(self._map_path)
            if os.fstat(self._file).st_size > bundle.size:
                os.ftruncate(self._file, bundle.size)
            marks = self._read_map()
            sync_folder(folder)
        except OSError:
            self.close()
            raise
        self._here = bytearray(len(marks))
        self._unseen = [n for n in range(self.count) if marks[n // 8] & 1 << n % 8]
        self._unseen.reverse()
        self._unsynced = 0
        self.bytes = 0
        self._proof = Proof(bundle)
        self._first = 0

    @property
    def count(self) -> int:
        """Pieces of the whole file."""
        return len(self.bundle.pieces)

    @property
    def complete(self) -> bool:
        """Whether every piece is here, each by its own hash."""
        return not self._unseen and self.bytes == self.bundle.size

    @property
    def unsynced(self) -> int:
        """Bytes that a power cut could take."""
        return self._unsynced

    def holds(self, number: int) -> bool:
        """Whether the piece is here."""
        return bool(self._here[number // 8] & 1 << number % 8)

    def missing(self) -> Iterator[int]:
        """Pieces that are not here, in order."""
        while self._first < self.count and self.holds(self._first):
            self._first += 1
        return (number for number in range(self._first, self.count) if not self.holds(number))

    def look(self) -> bool:
        """Compare some pieces of an earlier time with their hashes; false when that is done."""
        read = 0
        while self._unseen and read < LOOK_BYTES:
            number = self._unseen.pop()
            data = self._read(number)
            read += self.bundle.piece
            if hashlib.sha256(data).hexdigest() == self.bundle.pieces[number]:
                self._mark(number)
        if read and not self._unseen:
            self._write_map()
        return bool(self._unseen)

    def put(self, number: int, data: bytes) -> None:
        """Store a piece that is not here yet. Raises PieceError: then nothing has changed."""
        length = self.bundle.length(number)
        if len(data) != length:
            code = "too_long" if len(data) > length else "truncated"
            raise PieceError(code, f"piece {number} has {len(data)} bytes and not {length}")
        if hashlib.sha256(data).hexdigest() != self.bundle.pieces[number]:
            raise PieceError("wrong_bytes", f"piece {number} is not the one that was signed")
        _write(self._file, data, number * self.bundle.piece)
        self._mark(number)
        self._unsynced += length
        self._write_map()

    def sync(self) -> None:
        """Make what is here survive a power cut."""
        if self._unsynced:
            os.fdatasync(self._file)
            os.fdatasync(self._map)
            self._unsynced = 0

    def prove(self) -> bool | None:
        """Hash some of the whole file; True or False at its end, None before."""
        right = self._proof.step(self._file)
        if right is not None:
            self._proof = Proof(self.bundle)
        return right

    def doubt(self) -> None:
        """The whole is not what its pieces were: look at all of them again."""
        self._here = bytearray(len(self._here))
        self.bytes = self._first = 0
        self._unseen = list(reversed(range(self.count)))

    def finish(self, target: Path) -> None:
        """Make the proven file durable under its own name."""
        os.fsync(self._file)
        os.replace(self.part, target)
        self._map_path.unlink(missing_ok=True)
        sync_folder(target.parent)
        self.close()

    def close(self) -> None:
        """Let the files go; they stay. May be called twice."""
        for handle in (self._file, self._map):
            if handle >= 0:
                os.close(handle)
        self._file = self._map = -1

    def _read(self, number: int) -> bytes:
        try:
            return os.pread(self._file, self.bundle.length(number), number * self.bundle.piece)
        except OSError:  # a bad sector costs its piece
            return b""

    def _mark(self, number: int) -> None:
        if not self.holds(number):
            self._here[number // 8] |= 1 << number % 8
            self.bytes += self.bundle.length(number)

    def _read_map(self) -> bytes:
        """The marks as they were left; all set where that is not known."""
        size = -(-self.count // 8)
        found = os.pread(self._map, _CHECK + size + 1, 0)
        marks = found[_CHECK:]
        if len(marks) == size and zlib.crc32(marks).to_bytes(_CHECK, "big") == found[:_CHECK]:
            return marks
        empty = os.fstat(self._file).st_size == 0
        return bytes(size) if empty else b"\xff" * size

    def _write_map(self) -> None:
        marks = bytes(self._here)
        _write(self._map, zlib.crc32(marks).to_bytes(_CHECK, "big") + marks, 0)


class Proof:
    """The hash of a whole file, a little at a time."""

    def __init__(self, bundle: BundleFile) -> None:
        self._bundle = bundle
        self._hash = hashlib.sha256()
        self._at = 0

    def step(self, handle: int) -> bool | None:
        """Read on; at the end whether the file is right, None before. Raises OSError."""
        data = os.pread(handle, LOOK_BYTES, self._at)
        self._hash.update(data)
        self._at += len(data)
        if data and self._at <= self._bundle.size:
            return None
        return self._at == self._bundle.size and self._hash.hexdigest() == self._bundle.sha256


def paths(folder: Path, sha256: str) -> tuple[Path, Path]:
    """The names of the two files."""
    return folder / f"{sha256}.part", folder / f"{sha256}.map"


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o640)


def _write(handle: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(handle, view, offset)
        view, offset = view[done:], offset + done
