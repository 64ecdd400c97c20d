import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.store.archive import Archive
from edge.store.images import ImageStore
from edge.store.journal import Journal
from edge.store.verify import Finding, verify
from tests.edge.store.builders import NOON, alarm, inspection, sure

PARTS = 6


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a closed database of a few parts."""
    path = tmp_path_factory.mktemp("whole") / "line.db"
    journal = Journal.open(path, "boot-1", 0)
    journal.append([*sure(PARTS), alarm(1)])
    journal.close()
    return path.read_bytes()


def _verify(folder: Path) -> Finding:
    with Archive(folder / "line.db") as archive:
        return verify(archive, folder)


def _change(folder: Path, statement: str, *values: object) -> None:
    database = sqlite3.connect(folder / "line.db")
    with database:
        database.execute(statement, values)
    database.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_flipped_bit_of_a_body_or_hash_is_found(
    whole: bytes, tmp_path: Path, data: st.DataObject
) -> None:
    (tmp_path / "line.db").write_bytes(whole)
    seq = data.draw(st.integers(1, 2 * PARTS + 1))
    column = data.draw(st.sampled_from(["body", "hash"]))
    database = sqlite3.connect(tmp_path / "line.db")
    ((value,),) = database.execute(f"SELECT {column} FROM records WHERE seq = ?", (seq,)).fetchall()
    database.close()
    changed = bytearray(value)
    changed[data.draw(st.integers(0, len(value) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    _change(tmp_path, f"UPDATE records SET {column} = ? WHERE seq = ?", bytes(changed), seq)
    finding = _verify(tmp_path)
    assert finding.broken is not None
    assert finding.broken.seq == seq


@pytest.mark.parametrize(
    ("statement", "seq", "what"),
    [
        ("DELETE FROM records WHERE seq = 3", 3, "missing"),
        ("DELETE FROM records WHERE seq = 13", 12, "counters"),
        ("UPDATE records SET decision = 'reject' WHERE seq = 5", 5, "look-up column"),
        ("UPDATE records SET part_id = 'P-9' WHERE seq = 1", 1, "look-up column"),
        ("UPDATE records SET subject = 'x' WHERE seq = 2", 2, "look-up column"),
        ("UPDATE records SET hash = 'text' WHERE seq = 4", 4, "wrong type"),
        ("UPDATE records SET body = 'text' WHERE seq = 4", 4, "wrong type"),
        ("UPDATE records SET seq = 40 WHERE seq = 13", 13, "missing"),
        ("UPDATE meta SET value = 'another'", 1, "epoch"),
    ],
)
def test_the_first_break_is_named(
    whole: bytes, tmp_path: Path, statement: str, seq: int, what: str
) -> None:
    (tmp_path / "line.db").write_bytes(whole)
    assert _verify(tmp_path).sound
    _change(tmp_path, statement)
    finding = _verify(tmp_path)
    assert finding.broken is not None
    assert finding.broken.seq == seq
    assert what in finding.broken.what


def test_what_cannot_be_read_is_a_break_and_not_a_crash(whole: bytes, tmp_path: Path) -> None:
    path, broken = tmp_path / "line.db", 0
    for start in range(0, len(whole), 4096):
        path.write_bytes(whole[:start] + b"\xff" * 4096 + whole[start + 4096 :])
        broken += not _verify(tmp_path).sound
    assert broken > len(whole) // 4096 // 3, "the pages of the table, not those of an index"
    for damaged in (whole[: len(whole) // 2], b"no database at all" * 500):
        path.write_bytes(damaged)
        assert "cannot be read" in str(_verify(tmp_path).broken)


def test_every_picture_is_looked_at(tmp_path: Path) -> None:
    store, parts = ImageStore(tmp_path), [inspection(n) for n in range(4)]
    kept = [store.keep(part.id, NOON, part.id.encode()) for part in parts]
    parts = [replace(part, image=image) for part, image in zip(parts, kept, strict=True)]
    parts.append(replace(inspection(5), image=replace(kept[0], path="images/../line.db")))
    journal = Journal.open(tmp_path / "line.db", "boot-1", 0)
    journal.append(parts)
    journal.close()
    (tmp_path / kept[1].path).unlink()
    (tmp_path / kept[2].path).write_bytes(b"changed")
    finding = _verify(tmp_path)
    assert finding.broken is None
    assert finding.checked_pictures == 5
    assert [(damage.seq, damage.what.split(": ")[1]) for damage in finding.pictures] == [
        (2, "missing"),
        (3, "changed"),
        (5, "not a path of a picture"),
    ]
    assert not finding.sound


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "line.db", "boot-1", 0)
    journal.append(sure(750))
    journal.close()
    told: list[tuple[int, int]] = []
    with Archive.open(tmp_path / "line.db") as archive:
        verify(archive, tmp_path, lambda done, total: told.append((done, total)))
    assert told == [(1000, 1500), (1500, 1500)]
