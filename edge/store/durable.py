"""New directories and files that are still there after a power cut."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from edge.files import sync_folder


def make_directory(path: Path, mode: int = 0o750) -> None:
    """Make a directory and its missing parents; when this returns their names are durable.

    So is that of a directory which is there already: who made it may not have come to that.
    """
    missing = [path]
    while not missing[-1].parent.is_dir():
        missing.append(missing[-1].parent)
    for directory in reversed(missing):
        directory.mkdir(mode=mode, exist_ok=True)
        with contextlib.suppress(PermissionError):  # a folder of others, which we may only pass
            sync_folder(directory.parent)


def write_synced(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Write a whole file and fsync it. Its name is durable only after the folder is synced."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)
