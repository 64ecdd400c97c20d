"""What is damage, and what is not."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from edge.recovery import damage
from edge.recovery.damage import examine, glance
from edge.store import schema
from edge.store.errors import StoreError
from edge.store.journal import Journal
from tests.edge.store import damaged
from tests.edge.store.builders import sure


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "state" / "line.db"
    damaged.fill(found)
    return found


def test_a_sound_one_a_missing_one_and_an_empty_one_are_not_damaged(path: Path, tmp_path) -> None:
    assert examine(path) is None
    assert glance(path) is None
    assert examine(tmp_path / "none.db") is None
    (tmp_path / "empty.db").touch()
    assert examine(tmp_path / "empty.db") is None


def test_one_in_use_is_not_damaged(path: Path) -> None:
    journal = damaged.begin(path)
    for _ in range(5):
        journal.append(sure(30))
        assert examine(path) is None
    journal.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE meta SET value = 'x'", "badly formed"),
        ("DELETE FROM meta", "not enough values"),
        ("DROP TABLE state", "tables are missing: state"),
        ("ALTER TABLE state RENAME COLUMN value TO walue", "no such column"),
        ("PRAGMA user_version = 66", "the header says version 66"),
        ("PRAGMA user_version = 0", "the header says version 0"),
        ("UPDATE records SET hash = zeroblob(32) WHERE seq = 120", "record 120"),
        ("UPDATE records SET body = 'text' WHERE seq = 120", ""),
        ("UPDATE records SET hash = 7 WHERE seq = 120", ""),
        ("DELETE FROM records WHERE seq = 120", "record 120"),
        ("INSERT INTO state VALUES (x'ff', 'x')", "something else"),
        ("INSERT INTO escalations VALUES ('x', 'y', 1, 1, 1, 'z')", "open escalation"),
        ("UPDATE state SET value = CAST(x'80' AS TEXT) WHERE key = 'watch'", "decode"),
    ],
)
def test_a_contradiction_is_damage(path: Path, statement: str, words: str) -> None:
    damaged.change(path, statement)
    found = examine(path)
    assert found is not None
    assert words in found


def test_noise_a_broken_header_a_short_file_and_a_lost_file_are_damage(
    path: Path, tmp_path
) -> None:
    whole = path.read_bytes()
    for data in (b"noise" * 5000, b"\0" * 8192, whole[:16].upper() + whole[16:], whole[:20_000]):
        path.write_bytes(data)
        assert examine(path) is not None
    journal = damaged.fill(tmp_path / "other" / "line.db", close=False)
    lost = damaged.copy(journal.path, tmp_path / "lost")
    journal.close()
    lost.write_bytes(b"")
    assert "is gone" in str(examine(lost))
    lost.unlink()
    assert "is gone" in str(examine(lost))


def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "line.db"
    damaged.change(path, "CREATE TABLE recipes (name)")
    with pytest.raises(StoreError, match="not a database of edge-inspect"):
        examine(path)
    with pytest.raises(StoreError, match="not a database of edge-inspect"):
        damaged.begin(path)
    assert not (tmp_path / "damaged").exists()
    assert sqlite3.connect(path).execute("SELECT count(*) FROM recipes").fetchone() == (0,)


def test_a_newer_version_is_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        newer = (*schema.MIGRATIONS, ("newer", lambda db: db.execute("PRAGMA user_version = 3")))
        patch.setattr(schema, "MIGRATIONS", newer)
        patch.setattr(schema, "VERSION", len(newer))
        Journal.open(path, "boot-1", 0).close()
    assert examine(path) is None


def test_a_lock_is_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(path: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(damage, "connect_reader", busy)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        examine(path)


def test_a_log_that_sqlite_believes_only_in_part_is_damaged(tmp_path: Path) -> None:
    journal = damaged.fill(tmp_path / "one" / "line.db", close=False)
    path = damaged.copy(journal.path, tmp_path / "two")
    journal.close()
    assert examine(path) is None
    log = path.with_name("line.db-wal")
    damaged.flip(log, random.Random(1), log.stat().st_size // 2)
    path.with_name("line.db-shm").unlink()
    assert "the write-ahead log is damaged" in str(examine(path))


def test_a_log_that_a_power_cut_has_torn_is_not(tmp_path: Path) -> None:
    journal = damaged.fill(tmp_path / "one" / "line.db", close=False)
    journal.append([], state={"last": "x" * 30_000})
    source = damaged.copy(journal.path, tmp_path / "two")
    journal.close()
    size = source.with_name("line.db-wal").stat().st_size
    for torn in range(0, 7):
        path = damaged.copy(source, tmp_path / "three")
        with path.with_name("line.db-wal").open("r+b") as log:
            log.truncate(size - 4120 * torn - 500)
        assert examine(path) is None
