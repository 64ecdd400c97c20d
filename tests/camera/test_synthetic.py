"""The simulated line as a source: order, pace, end, and everything that can go wrong."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from camera.frame import Frame
from camera.simulated.parts import draw
from camera.simulated.textures import textures
from camera.source import CameraError, Clock
from camera.synthetic import Fault, SyntheticOptions, SyntheticSource

SMALL = SyntheticOptions(width=160, height=120, limit=6)


class FakeTime:
    """A clock that goes on only while someone waits, and remembers the waits."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000
        self.waits: list[float] = []
        self.clock = Clock(lambda: self.now_ns, lambda: self.now_ns / 1e9)

    def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 6))
        self.now_ns += round(seconds * 1e9)


def source(time: FakeTime | None = None, **changes: Any) -> SyntheticSource:
    time = time or FakeTime()
    made = SyntheticSource(SMALL, clock=time.clock, wait=time.wait, **changes)
    made.open()
    return made


def rest(line: SyntheticSource) -> list[Frame]:
    frames = []
    while (frame := line.read()) is not None:
        frames.append(frame)
    return frames


def test_every_part_once_in_order_with_its_truth_then_the_end() -> None:
    line = source(seed=4, defect_rate=0.5)
    frames = rest(line)
    assert [frame.number for frame in frames] == [1, 2, 3, 4, 5, 6]
    assert [frame.part_id for frame in frames][:2] == ["R-000001", "R-000002"]
    for frame in frames:
        image, truth = draw(4, frame.number, line.options)
        assert frame.truth == truth
        assert np.array_equal(frame.image, image)  # type: ignore[arg-type]
        assert not frame.tags
        assert frame.encoded is None
    assert len({frame.truth for frame in frames}) > 1
    assert line.read() is None


def test_first_and_limit() -> None:
    assert [frame.number for frame in rest(source(first=41, limit=2))] == [41, 42]
    assert rest(source(limit=0)) == []


def test_goes_on_behind_the_last_part_after_closing() -> None:
    line = source()
    first = line.read()
    line.close()
    line.close()
    with pytest.raises(CameraError, match="not open"):
        line.read()
    line.open()
    numbers = [frame.number for frame in rest(line)]
    assert first is not None
    assert [first.number, *numbers] == [1, 2, 3, 4, 5, 6]


def test_without_a_rate_it_is_replayable_and_never_waits() -> None:
    time = FakeTime()
    line = source(time)
    rest(line)
    assert line.live is False
    assert time.waits == []


def test_with_a_rate_it_is_live_and_keeps_its_timetable() -> None:
    time = FakeTime()
    line = source(time, parts_per_second=10)
    assert line.live is True
    line.read()
    time.now_ns += 30_000_000  # the reader is busy for 30 of the 100 ms
    line.read()
    time.now_ns += 250_000_000  # and then for two parts and a half: none is lost
    assert [frame.number for frame in rest(line)] == [3, 4, 5, 6]
    assert time.waits == [0.07, 0.05, 0.1]


def test_a_live_line_does_not_catch_up_after_a_long_stop() -> None:
    time = FakeTime()
    line = source(time, parts_per_second=10)
    line.read()
    time.now_ns += 60_000_000_000
    line.read()
    line.read()
    assert time.waits == [0.1]


def test_the_textures_are_drawn_before_the_first_part() -> None:
    textures.cache_clear()
    line = source()
    drawn = textures.cache_info().misses
    line.read()
    assert (drawn, textures.cache_info().misses) == (1, 1)


def test_frames_are_dated_by_the_clock() -> None:
    time = FakeTime()
    frame = source(time).read()
    assert frame is not None
    assert (frame.monotonic_ns, frame.captured_at) == (5_000_000_000, 5.0)


def test_conditions_are_tagged_and_an_empty_fixture_is_no_part() -> None:
    frames = rest(source(empty_every=3, black_every=2, blown_out_every=5))
    tags = [dict(frame.tags) for frame in frames]
    expected = [None, "black", "empty", "black", "blown_out", "empty"]
    assert tags == [{} if word is None else {"simulated": word} for word in expected]
    empty = [frame for frame in frames if frame.truth is None]
    assert [(frame.number, frame.part_id) for frame in empty] == [(3, None), (6, None)]


def test_encoded_pictures_have_the_pixels_of_their_file() -> None:
    frame = source(encode=True).read()
    assert frame is not None
    assert frame.encoded is not None
    assert frame.encoded.startswith(b"\xff\xd8")
    assert frame.encoded.endswith(b"\xff\xd9")
    decoded = cv2.imdecode(np.frombuffer(frame.encoded, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(frame.image, decoded)  # type: ignore[arg-type]
    assert frame.doubts == ()


def test_gone_fails_so_often_and_loses_no_part() -> None:
    line = source(faults=(Fault("gone", 3, 3),))
    assert [line.read().number, line.read().number] == [1, 2]  # type: ignore[union-attr]
    with pytest.raises(CameraError, match="gone"):
        line.read()
    for _ in range(2):
        with pytest.raises(CameraError, match="not there") as failure:
            line.open()
        assert failure.value.hint
    line.open()
    assert [frame.number for frame in rest(line)] == [3, 4, 5, 6]


def test_a_stall_waits_its_time_out_then_fails() -> None:
    time = FakeTime()
    line = source(time, faults=(Fault("stall", 2, 2),))
    line.read()
    for _ in range(2):
        with pytest.raises(CameraError, match="within 1 s"):
            line.read()
        line.open()
    assert time.waits == [1.0, 1.0]
    assert [frame.number for frame in rest(line)] == [2, 3, 4, 5, 6]


def test_a_freeze_repeats_the_picture_but_not_the_truth() -> None:
    frames = rest(source(faults=(Fault("freeze", 3, 2),), seed=11, defect_rate=0.5))
    same = [np.array_equal(frame.image, frames[1].image) for frame in frames]  # type: ignore[arg-type]
    assert same == [False, True, True, True, False, False]
    assert [frame.tags.get("simulated") for frame in frames] == [
        None, None, "freeze", "freeze", None, None,
    ]  # fmt: skip
    unharmed = rest(source(seed=11, defect_rate=0.5))
    assert [frame.truth for frame in frames] == [frame.truth for frame in unharmed]
    assert frames[2].truth != frames[1].truth


def test_truncated_bytes_come_with_a_doubt() -> None:
    frames = rest(source(faults=(Fault("truncate", 2),), encode=True))
    assert [frame.tags.get("simulated") for frame in frames[:3]] == [None, "truncate", None]
    assert frames[1].encoded is not None
    assert not frames[1].encoded.endswith(b"\xff\xd9")
    assert frames[1].image is None
    assert [doubt.name for doubt in frames[1].doubts] == ["truncated"]
    assert frames[2].doubts == ()


def test_view_holds_what_changes_the_picture_and_nothing_else() -> None:
    usual = SyntheticSource(SMALL).view()
    for changes in (
        {"seed": 2}, {"defect_rate": 0.5}, {"drift": 0.1}, {"parts_per_second": 3}, {"limit": 9},
        {"first": 5}, {"empty_every": 3}, {"faults": (Fault("gone", 1),)},
    ):  # fmt: skip
        assert SyntheticSource(SMALL, **changes).view() == usual
    for changes in ({"width": 200}, {"height": 200}, {"brightness": 0.9}, {"encode": True}):
        assert SyntheticSource(SMALL, **changes).view() != usual


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        SyntheticSource(colour="red")
