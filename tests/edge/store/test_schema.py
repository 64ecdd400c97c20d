import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from edge.records import ImageRef
from edge.store import follow, schema
from edge.store.archive import Archive
from edge.store.errors import StoreError, WrongVersion
from edge.store.journal import Journal
from edge.store.verify import verify
from tests.edge.store.builders import due, inspection, sure

NOW = schema.VERSION


def _line(path: Path, parts: int = 0) -> None:
    journal = Journal.open(path, "boot-1", 0)
    if parts:
        journal.append(sure(parts))
    journal.close()


def _later(*more):
    return (*schema.MIGRATIONS, *more)


def _next(db) -> None:
    db.execute("ALTER TABLE records ADD COLUMN colour TEXT")
    db.execute(f"PRAGMA user_version = {NOW + 1}")


def _breaks(db) -> None:
    db.execute("CREATE TABLE half (x)")
    db.execute(f"PRAGMA user_version = {NOW + 1}")
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
        assert schema.version(database) == NOW
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        applied = database.execute("SELECT name FROM _sqlite_migrations").fetchall()
    database.close()
    assert "half" not in names
    assert applied == [(name,) for name, _ in schema.MIGRATIONS[:NOW]]


def test_the_file_is_copied_before_it_is_changed(tmp_path, monkeypatch) -> None:
    path = tmp_path / "line.db"
    journal = Journal.open(path, "boot-1", 0)
    journal.append(sure(3))
    head = journal.head
    # Not closed: the records are still in the write-ahead log, as after a kill.
    _use(monkeypatch, _later(("next", _next)))
    migrated = Journal.open(path, "boot-1", 0)
    assert migrated.head == head
    migrated.close()
    journal.close()
    copy = sqlite3.connect(tmp_path / "line.db.before-next")
    assert schema.version(copy) == NOW
    assert copy.execute("SELECT count(*) FROM records").fetchone() == (6,)
    copy.close()


def test_a_reader_knows_this_version_and_the_one_before(tmp_path, monkeypatch) -> None:
    path = tmp_path / "line.db"
    _line(path, 1)
    for known, readable in ((NOW + 1, True), (NOW + 2, False)):
        monkeypatch.setattr(schema, "VERSION", known)
        archive = Archive(path)
        if readable:
            assert archive.head()[0] == 2
        else:
            with pytest.raises(WrongVersion, match=f"version {NOW}"):
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


def test_a_start_that_was_cut_off_before_its_first_migration_goes_on(tmp_path, monkeypatch) -> None:
    path = tmp_path / "line.db"
    with monkeypatch.context() as cut:
        _use(cut, (("breaks", _breaks),))
        with pytest.raises(RuntimeError, match="power cut"):
            _line(path)
    _line(path, 1)
    with Archive.open(path) as archive:
        assert archive.written() == (2, 2)


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


def _of_the_first_version(path: Path, monkeypatch: pytest.MonkeyPatch, images: list[str]) -> None:
    """A file as version 1 wrote it: the same bodies, none of the later tables."""
    journal = Journal.open(path, "boot-1", 0)
    parts = [
        replace(inspection(n), image=ImageRef(image, "d" * 64)) for n, image in enumerate(images)
    ]
    asked = replace(
        inspection(9, "escalate", asked=True), image=ImageRef("images/asked.jpg", "d" * 64)
    )
    image = ImageRef(images[0], "d" * 64) if images else None
    challenge = replace(inspection(10), id="of-a-challenge", image=image, tags={"challenge": "x"})
    journal.append([*parts, *sure(1), asked, challenge], deadlines=due(asked))
    journal.close()
    database = sqlite3.connect(path)
    for table in ("pictures", "kept", "marks"):
        database.execute(f"DROP TABLE {table}")
    database.execute("DELETE FROM _sqlite_migrations WHERE name = 'second'")
    database.execute("PRAGMA user_version = 1")
    database.commit()
    database.close()


def test_a_file_of_the_first_version_gets_its_pictures_listed(tmp_path, monkeypatch) -> None:
    path = tmp_path / "line.db"
    _of_the_first_version(path, monkeypatch, ["images/a.jpg", "images/b.jpg"])
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.jpg").write_bytes(b"x" * 5000)
    Journal.open(path, "boot-1", 0).close()
    database = sqlite3.connect(path)
    listed = database.execute("SELECT * FROM pictures ORDER BY seq").fetchall()
    database.close()
    assert listed == [
        (1, "images/a.jpg", 8192, 0, 0),
        (2, "images/b.jpg", 0, 0, 0),
        (5, "images/asked.jpg", 0, 3, 0),
        (6, "images/a.jpg", 8192, 4, 0),
    ]
    assert (tmp_path / "line.db.before-second").exists()


def test_a_damaged_body_does_not_stop_the_migration(tmp_path, monkeypatch) -> None:
    path = tmp_path / "line.db"
    _of_the_first_version(path, monkeypatch, ["images/a.jpg"])
    database = sqlite3.connect(path)
    for body in (b'{"image":{"path"', json.dumps({"image": {"path": 7}}).encode()):
        database.execute("UPDATE records SET body = ? WHERE seq = 1", (body,))
    database.commit()
    database.close()
    Journal.open(path, "boot-1", 0).close()


def test_a_file_of_the_version_before_is_read_in_every_way(tmp_path, monkeypatch) -> None:
    path = tmp_path / "line.db"
    _of_the_first_version(path, monkeypatch, [])
    with Archive.open(path) as archive:
        assert archive.find("of-a-challenge")
        assert archive.find("nothing") == []
        assert archive.latest("automation/1") is None
        assert archive.previous_hash(2) == archive.last_hash(1)
        assert verify(archive, tmp_path).records == archive.head()[0]
