"""One picture of this station, opened for sending."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from sync.gallery import Missing, Wanted
from sync.picture import confined, nameable

CHUNK = 1 << 20


class PictureFile:
    """An open file of a picture: a deletion meanwhile takes nothing away."""

    def __init__(self, file: int, size: int) -> None:
        self.size = size
        self._file: int | None = file

    def read(self, offset: int, most: int) -> bytes:
        """Bytes from `offset` on. Raises Missing when the disk refuses or the file was cut."""
        wanted = min(most, self.size - offset)
        try:
            data = os.pread(self._file, wanted, offset) if self._file is not None else b""
        except OSError as error:
            raise Missing(str(error)) from error
        if len(data) < wanted:
            raise Missing("the file is shorter than it was")
        return data

    def close(self) -> None:
        """Let the file go."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def sha256(self) -> str:
        """Over all bytes. Raises Missing."""
        digest = hashlib.sha256()
        for offset in range(0, self.size, CHUNK):
            digest.update(self.read(offset, CHUNK))
        return digest.hexdigest()


def open_picture(state_dir: Path, wanted: Wanted) -> PictureFile:
    """The file, if it holds what was recorded and lies in `images/`. Raises Missing."""
    if not nameable(wanted.inspection) or not confined(wanted.path):
        raise Missing(f"{wanted.path!r} is not a picture of this station")
    path = state_dir / wanted.path
    try:
        if not path.resolve(strict=True).is_relative_to((state_dir / "images").resolve()):
            raise Missing(f"{path} leads out of images/")
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, RuntimeError) as error:
        raise Missing(str(error)) from error
    file = PictureFile(number, 0)
    try:
        found = os.fstat(number)
        file.size = found.st_size
        if not stat.S_ISREG(found.st_mode) or file.sha256() != wanted.sha256:
            raise Missing(f"{path} is not what was recorded")
    except BaseException:
        file.close()
        raise
    return file
