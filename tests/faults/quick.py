"""A place for folders that are made and thrown away by the hundred: memory, where there is some."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")


@contextmanager
def scratch(otherwise: Path) -> Iterator[Path]:
    """An empty folder, where fsync costs nothing if this machine has such a place."""
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    folder = Path(tempfile.mkdtemp(prefix="edge-inspect-", dir=MEMORY if usable else otherwise))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
