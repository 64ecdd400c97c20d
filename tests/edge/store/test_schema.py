import sqlite3
from pathlib import Path

import pytest

from edge.store import follow, schema
from edge.store.archive import Archive
from edge.store.errors import StoreError, WrongVersion
from edge.store.journal import Journal
from tests.edge.store.builders import sure


def _line(path: Path, parts: int = 0) -> None:
    journal = Journal.open(path, "boot-1", 0)
    if parts:
        journal.append(sure(parts))
    journal.close()


def _later(*more):
    return (*schema.MIGRATIONS, *more)


def _second(db) -> None:
    db.execute("ALTER TABLE records ADD COLUMN colour TEXT")
    db.execute("PRAGMA user_version = 2")


def _breaks(db) -> None:
    db.execute("CREATE TABLE half (x)")
    db.execute("PRAGMA user_version = 2")
    raise RuntimeError("power cut")


def _use(monkeypatch: pytest.MonkeyPatch, migrations) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "VERSION", len(migrations))


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    database = schema.connect_writer(tmp_path / "line.db")
    schema.migrate(database, tmp_path / "line.db")
    asked = {
        p: database.execute(f"PRAGMA {p}").fetchone()[0] for p in ("journal_mode", "synchronous")
    }
    database.close()
    assert asked == {"journal_mode": "wal", "synchronous": 2}


def test_a_migration_happens_whole_or_not_at_all(tmp_path, monkeypatch) -> None:
    path = tmp_path / "line.db"
    _line(path, 3)
    _use(monkeypatch, _later(("breaks", _breaks)))
    with pytest.raises(RuntimeError, match="power cut"):
        Journal.open(path, "boot-1", 0)
    with sqlite3.connect(path) as database:
        assert schema.version(database) == 1
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        applied = database.execute("SELECT name FROM _sqlite_migrations").fetchall()
    database.close()
    assert "half" not in names
    assert applied == [("first",)]


def test_the_file_is_copied_before_it_is_changed(tmp_path, monkeypatch) -> None:
    path = tmp_path / "line.db"
    journal = Journal.open(path, "boot-1", 0)
    journal.append(sure(3))
    head = journal.head
    # Not closed: the records are still in the write-ahead log, as after a kill.
    _use(monkeypatch, _later(("second", _second)))
    migrated = Journal.open(path, "boot-1", 0)
    assert migrated.head == head
    migrated.close()
    journal.close()
    copy = sqlite3.connect(tmp_path / "line.db.before-second")
    assert schema.version(copy) == 1
    assert copy.execute("SELECT count(*) FROM records").fetchone() == (6,)
    copy.close()


def test_a_reader_knows_this_version_and_the_one_before(tmp_path, monkeypatch) -> None:
    path = tmp_path / "line.db"
    _line(path, 1)
    for known, readable in ((2, True), (3, False)):
        monkeypatch.setattr(schema, "VERSION", known)
        archive = Archive(path)
        if readable:
            assert archive.head()[0] == 2
        else:
            with pytest.raises(WrongVersion, match="version 1"):
                archive.head()
        archive.close()


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "line.db"
    _line(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(WrongVersion, match="newer"):
        Journal.open(path, "boot-1", 0)
    with pytest.raises(WrongVersion):
        Archive.open(path)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "line.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE recipes (name)")
    database.close()
    with pytest.raises(StoreError, match="not a database of edge-inspect"):
        Journal.open(path, "boot-1", 0)


def test_a_start_without_news_does_not_load_the_migration_library(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "line.db"
    _line(path)
    code = (
        "import sys; from pathlib import Path; from edge.store.journal import Journal;"
        "Journal.open(Path(sys.argv[1]), 'b', 0).close(); print('sqlite_utils' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_reader_never_writes(tmp_path: Path) -> None:
    path = tmp_path / "line.db"
    _line(path, 2)
    reader = follow.Following(path)
    with reader.reading() as database:
        assert database is not None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            database.execute("DELETE FROM records")
    reader.close()
