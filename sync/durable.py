"""Files that are there whole or not at all, also after a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Write a temporary file beside `path`, fsync it, rename it over `path`, fsync the folder.

    The temporary has one name only: one process writes `path`. Raises OSError; the old file is then
    untouched.
    """
    temporary = path.with_name(f".{path.name}.new")
    with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
