"""Damaged, empty and unlit pictures among good ones: not one is accepted, and the run goes on."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import cv2
import pytest

from camera.familiar import learn
from camera.quality import measure
from camera.synthetic import SyntheticSource
from edge import bundles, calibrations, cameras
from edge.asking import ask_line
from edge.clock import Clock
from edge.config import Config
from inference.bundle import load
from inference.interpreter import runtime_name
from tests.appliance.station import config_of, pictures, rows, start, station

GOOD = 30


def damaged(data: bytes) -> dict[str, bytes]:
    """Every kind of damage that the issue names, of one sound JPEG."""
    tenths = [data[: len(data) * tenth // 10] for tenth in range(1, 10)]
    made = {f"cut-{number}": cut for number, cut in enumerate(tenths, 1)}
    made |= {f"closed-{number}": cut + b"\xff\xd9" for number, cut in enumerate(tenths, 1)}
    middle, hole = len(data) // 2, len(data) // 20
    made["zeroed"] = data[:middle] + bytes(hole) + data[middle + hole :]
    made["empty"] = b""
    made["text"] = b"this is a text that somebody has named .jpg\n" * 20
    return made


def unlike(**knob: int) -> bytes:
    """A simulated picture that is no ordinary one, as a sound JPEG."""
    source = SyntheticSource(seed=9, width=160, height=120, limit=1, **knob)
    source.open()
    frame = source.read()
    assert frame is not None
    assert frame.image is not None
    return cv2.imencode(".jpg", frame.image)[1].tobytes()


def calibrate(config: Config) -> None:
    """Cuts that accept everything, and the familiar range of ordinary parts."""
    source = SyntheticSource(seed=4, width=160, height=120, limit=300)
    source.open()
    measures = []
    while (frame := source.read()) is not None:
        assert frame.image is not None
        decoded = cv2.imdecode(cv2.imencode(".jpg", frame.image)[1], cv2.IMREAD_COLOR)
        measures.append(measure(decoded.astype("uint8")))
    content = {
        "schema": calibrations.SCHEMA,
        "id": Clock().new_id(),
        "bundle": load(bundles.folder(config.model.bundle)).digest,
        "runtime": runtime_name(),
        "machine": platform.machine(),
        "view": cameras.view(config, cameras.source(config.camera)),
        "accept_below": 1.0,
        "reject_above": 1.0,
        "certified": True,
        "familiar": learn(measures).as_json(),
    }
    calibrations.write(config.state_dir / "calibrations", content)
    arguments = {"calibration": content["id"], "reason": "a test"}
    answer = ask_line(config, "apply_calibration", arguments, "anna")
    assert answer is not None
    assert answer["ok"], answer


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Good pictures, with bad ones spread among them by their names."""
    folder = pictures(tmp_path / "pictures", GOOD)
    sound = (folder / "00007.jpg").read_bytes()
    bad = damaged(sound) | {
        "fixture": unlike(empty_every=1),
        "black": unlike(black_every=1),
        "blown-out": unlike(blown_out_every=1),
    }
    for number, (name, data) in enumerate(bad.items()):
        (folder / f"{number % GOOD:05d}-bad-{name}.jpg").write_bytes(data)
    return folder


def test_not_one_is_accepted(tmp_path: Path, mixed: Path) -> None:
    camera = {"source": "folder", "path": str(mixed)}
    settings = station(tmp_path, camera, decision={"automation": "partial"})
    calibrate(config_of(settings))
    with start(settings, "run") as line:
        assert line.wait() == 0
    made = [json.loads(row.body) for row in rows(settings)]
    made = [record for record in made if record["schema"] == "inspection/1"]
    assert len(made) == len(list(mixed.iterdir()))
    bad = [record for record in made if "-bad-" in record["tags"]["file"]]
    fine = [record for record in made if "-bad-" not in record["tags"]["file"]]
    wrong = [record["tags"]["file"] for record in bad if record["decision"] != "escalate"]
    assert wrong == []
    assert all(record["doubts"] for record in bad)
    accepted = sum(record["decision"] == "accept" for record in fine)
    assert accepted >= GOOD - 2
