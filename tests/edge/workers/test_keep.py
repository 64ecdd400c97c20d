"""The keep thread: a picture is on the disk before the record that names it, or the record says
why there is none."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.channel import Channel
from edge.records import ImageRef, Inspection
from edge.store.images import ImageStore
from edge.workers.entry import Entry
from edge.workers.keep import TOGETHER, Keeper
from tests.edge.store.builders import alarm, disposition, inspection
from tests.edge.workers.parts import PICTURE, FakeClock, entry, frame


class Bench:
    def __init__(self, folder: Path, room: int = 1000) -> None:
        self.folder = folder
        self.entries: Channel[Entry] = Channel(1000, 1 << 30)
        self.recorded: Channel[Entry] = Channel(room)
        self.keeper = Keeper(self.entries, self.recorded, ImageStore(folder))

    def give(self, *entries: Entry) -> None:
        assert all(self.entries.put(one, one.weight) for one in entries)

    def passed(self) -> list[Entry]:
        return self.recorded.take(1000, 0)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def with_picture(number: int, image: object = PICTURE, encoded: bytes | None = None) -> Entry:
    made = inspection(number)
    picture = frame(FakeClock(), number, image, encoded=encoded)  # type: ignore[arg-type]
    return entry(made, disposition(made), picture=picture)


def image_of(passed: Entry) -> tuple[ImageRef | None, str | None]:
    first = passed.records[0]
    assert isinstance(first, Inspection)
    return first.image, first.image_missing


def test_a_file_is_kept_as_the_bytes_that_came_and_named_by_its_record(bench: Bench) -> None:
    given = with_picture(1, None, b"\xff\xd8 any bytes, even damaged ones")
    bench.give(given)
    assert bench.keeper.step()
    (passed,) = bench.passed()
    image, missing = image_of(passed)
    assert image is not None
    data = (bench.folder / image.path).read_bytes()
    assert data == b"\xff\xd8 any bytes, even damaged ones"
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert missing is None
    assert passed.picture is None
    assert passed.records[1:] == given.records[1:]


def test_pixels_become_a_jpeg(bench: Bench) -> None:
    bench.give(with_picture(1))
    bench.keeper.step()
    image, _ = image_of(bench.passed()[0])
    assert image is not None
    read = cv2.imread(str(bench.folder / image.path))
    assert read is not None
    assert read.shape == PICTURE.shape


def test_pixels_become_a_png_where_nothing_may_be_lost(bench: Bench) -> None:
    images = ImageStore(bench.folder)
    bench.keeper = Keeper(bench.entries, bench.recorded, images, encoding="png")
    bench.give(with_picture(1), with_picture(2, None, b"\xff\xd8 the camera's own"))
    bench.keeper.step()
    pixels, bytes_ = (image_of(passed)[0] for passed in bench.passed())
    assert pixels is not None
    assert bytes_ is not None
    assert pixels.path.endswith(".png")
    assert np.array_equal(cv2.imread(str(bench.folder / pixels.path)), PICTURE)
    assert (bench.folder / bytes_.path).read_bytes() == b"\xff\xd8 the camera's own"


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif", ".webp", ".jpg"])
def test_a_file_keeps_the_ending_of_its_kind(bench: Bench, ending: str) -> None:
    _, data = cv2.imencode(ending, PICTURE)
    bench.give(with_picture(1, encoded=data.tobytes()))
    bench.keeper.step()
    image, _ = image_of(bench.passed()[0])
    assert image is not None
    assert image.path.endswith(ending)


def test_the_picture_is_durable_before_its_record_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    real_fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append("fsync"), real_fsync(handle)))
    put = bench.recorded.put
    monkeypatch.setattr(bench.recorded, "put", lambda one: (calls.append("record"), put(one))[1])
    bench.give(with_picture(1))
    bench.keeper.step()
    assert calls[-1] == "record"
    assert calls.count("record") == 1
    assert calls.count("fsync") >= 2, "the file and its folder"


def test_a_disk_that_refuses_costs_the_pictures_not_the_records(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(28, "No space left on device")

    plain = entry(alarm(2))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        bench.give(with_picture(1), plain, with_picture(3))
        assert bench.keeper.step()
    first, second, third = bench.passed()
    assert image_of(first) == image_of(third) == (None, "disk")
    assert second is plain
    assert bench.keeper.failing is not None
    assert "No space left" in bench.keeper.failing
    bench.give(with_picture(4))
    bench.keeper.step()
    assert image_of(bench.passed()[0])[1] is None
    assert bench.keeper.failing is None


def test_pixels_that_no_jpeg_can_hold_cost_their_own_picture_only(bench: Bench) -> None:
    too_wide = np.zeros((1, 70_000, 3), np.uint8)
    bench.give(with_picture(1), with_picture(2, too_wide), with_picture(3))
    assert bench.keeper.step()
    first, second, third = map(image_of, bench.passed())
    assert second == (None, "encoding")
    assert first[0] is not None
    assert third[0] is not None


def test_order_is_kept_with_and_without_pictures(bench: Bench) -> None:
    given = [with_picture(n) if n % 3 else entry(inspection(n)) for n in range(2 * TOGETHER + 3)]
    bench.give(*given)
    for _ in range(3):
        bench.keeper.step()
    assert [one.records[0].id for one in bench.passed()] == [one.records[0].id for one in given]


def test_when_the_record_thread_is_behind_nothing_is_lost_or_stored_twice(tmp_path: Path) -> None:
    bench = Bench(tmp_path, room=1)
    given = [with_picture(number) for number in range(3)]
    bench.give(*given)
    bench.recorded.put(entry(alarm(0)))
    passed: list[Entry] = []
    while len(passed) < 4:
        passed += bench.passed()
        assert bench.keeper.step()
    assert [one.records[0].id for one in passed[1:]] == [one.records[0].id for one in given]
    assert len(list(tmp_path.rglob("*.jpg"))) == 3


def test_it_ends_when_all_has_gone_through(bench: Bench) -> None:
    bench.give(with_picture(1))
    bench.entries.close()
    assert not bench.keeper.step()
    assert len(bench.passed()) == 1
    assert bench.keeper.left() == 0


def test_when_the_record_thread_has_ended_it_ends_and_says_what_is_left(tmp_path: Path) -> None:
    bench = Bench(tmp_path, room=1)
    bench.give(*[with_picture(number) for number in range(TOGETHER + 2)])
    bench.recorded.close()
    assert not bench.keeper.step()
    assert bench.keeper.left() == 2 * (TOGETHER + 2)
