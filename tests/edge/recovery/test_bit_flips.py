"""Single flipped bits, anywhere in a database: found where they change a record, harmless else."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from edge.recovery import aside, salvage
from edge.recovery.pages import PAGE, Pages, rows
from edge.store.archive import Archive
from edge.store.rows import Row
from edge.store.symptoms import Symptom, identity
from edge.store.verify import verify
from tests.conftest import SOAK
from tests.edge.store import damaged
from tests.edge.store.builders import sure

FLIPS = 1500 if SOAK else 150


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "line.db"
    damaged.fill(path)
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a database that was never closed: everything is in the log.

    Its last transaction holds no record: one that a bit hits looks as if a power cut had torn it.
    """
    path = tmp_path_factory.mktemp("running") / "line.db"
    source = tmp_path_factory.mktemp("open") / "line.db"
    journal = damaged.fill(source, close=False)
    journal.append([], state={"last": "transaction"})
    damaged.copy(source, path.parent)
    journal.close()
    return path


def _bytes_of_records(path: Path) -> list[int]:
    """The place of every byte of every record: its cell, and what went into other pages."""
    pages, found = Pages(path), list[int]()
    for place, page in pages.places():
        for cell in rows(pages, page):
            if len(cell.values) == 8 and isinstance(cell.values[6], bytes):
                found += range(*_local(place.offset, page, cell.offset))
                found += _overflow(pages, page, cell.offset)
    pages.close()
    return found


def _size(page: bytes, at: int) -> tuple[int, int]:
    """The payload's size as in the file format, and the number of bytes before the payload."""
    numbers = []
    for _ in range(2):
        value = 0
        while True:
            byte = page[at]
            at, value = at + 1, value << 7 | byte & 0x7F
            if byte < 0x80:
                break
        numbers.append(value)
    return numbers[0], at


def _kept_here(size: int) -> int:
    if size <= PAGE - 35:
        return size
    least = (PAGE - 12) * 32 // 255 - 23
    there = least + (size - least) % (PAGE - 4)
    return there if there <= PAGE - 35 else least


def _local(start: int, page: bytes, offset: int) -> tuple[int, int]:
    size, at = _size(page, offset)
    return start + offset, start + at + _kept_here(size) + 4 * (size > PAGE - 35)


def _overflow(pages: Pages, page: bytes, offset: int) -> Iterator[int]:
    size, at = _size(page, offset)
    left = size - _kept_here(size)
    end = at + _kept_here(size)
    number = int.from_bytes(page[end : end + 4], "big") if left else 0
    while left > 0:
        start, used = (number - 1) * PAGE, min(left, PAGE - 4)
        last = left <= PAGE - 4
        yield from range(start + (4 if last else 0), start + 4 + used)
        number, left = int.from_bytes(pages.page(number)[:4], "big"), left - used


def _everything(path: Path) -> object:
    with Archive(path) as archive:
        return archive.stored(0, 1 << 20)


@pytest.mark.slow
def test_every_flipped_bit_inside_a_record_is_found(whole: Path, tmp_path: Path) -> None:
    places, chance = _bytes_of_records(whole), random.Random(4)
    stored, unchanged = _everything(whole), 0
    assert len(places) > sum(len(row.body) + 32 for row in damaged.rows(whole).values())
    for _ in range(FLIPS):
        path = damaged.copy(whole, tmp_path / "one")
        at = damaged.flip(path, chance, chance.choice(places))
        with Archive(path) as archive:
            if not verify(archive, path.parent).sound:
                continue
        # One bit of each row says how SQLite stores the number, which it does not read.
        assert _everything(path) == stored, at
        unchanged += 1
    assert unchanged < FLIPS // 50


@pytest.mark.slow
@pytest.mark.parametrize(("side", "flips"), [("", FLIPS), ("-wal", FLIPS // 5)])
def test_wherever_a_bit_flips_the_line_goes_on_and_at_most_one_record_is_lost(
    whole: Path, running: Path, tmp_path: Path, side: str, flips: int
) -> None:
    source = running if side else whole
    written, chance = damaged.rows(source), random.Random(5)
    moved = unknown = 0
    for _ in range(flips):
        path = damaged.copy(source, tmp_path / "one")
        at = damaged.flip(path.with_name(path.name + side), chance)
        journal = damaged.begin(path)
        journal.append(more := sure(2))
        if not _sound(path):  # a reader finds what the writer does not look at
            journal.suspect(Symptom(identity(path), "a reader cannot read it"))
            journal.append(more := sure(2))
        degree = journal.state("automation.degree")
        assert degree in ("partial", "human_only"), at
        unknown += degree != "partial"
        assert len(journal.open_escalations()) == 3, at
        epoch = journal.head[0]
        journal.close()
        _starts_again(path, epoch)
        there = damaged.rows(path)
        assert _ids(there.values())[-4:] == [record.id for record in more]
        cases = aside.cases(path.parent)
        moved += len(cases)
        if cases:
            file = salvage.salvage(cases[0], path.parent).file
            assert file is not None
            there = damaged.rows(path.parent / file)
        sound = {seq: row for seq, row in written.items() if there.get(seq) == row}
        assert len(sound) >= len(written) - 1, at
    assert moved > flips // 4
    assert unknown <= flips // 20


def _sound(path: Path) -> bool:
    with Archive(path) as archive:
        return verify(archive, path.parent).sound


def _starts_again(path: Path, epoch: str) -> None:
    """A file that was mended or replaced is not given up again."""
    journal = damaged.begin(path)
    assert journal.head[0] == epoch
    journal.close()


def _ids(found: Iterable[Row]) -> list[str]:
    return [json.loads(row.body)["id"] for row in found]
