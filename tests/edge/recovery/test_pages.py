"""SQLite's bytes, against SQLite."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.recovery.pages import PAGE, Pages, decode, index_rows, rows
from edge.store import schema
from tests.edge.store import damaged

VALUES = st.one_of(
    st.none(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=12_000),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
)


def _table(path: Path, values: list[list[object]]) -> None:
    database = schema.connect_writer(path)
    database.execute("CREATE TABLE some (a, b, c)")
    database.executemany("INSERT INTO some VALUES (?, ?, ?)", values)
    database.execute("CREATE TABLE others (a TEXT, b, c, PRIMARY KEY (a)) WITHOUT ROWID")
    others = [(str(index), *more[1:]) for index, more in enumerate(values)]
    database.executemany("INSERT INTO others VALUES (?, ?, ?)", others)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


@given(values=st.lists(st.lists(VALUES, min_size=3, max_size=3), max_size=12))
def test_every_row_is_read_as_it_was_written(tmp_path_factory, values) -> None:
    path = tmp_path_factory.mktemp("pages") / "some.db"
    _table(path, values)
    pages = Pages(path)
    found = [cell for _, page in pages.places() for cell in rows(pages, page)]
    others = [row for page in pages.current(1 << 20) for row in index_rows(pages, page)]
    pages.close()
    some = {cell.rowid: cell.values for cell in found if len(cell.values) == 3}
    assert some == {index + 1: row for index, row in enumerate(values)}
    assert {row[0]: row[1:] for row in others} == {str(i): row[1:] for i, row in enumerate(values)}


def test_of_the_log_what_was_committed_counts_the_newest_version_for_a_page(tmp_path) -> None:
    path = tmp_path / "some.db"
    database = schema.connect_writer(path)
    database.execute("PRAGMA cache_size = 2")
    database.execute("CREATE TABLE some (a TEXT)")
    for word in ("first", "second"):
        database.execute("DELETE FROM some")
        database.execute("INSERT INTO some VALUES (?)", (word,))
    database.execute("BEGIN")
    database.execute("UPDATE some SET a = 'never'")
    database.executemany("INSERT INTO some VALUES (?)", [("x" * 3000,) for _ in range(50)])
    pages = Pages(path)
    every = [cell.values for _, page in pages.places() for cell in rows(pages, page)]
    current = [cell.values for page in pages.current(99) for cell in rows(pages, page)]
    assert ["first"] in every
    assert ["second"] in current
    assert ["first"] not in current
    assert not [row for row in every if row[0] == "never" or str(row[0]).startswith("xx")]
    durable = pages.durable_frames
    pages.close()
    database.execute("ROLLBACK")
    database.close()
    assert durable > 0


def test_one_bit_of_the_log_s_header_does_not_hide_the_log(tmp_path) -> None:
    journal = damaged.fill(tmp_path / "one" / "line.db", close=False)
    path = damaged.copy(journal.path, tmp_path / "two")
    journal.close()
    there = Pages(path)
    known = there.durable_frames
    there.close()
    for offset in range(8, 32):
        path = damaged.copy(path, tmp_path / "three") if offset == 8 else path
        log = path.with_name("line.db-wal")
        data = log.read_bytes()
        damaged.flip(log, random.Random(offset), offset)
        pages = Pages(path)
        assert pages.durable_frames == known
        pages.close()
        log.write_bytes(data)


def test_files_that_are_not_there_read_as_nothing(tmp_path) -> None:
    pages = Pages(tmp_path / "none.db")
    assert list(pages.places()) == []
    assert pages.page(7) == bytes(PAGE)
    assert pages.durable_frames == 0
    pages.close()


@given(st.binary(max_size=200))
def test_nonsense_is_no_row_and_no_crash(data: bytes) -> None:
    found = decode(data)
    assert found is None or isinstance(found, list)


def test_noise_gives_no_crash(tmp_path) -> None:
    path, chance = tmp_path / "some.db", random.Random(3)
    for side in ("", "-wal"):
        path.with_name(path.name + side).write_bytes(chance.randbytes(40 * PAGE + 17))
    pages = Pages(path)
    for _, page in pages.places():
        list(rows(pages, page))
        list(index_rows(pages, page))
    pages.close()


def test_a_chain_of_pages_that_leads_in_a_circle_ends(tmp_path) -> None:
    path = tmp_path / "some.db"
    _table(path, [[1, 2, b"x" * 50_000]])
    with sqlite3.connect(path) as database:
        (count,) = database.execute("PRAGMA page_count").fetchone()
    database.close()
    for number in range(3, count + 1):
        damaged.overwrite(path, (number - 1) * PAGE, number.to_bytes(4, "big"))
    pages = Pages(path)
    for _, page in pages.places():
        list(rows(pages, page))
    pages.close()
