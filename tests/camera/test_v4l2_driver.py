import pytest

from camera import v4l2_driver
from camera.v4l2_driver import CONTROLS, Mode, card, driver, modes, read_control, set_controls
from tests.simulators.v4l2 import V4l2Driver

EXPOSURE, GAIN, FOCUS = (CONTROLS[name].number for name in ("exposure", "gain", "focus"))
EXPOSURE_AUTO = 0x009A0901


def test_the_requests_are_the_kernels():
    # As printed by strace for v4l2-ctl.
    assert v4l2_driver.QUERYCAP == 0x80685600
    assert v4l2_driver.ENUM_FMT == 0xC0405602
    assert v4l2_driver.G_CTRL == 0xC008561B
    assert v4l2_driver.S_CTRL == 0xC008561C
    assert v4l2_driver.QUERYCTRL == 0xC0445624
    assert v4l2_driver.ENUM_FRAMESIZES == 0xC02C564A


def test_only_nodes_that_give_pictures_have_a_name():
    assert card(V4l2Driver("Cam 1").ioctl) == "Cam 1"
    metadata_only = 0x04A00000
    assert card(V4l2Driver("Cam 1", abilities=metadata_only).ioctl) is None


def test_every_format_and_size_is_listed():
    device = V4l2Driver(formats={"MJPG": [(1920, 1080), (640, 480)], "YUYV": [(640, 480)]})
    assert list(modes(device.ioctl)) == [
        Mode("MJPG", 1920, 1080),
        Mode("MJPG", 640, 480),
        Mode("YUYV", 640, 480),
    ]


def test_of_a_range_of_sizes_the_largest_counts():
    device = V4l2Driver(formats={"YUYV": [(1280, 960)]}, stepwise=True)
    assert list(modes(device.ioctl)) == [Mode("YUYV", 1280, 960)]


def test_controls_are_set_after_their_automatic_mode_was_switched_off():
    device = V4l2Driver(controls={EXPOSURE: 100, EXPOSURE_AUTO: 3, GAIN: 7})
    assert set_controls(device.ioctl, {"exposure": 5000, "gain": 0}) == {}
    assert device.controls == {EXPOSURE: 5000, EXPOSURE_AUTO: 1, GAIN: 0}


def test_what_did_not_take_is_said_with_what_it_is():
    device = V4l2Driver(controls={EXPOSURE: 100, GAIN: 7}, stubborn=frozenset({GAIN}), step=10)
    wanted = {"exposure": 5004, "gain": 0, "focus": 30, "colour_of_the_box": 1}
    unmet = {"exposure": 5000, "gain": 7, "focus": None, "colour_of_the_box": None}
    assert set_controls(device.ioctl, wanted) == unmet


def test_controls_can_be_read():
    device = V4l2Driver(controls={FOCUS: 30})
    assert read_control(device.ioctl, "focus") == 30
    assert read_control(device.ioctl, "gain") is None
    assert read_control(device.ioctl, "nonsense") is None


def test_what_is_no_camera_is_an_error_of_the_system(tmp_path):
    (tmp_path / "video0").write_bytes(b"")
    with driver(tmp_path / "video0") as ioctl, pytest.raises(OSError):
        card(ioctl)
    with pytest.raises(OSError), driver(tmp_path / "video1"):
        pass
