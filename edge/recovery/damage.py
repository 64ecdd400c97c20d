"""Is this database damaged, or is something else the matter?

Damaged means: SQLite says that the bytes are not what it wrote, the tables or the end of the chain
contradict each other, or bytes could not be read at several tries. Another version, another
program's database, a lock, a full disk and a failing write are not damage: those pass, or are for a
person.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path

from edge.recovery.forgotten import forgotten
from edge.recovery.memory import check_small
from edge.store import schema
from edge.store.errors import StoreError
from edge.store.follow import connect_reader
from edge.store.symptoms import contradicts, is_damage, is_unfinished
from sync.chain import GENESIS, link

TAIL, GLANCE = 64, 8
"""Records at the end whose chain is checked at each start, and every second."""
BEGUN = "_sqlite_migrations"
"""The first table of all: a power cut at the very first start may leave it alone."""
OURS = frozenset(
    {"records", "meta", "state", "escalations", "anchors", "counts", "requests"} | {BEGUN}
)


def examine(path: Path) -> str | None:
    """What is damaged, as far as a start has the time to see it; None for a sound or missing file.

    Raises StoreError for another program's database, sqlite3.Error for what is no damage.
    """
    log = path.with_name(path.name + "-wal")
    if _size(path) == 0:
        return "the file is gone, its write-ahead log is not" if _size(log) > 0 else None
    return _with(path, lambda database: _examine(database, path))


def glance(path: Path) -> str | None:
    """The same, as far as it can be seen within a millisecond, of a file that was sound before.

    It is read anew: the writer has most pages in its memory and would not notice for long.
    """
    return _with(path, lambda database: _contradiction(database, GLANCE))


def _with(path: Path, look: Callable[[sqlite3.Connection], str | None]) -> str | None:
    try:
        database = connect_reader(path)
        try:
            database.execute("BEGIN")
            return look(database)
        finally:
            database.close()
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        if is_unfinished(error):
            return None
        raise


def _examine(database: sqlite3.Connection, path: Path) -> str | None:
    tables = {
        str(name)
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    ((application,),) = database.execute("PRAGMA application_id").fetchall()
    if application != schema.APPLICATION_ID and len(tables & OURS) < len(OURS) // 2:
        why = forgotten(path)
        if why is not None or tables <= {BEGUN}:
            return why
        raise StoreError(f"{path}: not a database of edge-inspect", "move it out of the way")
    if not tables >= OURS:
        return f"tables are missing: {', '.join(sorted(OURS - tables))}"
    found, applied = schema.version(database), _applied(database)
    if found != applied:
        return f"the header says version {found}, the tables version {applied}"
    if found > schema.VERSION:
        return None  # for `migrate` to refuse
    why = _contradiction(database, TAIL)
    return why or forgotten(path)


def _applied(database: sqlite3.Connection) -> int:
    (count,) = database.execute(
        "SELECT count(*) FROM _sqlite_migrations WHERE migration_set = 'edge-inspect.line'"
    ).fetchone()
    return int(count)


def _contradiction(database: sqlite3.Connection, most: int) -> str | None:
    """What does not fit in the small tables and at the end of the chain."""
    try:
        ((epoch,),) = database.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchall()
        uuid.UUID(epoch)
        check_small(database)
        _check_tail(database, epoch, most)
        return None
    except sqlite3.Error as error:
        if contradicts(error):
            return str(error)
        raise
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        return str(error) or repr(error)


def _check_tail(database: sqlite3.Connection, epoch: str, most: int) -> None:
    """Raises ValueError where the last records do not follow each other."""
    anchor = database.execute("SELECT seq, hash FROM anchors ORDER BY seq DESC LIMIT 1").fetchone()
    seq, last = (anchor[0], anchor[1].hex()) if anchor else (0, GENESIS)
    tail = database.execute(
        "SELECT seq, body, hash FROM records ORDER BY seq DESC LIMIT ?", (most + 1,)
    ).fetchall()[::-1]
    if len(tail) > most:
        (seq, _, known), *tail = tail
        last = known.hex()
    for number, body, stored in tail:
        seq, last = seq + 1, link(last, body)
        content = json.loads(body)
        if (number, stored.hex()) != (seq, last) or content["epoch"] != epoch:
            raise ValueError(f"record {seq} does not fit the record before")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
