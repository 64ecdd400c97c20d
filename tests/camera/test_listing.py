from contextlib import contextmanager
from pathlib import Path

import pytest

from camera.listing import devices
from camera.v4l2_driver import CONTROLS, Mode
from tests.simulators.v4l2 import V4l2Driver

CAMERA = V4l2Driver(
    "Good Camera",
    formats={"YUYV": [(640, 480), (1920, 1080)], "MJPG": [(1920, 1080)]},
    controls={CONTROLS["gain"].number: 7, CONTROLS["exposure"].number: 156},
)
METADATA = V4l2Driver("Good Camera", abilities=0x04A00000)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for name in ("video10", "video0", "video1", "video2"):
        (tmp_path / "sys" / name).mkdir(parents=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "sys/video2/name").write_text("Busy Camera\n")
    (tmp_path / "by-id").mkdir()
    (tmp_path / "by-id/usb-Good-index0").symlink_to(tmp_path / "video0")
    return tmp_path


def found(machine: Path):
    drivers = {"video0": CAMERA, "video1": METADATA, "video10": V4l2Driver("Other")}

    @contextmanager
    def driver(node: Path):
        if node.name == "video2":
            raise PermissionError(13, "Permission denied")
        with drivers[node.name](node) as ioctl:
            yield ioctl

    return devices(machine / "sys", machine, machine / "by-id", driver)


def test_cameras_are_listed_by_number_without_nodes_that_give_no_pictures(machine):
    assert [device.node.name for device in found(machine)] == ["video0", "video2", "video10"]


def test_a_camera_is_named_by_id_with_modes_and_controls(machine):
    first = found(machine)[0]
    assert first.path == machine / "by-id/usb-Good-index0"
    assert first.name == "Good Camera"
    assert first.best == Mode("MJPG", 1920, 1080)
    assert dict(first.controls) == {"exposure": 156, "gain": 7}


def test_without_an_id_the_node_is_the_name(machine):
    assert found(machine)[2].path == machine / "video10"
    assert found(machine)[2].best is None


def test_a_camera_that_cannot_be_asked_is_listed_with_the_reason(machine):
    busy = found(machine)[1]
    assert (busy.name, busy.trouble) == ("Busy Camera", "Permission denied")


def test_a_machine_without_cameras_has_none(tmp_path):
    assert devices(tmp_path / "sys", tmp_path, tmp_path / "by-id") == []
