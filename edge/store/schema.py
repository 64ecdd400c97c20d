"""The tables of line.db and how an older file becomes a newer one.

A migration is never edited once released: a change is another migration at the end of the list.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.files import sync_folder
from edge.store.errors import StoreError, WrongVersion
from edge.store.shelf import pictured

if TYPE_CHECKING:
    import sqlite_utils

APPLICATION_ID = 0x4549_4C31
"""`EIL1`: lets `file` and `check` know a line.db from any other database."""

BUSY_MS = 5_000
FREQUENT = "schema NOT IN ('inspection/1', 'disposition/1')"
"""The term of the partial index over the rare kinds. A query must repeat it word for word."""


def _first(db: sqlite_utils.Database) -> None:
    """Records, what is known about the file, and what the line must remember across a restart.

    `subject` is the inspection that a record is about, else the record's own id. One index over
    (subject, schema) finds a part with its disposition and refuses a second disposition. The
    columns other than `body` and `hash` are copies from the body, for look-ups.
    """
    for statement in (
        """CREATE TABLE records (
             seq INTEGER PRIMARY KEY, schema TEXT NOT NULL, subject TEXT NOT NULL,
             part_id TEXT, at TEXT, decision TEXT, body BLOB NOT NULL, hash BLOB NOT NULL)""",
        "CREATE UNIQUE INDEX records_subject ON records (subject, schema)",
        "CREATE INDEX records_part ON records (part_id) WHERE part_id IS NOT NULL",
        "CREATE INDEX records_decision ON records (decision) WHERE decision IS NOT NULL",
        "CREATE INDEX records_at ON records (at, decision) WHERE decision IS NOT NULL",
        f"CREATE INDEX records_rare ON records (schema) WHERE {FREQUENT}",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE requests (id TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID",
        """CREATE TABLE escalations (
             inspection TEXT PRIMARY KEY, seq INTEGER NOT NULL, part_id TEXT,
             boot_id TEXT NOT NULL, deadline_ns INTEGER NOT NULL, allowed_s REAL NOT NULL
           ) WITHOUT ROWID""",
        """CREATE TABLE anchors (
             seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, count INTEGER NOT NULL,
             at TEXT NOT NULL, acknowledged_by TEXT)""",
        f"PRAGMA application_id = {APPLICATION_ID}",
        "PRAGMA user_version = 1",
    ):
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('epoch', ?)", [str(uuid.uuid4())])


def _second(db: sqlite_utils.Database) -> None:
    """What retention needs: the pictures, records that outlive the prefix, and marks of time.

    `kept` has the hash before each record, so that one can be checked without its neighbours.
    """
    for statement in (
        """CREATE TABLE pictures (
             seq INTEGER PRIMARY KEY, path TEXT NOT NULL, bytes INTEGER NOT NULL,
             worth INTEGER NOT NULL, removed INTEGER NOT NULL)""",
        "CREATE INDEX pictures_there ON pictures (worth, seq) WHERE removed = 0",
        "CREATE INDEX pictures_leaving ON pictures (seq) WHERE removed = 1",
        "CREATE INDEX pictures_strays ON pictures (path) WHERE seq < 0",
        """CREATE TABLE kept (
             seq INTEGER PRIMARY KEY, schema TEXT NOT NULL, subject TEXT NOT NULL,
             part_id TEXT, at TEXT, decision TEXT, body BLOB NOT NULL, hash BLOB NOT NULL,
             previous BLOB NOT NULL)""",
        "CREATE UNIQUE INDEX kept_subject ON kept (subject, schema)",
        "CREATE INDEX kept_part ON kept (part_id) WHERE part_id IS NOT NULL",
        "CREATE INDEX kept_kind ON kept (schema)",
        """CREATE TABLE marks (
             number INTEGER PRIMARY KEY, odometer_s REAL NOT NULL, seq INTEGER NOT NULL,
             written INTEGER NOT NULL, used INTEGER NOT NULL)""",
        "PRAGMA user_version = 2",
    ):
        db.execute(statement)
    ((_, _, file),) = (row for row in db.execute("PRAGMA database_list") if row[1] == "main")
    folder = Path(file).parent
    named = db.execute(
        "SELECT seq, body FROM records WHERE schema = 'inspection/1'"
        """ AND instr(body, CAST('"image":{' AS BLOB))"""
    )
    rows = (row for seq, body in named if (row := pictured(seq, body, folder)) is not None)
    db.conn.executemany("INSERT INTO pictures VALUES (?, ?, ?, ?, 0)", rows)


MIGRATIONS: tuple[tuple[str, Callable[[sqlite_utils.Database], None]], ...] = (
    ("first", _first),
    ("second", _second),
)
VERSION = len(MIGRATIONS)
FOREIGN = "SELECT count(*) FROM sqlite_master WHERE tbl_name != '_sqlite_migrations'"
"""A power cut during the first start may leave the table of migrations, and nothing else."""


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one write connection: WAL, and a commit returns only when it is on the disk.

    It may be opened in one thread and used in another, never in two at a time.
    """
    # opened and closed by the main thread, written by the record thread, never by both at once
    database = sqlite3.connect(
        path, isolation_level=None, timeout=BUSY_MS / 1000, check_same_thread=False
    )
    try:
        for pragma in (
            "page_size = 4096",
            "journal_mode = WAL",
            "synchronous = FULL",
            "wal_autocheckpoint = 2000",
            "journal_size_limit = 33554432",
            "temp_store = MEMORY",
            "trusted_schema = OFF",
        ):
            database.execute(f"PRAGMA {pragma}")
    except BaseException:
        database.close()
        raise
    return database


def version(database: sqlite3.Connection) -> int:
    """How many migrations the file has seen; 0 for an empty one."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def check_readable(database: sqlite3.Connection) -> bool:
    """Whether there are tables to read. Raises WrongVersion for a file that this one cannot read.

    A reader knows this version and the one before, so that services can be updated one by one.
    """
    found = version(database)
    if found not in (0, VERSION, VERSION - 1):
        raise WrongVersion(
            f"the database has version {found}; this program reads {VERSION}",
            "use the same version of edge-inspect for every service and command",
        )
    return found > 0


def migrate(database: sqlite3.Connection, path: Path) -> None:
    """Bring the file to VERSION. Each migration and its record are one transaction, in order.

    An existing file is copied first, to `<name>.before-<migration>`. Raises WrongVersion when the
    file is newer than this program, StoreError when it is some other program's database.
    """
    found = version(database)
    if found > VERSION:
        raise WrongVersion(
            f"{path}: version {found} was written by a newer edge-inspect than this ({VERSION})",
            "install that version again, or give this one another state directory",
        )
    if found == VERSION:
        return
    if found == 0 and database.execute(FOREIGN).fetchone()[0]:
        raise StoreError(f"{path}: not a database of edge-inspect", "move it out of the way")
    if found:
        _copy(database, path.with_name(f"{path.name}.before-{MIGRATIONS[found][0]}"))
    _apply(database)


def _apply(database: sqlite3.Connection) -> None:
    # Imported here: it costs 0.1 s and memory, and a start without news does not need it.
    import sqlite_utils

    wanted = sqlite_utils.Migrations("edge-inspect.line")
    for name, function in MIGRATIONS:
        wanted(name=name)(function)
    wanted.apply(sqlite_utils.Database(database, execute_plugins=False))


def _copy(database: sqlite3.Connection, target: Path) -> None:
    """A whole copy, the write-ahead log included, durable before this returns."""
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    copy = sqlite3.connect(partial)
    try:
        database.backup(copy)
    finally:
        copy.close()
    partial.rename(target)
    sync_folder(target.parent)
