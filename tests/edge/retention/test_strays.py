"""Pictures of nobody are found, and no picture that is on its way to its record."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.records import ImageRef
from edge.retention.stock import Stock
from edge.retention.strays import WAIT_NS, Strays, hours
from edge.store.images import ImageStore
from edge.store.journal import Journal
from tests.edge.store.builders import NOON, inspection


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal.open(tmp_path / "line.db", "boot-1", 0)
    yield opened
    opened.close()


def _stray(folder: Path, name: str, hour: str = "2026-11-20/12") -> str:
    path = folder / "images" / hour / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 5000)
    return f"images/{hour}/{name}"


def test_a_file_that_no_record_names_is_found_after_a_minute(journal, tmp_path: Path) -> None:
    images, part = ImageStore(tmp_path), inspection(1)
    journal.append([replace(part, image=images.keep(part.id, NOON, b"known"))])
    late = inspection(2)
    kept = images.keep(late.id, NOON, b"on its way")
    left = _stray(tmp_path, "0-left.jpg.part", "1990-01-01/00")
    gone = _stray(tmp_path, "gone.jpg")
    alone = _stray(tmp_path, "alone.jpg")
    stock = Stock(journal.path, "checks", "watch")
    strays = Strays(tmp_path, stock.strangers)
    assert strays.step(0) == []
    assert not strays.done
    assert strays.step(WAIT_NS - 1) == []
    journal.append([replace(late, image=kept)])
    (tmp_path / gone).unlink()
    found = strays.step(WAIT_NS)
    assert sorted(one.path for one in found) == sorted([left, alone])
    assert {one.bytes for one in found} == {8192}
    assert strays.done
    stock.close()


def test_a_challenge_part_that_outlived_its_prefix_is_no_stranger(journal, tmp_path: Path) -> None:
    from edge.store.pruning import Prune

    part = replace(inspection(1), image=ImageRef("images/x", "d"), tags={"challenge": "c"})
    journal.append([part])
    journal.prune(Prune(1, "2026-11-20T12:00:00.000Z", waits=False))
    stock = Stock(journal.path, "checks", "watch")
    assert stock.strangers([f"images/2026-11-20/12/{part.id}.jpg"]) == []
    stock.close()


def test_where_a_crash_may_have_left_something(tmp_path: Path) -> None:
    for hour in ("2016-01-01/00", "2026-11-20/11", "2026-11-20/12", "2026-11-21/00"):
        _stray(tmp_path, "a.jpg", hour)
    newest = ["images/2016-01-01/00/b.jpg", "images/2016-01-01/00/c.jpg"]
    assert hours(tmp_path, newest) == [
        "images/2016-01-01/00",
        "images/2026-11-20/12",
        "images/2026-11-21/00",
    ], "the clock may have been wrong when the last pictures were taken"
    strays = Strays(tmp_path, list, hours(tmp_path, newest))
    strays.step(0)
    assert len(strays.step(WAIT_NS)) == 3


def test_no_pictures_at_all(tmp_path: Path) -> None:
    strays = Strays(tmp_path, list)
    assert strays.step(0) == []
    assert strays.done
