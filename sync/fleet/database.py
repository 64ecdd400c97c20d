"""One connection to the central database, made again when it broke."""

from __future__ import annotations

import re
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from sync.fleet import tables

APPLICATION_ID = 0x4549_4331
"""`EIC1`: lets anyone know a collector's SQLite file from any other."""
BUSY_MS = 10_000
MIGRATION_LOCK = 0x4549_4331
IDLE_MS = 60_000
"""A collector that stops in the middle of a transaction (its machine sleeps, say) loses it after so
long: others wait for the chains that it holds."""


def _server_settings() -> dict[str, str | int]:
    """How a PostgreSQL is spoken to: durably, and never waited for without end."""
    options = {
        "synchronous_commit": "on",
        "idle_in_transaction_session_timeout": IDLE_MS,
        "lock_timeout": 2 * IDLE_MS,
    }
    return {
        "application_name": "edge-inspect fleet",
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
    }


_HOW_TO_MAKE = (
    "give the --database that `fleet serve` writes; a new one is made by: "
    "edge-inspect fleet init DIR --database {}"
)


_PASSWORD = re.compile(r"(:/+[^:/@]*):.*@")


class DatabaseError(Exception):
    """The database cannot be used as it is; what a person can do is in `mend`."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


class Away(DatabaseError):
    """The database cannot be reached now, or did not commit; it is worth trying again."""


def address(url: str) -> URL:
    """Read `sqlite:///FILE` or `postgresql://…`. Raises DatabaseError."""
    try:
        found = make_url(url)
    except ArgumentError as error:
        raise _no_address(url) from error
    if found.get_backend_name() == "sqlite" and found.database not in (None, "", ":memory:"):
        return found.set(drivername="sqlite+pysqlite")
    if found.get_backend_name() == "postgresql":
        return found.set(drivername="postgresql+psycopg")
    raise _no_address(url)


def words_of(url: URL) -> str:
    """The address as a person would type it, without the password."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def file_of(url: str) -> Path | None:
    """The file of an SQLite address; None for PostgreSQL. Raises DatabaseError."""
    found = address(url)
    if found.get_backend_name() != "sqlite":
        return None
    return Path(str(found.database)).absolute()


def existing(url: str) -> Path | None:
    """The same of a database that should be there. Raises DatabaseError where its file is not."""
    file = file_of(url)
    if file is not None and not file.exists():
        raise DatabaseError(f"{file} is not there", _HOW_TO_MAKE.format(f"sqlite:///{file}"))
    return file


class Database:
    """Used from one thread at a time. Everything happens in `transaction`.

    Two of them may write one SQLite file from two threads of a process when they share a `guard`:
    it is held for a whole transaction, so that no commit or checkpoint meets another. Without
    `create` a database that was never made is an error, as it is for one who only reads.
    """

    def __init__(
        self,
        url: str,
        read_only: bool = False,
        guard: threading.Lock | None = None,
        create: bool = True,
    ) -> None:
        self.url = address(url)
        self.words = words_of(self.url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.insert: Callable[..., Any] = sqlite.insert if self.sqlite else postgresql.insert
        self.store = ""
        self._read_only = read_only
        self._create = create and not read_only
        self._guard = guard
        self._engine: Engine | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing, and durable when it ends. Raises Away when it could not be, DatabaseError
        for a database that is not ours or too new."""
        try:
            with self._alone():
                if self._engine is None:
                    self._engine = self._open()
                with self._engine.begin() as connection:
                    yield connection
        except Exception as error:
            if self._is_away(error):
                raise self._away(error) from error
            raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._guard is None:
            yield
            return
        if not self._guard.acquire(timeout=IDLE_MS / 1000):
            raise Away(f"{self.words} is held by another thread", "look at the log for why")
        try:
            yield
        finally:
            self._guard.release()

    def close(self) -> None:
        """Let go of the connection. Another `transaction` may follow."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _is_away(self, error: Exception) -> bool:
        """Whether the database, not a record, is to blame; errors from below SQLAlchemy too."""
        if isinstance(error, DBAPIError):
            return not isinstance(error, sa.exc.DataError | sa.exc.IntegrityError)
        module: Any = self.url.get_dialect().import_dbapi()
        fault = isinstance(error, module.DataError | module.IntegrityError)
        return isinstance(error, OSError) or (isinstance(error, module.Error) and not fault)

    def _away(self, error: Exception) -> Away:
        words = str(getattr(error, "orig", None) or error).strip().splitlines()
        what = f"the database {self.words} cannot be used: {words[0] if words else error!r}"
        if self.sqlite:
            return Away(what, f"check the disk and the permissions of {self.url.database}")
        return Away(what, "check that the server runs, and the address: psql " + self.words)

    def _open(self) -> Engine:
        if self.sqlite:
            engine = self._sqlite_engine()
        else:
            settings = {
                name: value
                for name, value in _server_settings().items()
                if name not in self.url.query
            }
            engine = sa.create_engine(
                self.url,
                pool_size=1,
                max_overflow=0,
                pool_pre_ping=True,
                connect_args=settings,
                # whoever reads sees one moment; whoever writes, what others have just committed
                isolation_level="REPEATABLE READ" if self._read_only else "READ COMMITTED",
            )
        try:
            with engine.begin() as connection:
                self._prepare(connection)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _sqlite_engine(self) -> Engine:
        path = Path(str(self.url.database)).absolute()
        if not self._create:
            existing(f"sqlite:///{path}")
        if self._read_only:
            url = URL.create(
                "sqlite+pysqlite", database=f"file:{path}", query={"mode": "ro", "uri": "true"}
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            url = self.url.set(database=str(path))
        engine = sa.create_engine(
            url,
            pool_size=1,
            max_overflow=0,
            connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False},
        )
        begin = "BEGIN" if self._read_only else "BEGIN IMMEDIATE"
        sa.event.listen(engine, "connect", self._set_pragmas)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    def _set_pragmas(self, connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # transactions are begun by us
        known = connection.execute("PRAGMA application_id").fetchone()[0]
        others = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if known != APPLICATION_ID and (others or self._read_only):
            raise self._not_ours(empty=not others)  # before a byte of it is changed
        pragmas: tuple[str, ...] = ("query_only = ON",)
        if not self._read_only:
            pragmas = ("journal_mode = WAL", "synchronous = FULL", "journal_size_limit = 67108864")
        for pragma in (*pragmas, "temp_store = MEMORY", "trusted_schema = OFF"):
            connection.execute(f"PRAGMA {pragma}")

    def _prepare(self, connection: Connection) -> None:
        """Make the tables of an empty database; learn whose it is."""
        if not self._create and not (there := sa.inspect(connection).get_table_names()):
            raise self._not_ours(empty=True)
        if not self._create and "meta" not in there:
            raise self._not_ours()
        if not self._read_only:
            self._make_tables(connection)
        said = sa.select(tables.meta.c.key, tables.meta.c.value)
        found = {key: value for key, value in connection.execute(said)}
        if not found.keys() >= {"version", "store"}:
            raise self._not_ours()
        if int(found["version"]) > tables.VERSION:
            raise DatabaseError(
                f"{self.words} was written by a newer edge-inspect", "install that version here"
            )
        self.store = found["store"]

    def _make_tables(self, connection: Connection) -> None:
        if self.sqlite:
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        else:
            # Two collectors that start at the same moment make the tables once.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            if connection.exec_driver_sql("SHOW server_encoding").scalar() != "UTF8":
                raise DatabaseError(
                    f"{self.words} does not hold UTF-8", "createdb --encoding UTF8 …"
                )
        tables.METADATA.create_all(connection)
        first = {"version": str(tables.VERSION), "store": str(uuid.uuid4())}
        rows = [{"key": key, "value": value} for key, value in first.items()]
        connection.execute(self.insert(tables.meta).on_conflict_do_nothing(), rows)

    def _not_ours(self, empty: bool = False) -> DatabaseError:
        mend = "give another --database"
        if self.sqlite and empty:
            mend = "fleet init makes its tables, as fleet serve does when it starts: try again then"
            return DatabaseError(f"{self.words} is empty", mend)
        if not self.sqlite:  # of a server, one that is still empty is made elsewhere
            mend = _HOW_TO_MAKE.format(self.words)
        return DatabaseError(f"{self.words} is not a database of edge-inspect fleet", mend)


def insert_rows(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Many rows of `records` at once, below SQLAlchemy; none of them is there yet."""
    names = [column.name for column in tables.records.columns]
    raw: Any = connection.connection.driver_connection
    listed = ", ".join(names)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        raw.executemany(f"INSERT INTO records ({listed}) VALUES ({marks})", rows)
        return
    with raw.cursor() as cursor, cursor.copy(f"COPY records ({listed}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _no_address(url: str) -> DatabaseError:
    told = _PASSWORD.sub(r"\1:***@", url)
    return DatabaseError(
        f"{told!r} is not a database",
        "--database sqlite:////var/lib/edge-inspect-fleet/fleet.db, or postgresql://USER@HOST/NAME",
    )
