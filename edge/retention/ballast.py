"""A file of real blocks that is thrown off when the disk is full, so that deleting can begin.

On a full disk SQLite can neither delete nor move its log: both need a little room first.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from edge.log import log

NAME = "ballast"
SHARE = 64
LEAST, MOST = 256 * 1024, 32 * 1024 * 1024


def fitting(total: int) -> int:
    """How large it is where `total` bytes may be used."""
    return min(max(total // SHARE, LEAST), MOST)


class Ballast:
    """The file `ballast` of a state directory, `size` bytes or not there at all."""

    def __init__(self, state_dir: Path, size: int) -> None:
        self.size = size
        self._path = state_dir / NAME

    @property
    def aboard(self) -> bool:
        """Whether the whole file is there."""
        try:
            return self._path.stat().st_size >= self.size
        except OSError:
            return False

    def balance(self, free: int, refused: bool) -> bool:
        """Throw it off when the disk is full, take it again when there is room for three of it;
        whether it is aboard now. `free` bytes are on the disk; `refused`: a record was refused."""
        if self.aboard:
            if free < self.size // 2 or (refused and free < 2 * self.size):
                log.warning("storage.ballast", dropped=self.size, free=free)
                self.drop()
                return False
            return True
        return free >= 3 * self.size and not refused and self.take()

    def take(self) -> bool:
        """Make the file, as far as it is not there; whether it is there now."""
        if self.aboard:
            return True
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError:
            return False
        try:
            os.posix_fallocate(handle, 0, self.size)
        except OSError:
            self.drop()
            return False
        finally:
            os.close(handle)
        return True

    def drop(self) -> None:
        """Throw it off. Does nothing when it is gone."""
        with contextlib.suppress(OSError):
            self._path.unlink()
