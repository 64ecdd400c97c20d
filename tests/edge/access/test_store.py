"""web.db and web.key: their modes, what a damaged or foreign one does."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from edge.access.schema import VERSION
from edge.access.secret import secret_of
from edge.access.store import WebStore
from edge.store.errors import StoreError, WrongVersion


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_settings_are_kept(tmp_path: Path) -> None:
    with_file = WebStore(tmp_path / "web.db")
    assert with_file.setting("a", "none") == "none"
    with_file.set("a", "1")
    with_file.set("a", "2")
    with_file.close()
    again = WebStore(tmp_path / "web.db")
    assert again.setting("a") == "2"
    again.close()


def test_a_transaction_is_whole_or_not_at_all(tmp_path: Path) -> None:
    store = WebStore(tmp_path / "web.db")

    def fail() -> None:
        with store.atomically() as database:
            database.execute("INSERT INTO settings VALUES ('a', '1')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.setting("a") == ""
    store.set("b", "1")
    assert store.setting("b") == "1"
    store.close()


def test_a_commit_is_on_the_disk(tmp_path: Path) -> None:
    store = WebStore(tmp_path / "web.db")
    assert store.rows("PRAGMA synchronous") == [(2,)]
    assert store.rows("PRAGMA journal_mode") == [("wal",)]
    assert store.rows("PRAGMA secure_delete") == [(1,)]
    store.close()


def test_nobody_else_reads_them(tmp_path: Path) -> None:
    store = WebStore(tmp_path / "web.db")
    secret_of(tmp_path)
    assert mode(tmp_path / "web.db") == 0o640
    assert mode(tmp_path / "web.db-wal") == 0o640
    assert mode(tmp_path / "web.key") == 0o600
    store.close()


def test_a_damaged_one_is_set_aside_and_the_page_begins_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "web.db"
    WebStore(path).close()
    path.write_bytes(b"no database at all" * 1000)
    store = WebStore(path)
    assert store.rows("SELECT * FROM persons") == []
    store.close()
    assert (tmp_path / "web.db.damaged").read_bytes().startswith(b"no database")
    assert "web.damaged" in capsys.readouterr().err


def test_a_later_versions_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "web.db"
    WebStore(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    before = path.read_bytes()
    with pytest.raises(WrongVersion):
        WebStore(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "web.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    database.close()
    with pytest.raises(StoreError):
        WebStore(path)


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    one, two = secret_of(tmp_path), secret_of(tmp_path)
    assert one.hash("pin", b"x") == two.hash("pin", b"x")
    assert one.hash("pin", b"x") != one.hash("badge", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["web.key"]


def test_a_cut_secret_is_none(tmp_path: Path) -> None:
    (tmp_path / "web.key").write_bytes(b"short")
    with pytest.raises(StoreError, match="5 bytes"):
        secret_of(tmp_path)
