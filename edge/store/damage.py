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
from pathlib import Path

from edge.store import schema
from edge.store.errors import StoreError
from edge.store.follow import connect_reader
from edge.store.forgotten import forgotten
from edge.store.memory import read
from sync.chain import GENESIS, link

TAIL = 64
"""Records at the end whose chain is checked at each start."""
OURS = frozenset({"records", "meta", "state", "escalations", "anchors", "counts", "requests"})
CORRUPT, NOTADB = 11, 26
UNREADABLE = frozenset({266, 8458})
"""SQLITE_IOERR_READ and SQLITE_IOERR_CORRUPTFS."""
_CONTRADICTION = ("no such table", "no such column", "Could not decode")
_MALFORMED = ("database disk image is malformed", "malformed database schema", "file is not a")


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


def contradicts(error: BaseException) -> bool:
    """Whether a table or a text is not what our statements need: look closer (`examine`)."""
    return isinstance(error, sqlite3.Error) and str(error).startswith(_CONTRADICTION)


def examine(path: Path) -> str | None:
    """What is damaged, as far as a start has the time to see it; None for a sound or missing file.

    Raises StoreError for another program's database, sqlite3.Error for what is no damage.
    """
    log = path.with_name(path.name + "-wal")
    if _size(path) == 0:
        return "the file is gone, its write-ahead log is not" if _size(log) > 0 else None
    try:
        database = connect_reader(path)
        try:
            database.execute("BEGIN")
            return _examine(database, path)
        finally:
            database.close()
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise


def _examine(database: sqlite3.Connection, path: Path) -> str | None:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    ((application,),) = database.execute("PRAGMA application_id").fetchall()
    if application != schema.APPLICATION_ID and len(tables & OURS) < len(OURS) // 2:
        why = forgotten(path, None, 0)
        if why is not None or not tables:
            return why
        raise StoreError(f"{path}: not a database of edge-inspect", "move it out of the way")
    if not tables >= OURS:
        return f"tables are missing: {', '.join(sorted(OURS - tables))}"
    found, applied = schema.version(database), _applied(database)
    if found != applied:
        return f"the header says version {found}, the tables version {applied}"
    if found > schema.VERSION:
        return None  # for `migrate` to refuse
    return _contradiction(database, path)


def _applied(database: sqlite3.Connection) -> int:
    (count,) = database.execute(
        "SELECT count(*) FROM _sqlite_migrations WHERE migration_set = 'edge-inspect.line'"
    ).fetchone()
    return int(count)


def _contradiction(database: sqlite3.Connection, path: Path) -> str | None:
    """What does not fit in the small tables and at the end of the chain."""
    try:
        ((epoch,),) = database.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchall()
        uuid.UUID(epoch)
        read(database)
        database.execute("SELECT name, n FROM counts").fetchall()
        head = _check_tail(database, epoch)
    except sqlite3.Error as error:
        if contradicts(error):
            return str(error)
        raise
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        return str(error) or repr(error)
    return forgotten(path, epoch, head)


def _check_tail(database: sqlite3.Connection, epoch: str) -> int:
    """The newest number. Raises ValueError where the last records do not follow each other."""
    anchor = database.execute("SELECT seq, hash FROM anchors ORDER BY seq DESC LIMIT 1").fetchone()
    seq, last = (anchor[0], anchor[1].hex()) if anchor else (0, GENESIS)
    tail = database.execute(
        "SELECT seq, body, hash FROM records ORDER BY seq DESC LIMIT ?", (TAIL + 1,)
    ).fetchall()[::-1]
    if len(tail) > TAIL:
        (seq, _, known), *tail = tail
        last = known.hex()
    for number, body, stored in tail:
        seq, last = seq + 1, link(last, body)
        content = json.loads(body)
        if (number, stored.hex()) != (seq, last) or content["epoch"] != epoch:
            raise ValueError(f"record {seq} does not fit the record before")
    return int(seq)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
