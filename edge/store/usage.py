"""How many bytes the state directory takes, and what the disk has left."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

DEPTH = 6
BLOCK = 512
"""Unit of st_blocks, whatever the file system."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system: bytes in all, and free for this user."""

    total: int
    free: int

    @property
    def reserve(self) -> int:
        """What retention keeps free on it, for others too: a sixteenth, at most 1 GB."""
        return min(max(self.total // 16, 1 << 20), 10**9)


def disk(folder: Path) -> Disk:
    """The file system of a folder. Raises OSError."""
    found = os.statvfs(folder)
    return Disk(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


def of_database(path: Path) -> int:
    """A database with its write-ahead log; 0 where it is not there."""
    return sum(_size(path.with_name(path.name + end)) for end in ("", "-wal", "-shm"))


def of_all_but(state_dir: Path, left_out: frozenset[str]) -> int:
    """Everything in the state directory but the entries of these names."""
    try:
        names = [name for name in os.listdir(state_dir) if name not in left_out]
    except OSError:
        return 0
    return sum(_tree(state_dir / name, DEPTH) for name in names)


def _tree(path: Path, depth: int) -> int:
    if depth == 0 or path.is_symlink() or not path.is_dir():
        return _size(path)
    try:
        names = os.listdir(path)
    except OSError:
        return 0
    return sum(_tree(path / name, depth - 1) for name in names)


def _size(path: Path) -> int:
    try:
        return os.lstat(path).st_blocks * BLOCK
    except OSError:
        return 0
