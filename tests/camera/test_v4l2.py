import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera.source import CameraError, Clock
from camera.supervised import NewestFeed, Supervisor
from camera.v4l2 import V4l2Source
from camera.v4l2_driver import CONTROLS
from tests.camera.pictures import jpeg, photograph
from tests.simulators.camera import HandClock, ScriptedCapture
from tests.simulators.v4l2 import V4l2Driver

SMALL = photograph(width=64, height=48)


class Bench:
    """Device nodes in a folder, a by-id link, and captures that the source is given in turn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.link = folder / "usb-Test_Camera-index0"
        self.clock = HandClock()
        self.opened: list[Path] = []
        self.captures: list[ScriptedCapture] = []
        self.driver = V4l2Driver(controls={CONTROLS["gain"].number: 7})

    def plug(self, number: int) -> None:
        node = self.folder / f"video{number}"
        node.write_bytes(b"")
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(node)

    def unplug(self) -> None:
        self.link.resolve().unlink()
        self.link.unlink()

    def source(self, *captures: ScriptedCapture, **options) -> V4l2Source:
        self.captures = list(captures)
        coming = iter(captures)

        def opener(node: Path) -> ScriptedCapture:
            self.opened.append(node)
            return next(coming)

        clock = Clock(self.clock.monotonic_ns, self.clock.wall)
        return V4l2Source(self.link, clock=clock, opener=opener, driver=self.driver, **options)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.plug(0)
    return made


def test_pictures_come_with_the_time_of_the_driver(bench):
    capture = ScriptedCapture([SMALL, SMALL])
    source = bench.source(capture)
    source.open()
    capture.properties[cv2.CAP_PROP_POS_MSEC] = bench.clock.now_ns / 1e6 - 30
    first = source.read()
    assert first is not None
    assert first.monotonic_ns == bench.clock.now_ns - 30_000_000
    assert first.captured_at == pytest.approx(bench.clock.wall() - 0.03)
    assert first.number == 1
    assert first.encoded is None
    np.testing.assert_array_equal(first.image, SMALL)


@pytest.mark.parametrize("wrong_ms", [0.0, -1.0, 5e9, float("nan"), float("inf")])
def test_a_driver_with_another_clock_is_not_believed(bench, wrong_ms):
    capture = ScriptedCapture([SMALL], fixed={cv2.CAP_PROP_POS_MSEC: wrong_ms})
    source = bench.source(capture)
    source.open()
    frame = source.read()
    assert frame is not None
    assert frame.monotonic_ns == bench.clock.now_ns


def test_format_comes_before_size_and_rate(bench):
    capture = ScriptedCapture()
    bench.source(capture, width=1920, height=1080, pixel_format="YUYV", fps=30.0).open()
    assert capture.asked == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
    ]
    assert capture.properties[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"YUYV")


def as_buffer(data: bytes) -> np.ndarray:
    """What OpenCV gives with CONVERT_RGB off: the driver's whole buffer as one row."""
    return np.frombuffer(data + bytes(500), np.uint8)[None, :]


def test_compressed_pictures_keep_the_cameras_bytes_and_damage_is_a_doubt(bench):
    data = jpeg(SMALL)
    damaged = data[: len(data) // 2] + b"\xff\xd9"
    source = bench.source(
        ScriptedCapture([as_buffer(data), as_buffer(damaged)]), pixel_format="MJPG"
    )
    source.open()
    sound, broken = source.read(), source.read()
    assert sound is not None
    assert broken is not None
    assert sound.encoded == data
    assert sound.doubts == ()
    np.testing.assert_array_equal(sound.image, cv2.imdecode(np.frombuffer(data, np.uint8), 1))
    assert [doubt.name for doubt in broken.doubts] == ["truncated"]


def test_where_opencv_must_decode_its_pixels_are_taken(bench):
    capture = ScriptedCapture([SMALL], fixed={cv2.CAP_PROP_CONVERT_RGB: 1})
    source = bench.source(capture, pixel_format="MJPG")
    source.open()
    frame = source.read()
    assert frame is not None
    assert frame.encoded is None
    np.testing.assert_array_equal(frame.image, SMALL)


def test_a_control_that_did_not_take_is_a_doubt_on_every_picture(bench):
    source = bench.source(ScriptedCapture([SMALL, SMALL]), controls={"gain": 3, "focus": 30})
    source.open()
    assert source.unmet == {"focus": None}
    for frame in (source.read(), source.read()):
        assert frame is not None
        (doubt,) = frame.doubts
        assert (doubt.name, doubt.measured, doubt.limit) == ("wrong_setting", None, 30.0)


def test_controls_that_took_are_no_doubt(bench):
    source = bench.source(ScriptedCapture([SMALL]), controls={"gain": 3})
    source.open()
    frame = source.read()
    assert frame is not None
    assert frame.doubts == ()


def test_a_camera_that_comes_back_under_another_number_is_found(bench):
    first, second = ScriptedCapture([SMALL]), ScriptedCapture([SMALL])
    feed = NewestFeed()
    watched = Supervisor(bench.source(first, second), feed, bench.clock)
    assert [watched.step(), watched.step()] == [0.0, 0.0]
    bench.unplug()
    assert [watched.step(), watched.step()] == [0.2, 0.4]
    assert "is not there" in (watched.check(0) or "")
    assert first.released
    bench.plug(3)
    assert [watched.step(), watched.step()] == [0.0, 0.0]
    assert watched.check(0) is None
    assert [node.name for node in bench.opened] == ["video0", "video3"]


def test_a_camera_that_another_program_holds_says_how_to_find_it(bench):
    capture = ScriptedCapture(opened=False)
    with pytest.raises(CameraError, match="cannot be opened") as taken:
        bench.source(capture).open()
    assert "fuser" in taken.value.hint
    assert capture.released


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_camera_without_permission_says_which_group(bench):
    bench.link.resolve().chmod(0)
    with pytest.raises(CameraError) as refused:
        bench.source(ScriptedCapture()).open()
    assert "video" in refused.value.hint


def test_no_picture_is_an_error_and_closing_twice_is_none(bench):
    source = bench.source(ScriptedCapture([]))
    with pytest.raises(CameraError):
        source.read()
    source.open()
    with pytest.raises(CameraError, match="gives no pictures"):
        source.read()
    source.close()
    source.close()


def test_opencv_itself_refuses_what_is_no_camera(bench):
    with pytest.raises(CameraError, match="cannot be opened"):
        V4l2Source(bench.link).open()


def test_the_view_is_what_is_configured(bench):
    one = bench.source(width=640, controls={"gain": 3}).view()
    assert one == bench.source(width=640, controls={"gain": 3}).view()
    assert one != bench.source(width=640, controls={"gain": 4}).view()
