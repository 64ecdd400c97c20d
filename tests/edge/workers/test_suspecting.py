"""What readers meet is told to the writer, once it is certain."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.recovery.history import History
from edge.store.symptoms import Symptom, identity
from edge.workers.suspecting import LASTS_NS, Suspecting
from tests.edge.store import damaged


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "line.db"
    damaged.fill(found)
    return found


def read(reader: History) -> None:
    reader.rows(0, 1000, 1 << 30)


def test_damage_that_lasts_is_told_with_the_file_that_it_is_about(path: Path) -> None:
    told: list[Symptom] = []
    reader = History(path)
    suspecting = Suspecting([reader], told.append)
    read(reader)
    damaged.overwrite(path, 4096, b"\xff" * (path.stat().st_size - 4096))
    reader.close()
    for now_ns in (0, LASTS_NS // 2, LASTS_NS):
        with pytest.raises(sqlite3.DatabaseError):
            read(reader)
        assert told == []
        list(suspecting.step(now_ns))
    assert [symptom.file for symptom in told] == [identity(path)]
    assert "malformed" in told[0].why


def test_what_passes_is_not_told(path: Path) -> None:
    told: list[Symptom] = []
    reader = History(path)
    suspecting = Suspecting([reader], told.append)
    whole = path.read_bytes()
    for now_ns in range(0, 10 * LASTS_NS, LASTS_NS):
        path.write_bytes(b"\xff" * 8192)
        with pytest.raises(sqlite3.DatabaseError):
            read(reader)
        list(suspecting.step(now_ns))
        path.write_bytes(whole)
        read(reader)
        list(suspecting.step(now_ns + 1))
    assert told == []


def test_a_lock_is_not_told(path: Path) -> None:
    told: list[Symptom] = []
    reader = History(path)
    reader._file.symptom = None
    suspecting = Suspecting([reader], told.append)
    with pytest.raises(sqlite3.OperationalError), reader._file.reading():
        raise sqlite3.OperationalError("database is locked")
    list(suspecting.step(0))
    list(suspecting.step(LASTS_NS))
    assert told == []
    suspecting.close()
