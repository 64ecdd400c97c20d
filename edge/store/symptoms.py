"""What SQLite's errors say about a file, and which file it is.

Damage is what makes a file useless for good. A lock, a full disk and a write that failed pass.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

CORRUPT, NOTADB = 11, 26
UNREADABLE = frozenset({266, 8458})
"""SQLITE_IOERR_READ and SQLITE_IOERR_CORRUPTFS."""
_CONTRADICTION = ("no such table", "no such column", "Could not decode")
_MALFORMED = ("database disk image is malformed", "malformed database schema", "file is not a")

Identity = tuple[int, int]


class Symptom(NamedTuple):
    """What a reader of a file met: which file it was (device and inode), and SQLite's words."""

    file: Identity | None
    why: str


def identity(path: Path) -> Identity | None:
    """Which file is there now; None where there is none. Raises sqlite3.OperationalError where
    that cannot be seen: for whoever works with the file it is as if SQLite could not open it."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise sqlite3.OperationalError(f"{path}: {error.strerror}") from error
    return found.st_dev, found.st_ino


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says that the file holds something else than it wrote."""
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code = getattr(error, "sqlite_errorcode", None)  # Python 3.11
    if code is not None:
        return code & 0xFF in (CORRUPT, NOTADB)
    return str(error).startswith(_MALFORMED)


def is_unreadable(error: BaseException) -> bool:
    """Whether bytes of the file could not be read. It may pass: damage is what stays.

    Python 3.10 does not tell reading from writing; there such a file stays until a person moves it.
    """
    return getattr(error, "sqlite_errorcode", None) in UNREADABLE


def is_unfinished(error: BaseException) -> bool:
    """Whether a power cut has interrupted the making of the file: the next writer completes it."""
    return isinstance(error, sqlite3.Error) and "readonly database" in str(error)


def contradicts(error: BaseException) -> bool:
    """Whether a table or a text is not what our statements need: look closer."""
    return isinstance(error, sqlite3.Error) and str(error).startswith(_CONTRADICTION)
