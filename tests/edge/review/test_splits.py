"""splits.db: one writer, nothing written in a dry run, other files refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.review.split import Given, Shares
from edge.review.splits import FILE, Splits
from edge.store.errors import Held, StoreError, WrongVersion

ONE = {"part R-1": Given("test", "good")}


def test_kept_over_processes(tmp_path: Path) -> None:
    with Splits(tmp_path) as splits:
        assert splits.shares is None
        splits.give(ONE, {"a" * 64: "part R-1"}, Shares(60, 20, 20), "2026-11-20")
        splits.mark({"i": "good"}, "2026-11-20")
    with Splits(tmp_path, dry=True) as splits:
        assert splits.parts() == ONE
        assert splits.pictures() == {"a" * 64: "part R-1"}
        assert splits.exported() == {"i": "good"}
        assert splits.shares == Shares(60, 20, 20)


def test_the_first_part_with_a_picture_keeps_it(tmp_path: Path) -> None:
    with Splits(tmp_path) as splits:
        splits.give({}, {"a" * 64: "one"}, Shares(), "")
        splits.give({}, {"a" * 64: "other"}, Shares(), "")
        assert splits.pictures() == {"a" * 64: "one"}


def test_one_export_at_a_time(tmp_path: Path) -> None:
    with Splits(tmp_path), pytest.raises(Held):
        Splits(tmp_path)
    Splits(tmp_path).close()


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    with Splits(tmp_path, dry=True) as splits:
        splits.give(ONE, {}, Shares(), "")
        splits.mark({"i": "good"}, "")
        assert splits.parts() == {}
    assert list(tmp_path.iterdir()) == []


def test_all_or_nothing(tmp_path: Path) -> None:
    with Splits(tmp_path) as splits:
        with pytest.raises(sqlite3.Error):
            splits.give(ONE, {"a": object()}, Shares(), "")  # type: ignore[dict-item]
        assert splits.parts() == {}
        splits.give(ONE, {}, Shares(), "")
        assert splits.parts() == ONE


def test_other_files_are_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE x (y)")
    other.close()
    with pytest.raises(StoreError, match="not the splits"):
        Splits(tmp_path)
    # and the lock is free again
    (tmp_path / FILE).unlink()
    with Splits(tmp_path) as splits:
        splits.give(ONE, {}, Shares(), "")
    newer = sqlite3.connect(tmp_path / FILE)
    newer.execute("PRAGMA user_version = 2")
    newer.close()
    with pytest.raises(WrongVersion):
        Splits(tmp_path, dry=True)


def test_a_damaged_file_is_an_error_not_a_new_beginning(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 500)
    with pytest.raises(sqlite3.DatabaseError):
        Splits(tmp_path)
