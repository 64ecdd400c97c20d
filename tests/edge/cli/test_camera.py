import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from camera.folder import FolderSource
from camera.listing import Device
from camera.v4l2_driver import Mode
from edge.cli.camera import app
from edge.cli.pasting import as_json, as_yaml
from edge.config_file import load
from edge.status import of_service
from tests.camera.pictures import flat, jpeg, photograph
from tests.inference import bundles

CONFIG = """
station: {{site: plant-a, line: line-3, name: caps}}
state_dir: state
camera: {camera}
model: {{bundle: "@rings"}}
"""
SYNTHETIC = "{source: synthetic, parts_per_second: 0, roi: [200, 100, 300, 280]}"
LIVE = "{source: synthetic, parts_per_second: 20}"


def station(folder: Path, camera: str) -> Path:
    path = folder / "edge-inspect.yaml"
    path.write_text(CONFIG.format(camera=camera))
    return path


def run(folder: Path, camera: str, *arguments: str):
    config = station(folder, camera)
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def pictures(folder: Path, *data: bytes) -> str:
    (folder / "pictures").mkdir()
    for number, one in enumerate(data):
        (folder / f"pictures/{number}.jpg").write_bytes(one)
    return "{source: folder, path: pictures}"


CAMERA = Device(
    path=Path("/dev/v4l/by-id/usb-Good-index0"),
    node=Path("/dev/video0"),
    name="Good Camera",
    modes=(Mode("YUYV", 640, 480), Mode("MJPG", 1920, 1080)),
    controls=(("exposure", 156), ("gain", 7), ("zoom", 1)),
)


def test_what_is_listed_can_be_pasted(tmp_path):
    lines = CONFIG.format(camera="PASTE").replace("camera: PASTE\n", as_yaml(CAMERA))
    path = tmp_path / "pasted.yaml"
    path.write_text(lines)
    camera = load(path).camera
    assert camera.model_dump(include={"source", "width", "height", "pixel_format", "controls"}) == {
        "source": "v4l2",
        "width": 1920,
        "height": 1080,
        "pixel_format": "MJPG",
        "controls": {"exposure": 156, "gain": 7},
    }


def test_a_camera_that_could_not_be_asked_can_be_pasted_too(tmp_path):
    silent = Device(Path("/dev/video3"), Path("/dev/video3"), "Cam", trouble="Permission denied")
    text = as_yaml(silent)
    path = tmp_path / "pasted.yaml"
    path.write_text(CONFIG.format(camera="PASTE").replace("camera: PASTE\n", text))
    assert load(path).camera.source == "v4l2"
    assert "Permission denied" in text


def test_list_for_programs_has_every_mode(monkeypatch):
    monkeypatch.setattr("camera.listing.devices", lambda: [CAMERA])
    listed = CliRunner().invoke(app, ["list", "--json"])
    (device,) = json.loads(listed.stdout)
    assert device == json.loads(json.dumps(as_json(CAMERA)))
    assert [mode["width"] for mode in device["modes"]] == [640, 1920]


def test_a_machine_without_cameras_says_so_on_standard_error(monkeypatch):
    monkeypatch.setattr("camera.listing.devices", list)
    listed = CliRunner().invoke(app, ["list"])
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert "no camera" in listed.stderr


def test_snapshot_draws_the_region_and_leaves_the_inside_as_it_is(tmp_path):
    out = tmp_path / "deep/out.png"
    done = run(tmp_path, SYNTHETIC, "snapshot", str(out))
    assert done.exit_code == 0
    assert "640 × 480" in done.stderr
    image = cv2.imread(str(out))
    assert image[99, 300].tolist() == [0, 255, 0]
    assert image[380, 300].tolist() == [0, 255, 0]
    assert image[100, 300].tolist() != [0, 255, 0]
    assert (image[100:380, 200:500] != (0, 255, 0)).any(axis=2).all()


def test_snapshot_says_the_doubts_of_the_picture(tmp_path):
    done = run(tmp_path, pictures(tmp_path, jpeg(flat(0))), "snapshot", str(tmp_path / "o.jpg"))
    assert done.exit_code == 0
    assert "doubt: black" in done.stderr


def test_a_picture_of_the_wrong_size_is_shown_with_that_doubt(tmp_path):
    camera = pictures(tmp_path, jpeg(photograph())).replace("}", ", roi: [300, 0, 100, 100]}")
    done = run(tmp_path, camera, "snapshot", str(tmp_path / "o.jpg"))
    assert done.exit_code == 0
    assert "doubt: wrong_size" in done.stderr


def test_a_snapshot_needs_a_known_ending(tmp_path):
    assert run(tmp_path, SYNTHETIC, "snapshot", str(tmp_path / "o.gif")).exit_code == 2


def test_a_camera_that_is_not_there_fails_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("edge.cli.camera.WITHIN_S", 0.5)
    out = tmp_path / "o.jpg"
    done = run(tmp_path, "{source: v4l2, device: /dev/video77}", "snapshot", str(out))
    assert done.exit_code == 1
    assert "/dev/video77 is not there" in done.stderr
    assert not out.exists()


def test_a_picture_that_cannot_be_decoded_fails_with_its_doubt(tmp_path):
    done = run(tmp_path, pictures(tmp_path, b"text"), "snapshot", str(tmp_path / "o.jpg"))
    assert done.exit_code == 1
    assert "not_a_picture" in done.stderr


def test_tune_shows_numbers_of_the_region_for_each_picture(tmp_path):
    done = run(tmp_path, SYNTHETIC, "tune", "--json", "--count", "5")
    assert done.exit_code == 0
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reading["number"] for reading in readings] == [1, 2, 3, 4, 5]
    assert all(reading["sharpest"] >= reading["sharpness"] > 0 for reading in readings)
    assert readings[0]["width"] == 640


def test_tune_ends_with_a_finite_source_and_names_doubts(tmp_path):
    camera = pictures(tmp_path, jpeg(photograph()), b"", jpeg(flat(255)))
    done = run(tmp_path, camera, "tune")
    assert done.exit_code == 0
    first, last = done.stdout.splitlines()
    assert "blown_out" not in first
    assert "! blown_out" in last
    assert "a damaged picture" in done.stderr


def test_captured_pictures_are_whole_and_say_what_they_were_taken_with(tmp_path):
    camera = SYNTHETIC.replace("}", ", rotate: 90}")
    target = tmp_path / "data"
    done = run(
        tmp_path, camera, "capture", str(target), "--label", "defect/scratch", "--count", "3"
    )
    assert done.exit_code == 0
    written = sorted(target.glob("defect/scratch/*.png"))
    assert [str(path) for path in written] == sorted(done.stdout.split())
    assert len(written) == 3
    for path in written:
        about = json.loads(path.with_suffix(".json").read_text())
        assert cv2.imread(str(path)).shape == (480, 640, 3)
        assert (about["label"], about["roi"], about["rotate"]) == (
            "defect/scratch",
            [200, 100, 300, 280],
            90,
        )
        assert len(about["view"]) == 64
        assert about["station"] == "plant-a/line-3/caps"


def test_captured_pictures_keep_the_cameras_own_bytes_and_can_be_read_as_a_folder(tmp_path):
    data = [jpeg(photograph(seed)) for seed in (1, 2)]
    camera = pictures(tmp_path, *data)
    target = tmp_path / "data"
    done = run(tmp_path, camera, "capture", str(target), "--label", "good", "--count", "9")
    assert done.exit_code == 0
    assert "2 labelled good" in done.stderr
    source = FolderSource(target, label_from_folder=True)
    source.open()
    frames = list(iter(source.read, None))
    assert sorted(frame.encoded or b"" for frame in frames) == sorted(data)
    assert {frame.truth for frame in frames} == {"good"}


@pytest.mark.parametrize(
    "label", ["bad", "defect", "defect/", "good/x", "defect/../up", "defect/A"]
)
def test_other_labels_are_refused(tmp_path, label):
    done = run(tmp_path, SYNTHETIC, "capture", str(tmp_path / "data"), "--label", label)
    assert done.exit_code == 2
    assert not (tmp_path / "data").exists()


def test_on_a_terminal_each_enter_takes_a_picture(tmp_path):
    config = station(tmp_path, SYNTHETIC)
    keyboard, terminal = pty.openpty()
    arguments = ["camera", "capture", "data", "--label", "good", "--config", str(config)]
    child = subprocess.Popen(
        [sys.executable, "-m", "edge", *arguments],
        cwd=tmp_path,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(terminal)
    assert child.stdout is not None
    for _ in range(2):
        os.write(keyboard, b"\n")
        assert child.stdout.readline().strip().endswith(".png")
    os.write(keyboard, b"\x04")
    _, said = child.communicate(timeout=60)
    os.close(keyboard)
    assert child.returncode == 0
    assert "2 labelled good" in said


@pytest.fixture
def running_line(tmp_path):
    bundles.make(tmp_path)
    config = station(tmp_path, LIVE)
    config.write_text(config.read_text().replace('"@rings"', "bright"))
    line = subprocess.Popen(
        [sys.executable, "-m", "edge", "run", "--config", str(config)], stderr=subprocess.DEVNULL
    )
    settings = load(config)
    bundles.until(
        lambda: (
            line.poll() is not None
            or bool(of_service(settings, "line").content.get("parts_per_second"))
        ),
        "a running line",
        60,
    )
    assert line.poll() is None
    yield tmp_path
    line.send_signal(signal.SIGTERM)
    assert line.wait(60) == 0


def test_while_the_line_runs_its_newest_picture_is_shown_and_captured(running_line):
    out = running_line / "out.jpg"
    shown = run(running_line, LIVE, "snapshot", str(out))
    assert shown.exit_code == 0, shown.stderr
    assert "from the running line" in shown.stderr
    assert cv2.imread(str(out)).shape == (480, 640, 3)
    target = str(running_line / "data")
    taken = run(running_line, LIVE, "capture", target, "--label", "good", "--count", "2")
    assert taken.exit_code == 0, taken.stderr
    assert len(set(taken.stdout.split())) == 2
