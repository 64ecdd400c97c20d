"""What retention writes, and the bound of the file."""

import sqlite3
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from edge.records import ImageRef
from edge.retention.strays import strays_given_up
from edge.store.archive import Archive
from edge.store.errors import Replaced
from edge.store.journal import Journal
from edge.store.pruning import Prune
from edge.store.tidying import Found, Mark, Tidying
from edge.store.verify import verify
from tests.edge.store.builders import inspection, sure


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal.open(tmp_path / "line.db", "boot-1", 0)
    yield opened
    opened.close()


def _pictures(journal: Journal) -> list[tuple[object, ...]]:
    return journal._database.execute(
        "SELECT seq, path, worth, removed FROM pictures ORDER BY seq"
    ).fetchall()


def test_a_picture_is_listed_with_its_record_and_what_it_is_worth(journal: Journal) -> None:
    parts = [
        inspection(1),
        inspection(2, "reject"),
        inspection(3, "escalate"),
        inspection(4, asked=True),
        replace(inspection(5, asked=True), tags={"challenge": "c"}),
    ]
    pictured = [
        replace(p, image=ImageRef(f"images/{n}", "d", 4097 * n)) for n, p in enumerate(parts)
    ]
    journal.append([inspection(0), *pictured])
    rows = journal._database.execute("SELECT seq, bytes, worth, removed FROM pictures")
    assert rows.fetchall() == [
        (2, 0, 0, 0),
        (3, 8192, 1, 0),
        (4, 12288, 2, 0),
        (5, 16384, 3, 0),
        (6, 20480, 4, 0),
    ]


def test_a_picture_leaves_and_is_gone(journal: Journal) -> None:
    journal.append([replace(inspection(n), image=ImageRef(f"images/{n}", "d")) for n in range(3)])
    epoch = journal.head[0]
    journal.tidy(Tidying(epoch, leave=[1, 2], state={"odometer": "7"}))
    journal.tidy(Tidying(epoch, gone=[1]))
    assert [row[3] for row in _pictures(journal)] == [2, 1, 0]
    assert journal.state("odometer") == "7"


def test_pictures_of_nobody_are_older_than_all_and_remembered_when_gone(journal: Journal) -> None:
    known = replace(inspection(1), image=ImageRef("images/x", "d"))
    journal.append([known])
    epoch = journal.head[0]
    found = [Found("images/2026/01/a.jpg", 4096), Found(f"images/2026/01/{known.id}.jpg", 4096)]
    for _ in range(2):
        journal.tidy(Tidying(epoch, found=found))
    journal.tidy(Tidying(epoch, found=[Found("images/2026/01/b.jpg", 4096)]))
    assert [row[:3] for row in _pictures(journal)] == [
        (-2, "images/2026/01/b.jpg", 1),
        (-1, "images/2026/01/a.jpg", 1),
        (1, "images/x", 0),
    ]
    journal.tidy(Tidying(epoch, gone=[-1]))
    journal.tidy(Tidying(epoch, found=found))
    assert [(row[0], row[3]) for row in _pictures(journal)] == [(-2, 0), (-1, 2), (1, 0)]
    assert strays_given_up(journal.path) == {"images/2026/01/a.jpg"}
    assert strays_given_up(journal.path.with_name("none.db")) == set()


def test_marks_are_added_and_forgotten(journal: Journal) -> None:
    epoch = journal.head[0]
    for hour in range(3):
        journal.tidy(Tidying(epoch, mark=Mark(3600.0 * hour, hour, 10, 20)))
    journal.tidy(Tidying(epoch, forget=3599.0))
    rows = journal._database.execute("SELECT number, odometer_s, seq, written, used FROM marks")
    assert rows.fetchall() == [(2, 3600.0, 1, 10, 20), (3, 7200.0, 2, 10, 20)]


def test_housework_for_another_file_is_refused(journal: Journal) -> None:
    with pytest.raises(Replaced):
        journal.tidy(Tidying("another", state={"odometer": "7"}))
    assert journal.state("odometer") is None


def test_nothing_to_write_is_empty() -> None:
    assert Tidying("e").empty
    assert not Tidying("e", forget=0.0).empty
    assert not Tidying("e", gone=[1]).empty


def _fill(journal: Journal) -> None:
    with suppress(sqlite3.OperationalError):
        for _ in range(1000):
            journal.append(sure(20))
        pytest.fail("the file was never full")


def test_behind_its_bound_the_file_does_not_grow_and_deleting_makes_room(journal: Journal) -> None:
    journal.bound(100, 50)
    _fill(journal)
    head = journal.head
    journal.checkpoint()
    size = journal.path.stat().st_size
    assert size <= 100 * 4096
    for _ in range(3):
        assert journal.prune(Prune(1 << 40, "2026-11-20T12:00:00.000Z", False, most=60)).deleted
    journal.append(sure(20))
    journal.checkpoint()
    assert journal.path.stat().st_size == size, "free pages are used again"
    assert journal.head[1] == head[1] + 40
    with Archive(journal.path) as archive:
        assert verify(archive, journal.path.parent).sound


def test_housework_has_a_little_room_where_others_have_none(journal: Journal) -> None:
    journal.bound(100, 50)
    _fill(journal)
    epoch = journal.head[0]
    for number in range(40):
        journal.tidy(Tidying(epoch, state={f"key-{number}": "x" * 1000}))
    _fill(journal)


def test_housework_has_that_room_where_the_file_is_beyond_its_bound_already(
    journal: Journal,
) -> None:
    parts = [
        replace(inspection(number), image=ImageRef(f"images/{number}.jpg", "0" * 64, 10))
        for number in range(1, 1501)
    ]
    journal.append(parts)
    journal.bound(10, 50)
    _fill(journal)
    epoch = journal.head[0]
    for first in range(1, 1500, 100):
        seqs = range(first, first + 100)
        journal.tidy(Tidying(epoch, leave=seqs))
        journal.tidy(Tidying(epoch, gone=seqs))
    assert journal.prune(Prune(1 << 40, "2026-11-20T12:00:00.000Z", False)).deleted


def test_the_log_is_given_back(journal: Journal) -> None:
    journal.append(sure(50))
    log = journal.path.with_name("line.db-wal")
    assert log.stat().st_size > 0
    journal.checkpoint()
    assert log.stat().st_size == 0
