"""What the commands of the fleet have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.errors import USAGE, fail

if TYPE_CHECKING:
    from sync.fleet.database import Database

MISSING = "pip install 'edge-inspect[fleet]'"


@contextmanager
def central_errors() -> Iterator[None]:
    """What can be wrong with the central database, in words and exit codes.

    Also guards the imports: the packages for databases are an extra that stations do not need.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").split(".")[0]
        if name in ("edge", "sync", ""):
            raise
        fail(f"{name} is not installed, and the fleet's database needs it", MISSING, USAGE)
    except Exception as error:
        _explain(error)
        raise


@contextmanager
def reading(url: str) -> Iterator[Database]:
    """The central database, to be read; a file as the user who owns it."""
    from edge.store.owner import become_owner
    from sync.fleet.database import Database, file_of

    file = file_of(url)
    if file is not None:
        become_owner(file.parent)
    database = Database(url, read_only=True)
    try:
        yield database
    finally:
        database.close()


def passphrase(path: Path | None) -> bytes | None:
    """What private keys are sealed with, in the first line of this file."""
    from sync.fleet.keys import passphrase_in

    return passphrase_in(path)


def key_in(path: Path | None) -> bytes | None:
    """The key in this file; ends the command when there is none in it."""
    from sync.acknowledgement import read_key

    if path is None:
        return None
    try:
        return read_key(path.read_bytes())
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}", "head -c 32 /dev/urandom | base64 > FILE", USAGE)


def _explain(error: Exception) -> None:
    from sync.fleet.database import Away, DatabaseError
    from sync.fleet.folder import RepositoryError
    from sync.fleet.keys import KeysError
    from sync.fleet.order import OrderRefused

    if isinstance(error, OrderRefused | RepositoryError | KeysError):
        fail(str(error), error.mend)
    if isinstance(error, Away):
        fail(str(error), error.mend)
    if isinstance(error, DatabaseError):
        fail(str(error), error.mend, USAGE)
