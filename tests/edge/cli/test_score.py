"""Scores of many pictures, as the line would give them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera.simulated.options import SyntheticOptions
from camera.synthetic import SyntheticSource
from edge.config_file import load
from edge.evaluating.station import Station

CONFIG = """\
station: {site: plant-a, line: line-3, name: caps}
state_dir: state
camera: {source: synthetic, width: 640, height: 480}
model: {bundle: "@rings"}
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", "score", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("station")
    (folder / "edge-inspect.yaml").write_text(CONFIG)
    pictures = folder / "pictures"
    pictures.mkdir()
    source = SyntheticSource(SyntheticOptions(seed=106, limit=3))
    source.open()
    while (frame := source.read()) is not None:
        assert frame.image is not None
        cv2.imwrite(str(pictures / f"{frame.number}.png"), frame.image)
    cv2.imwrite(str(pictures / "4-black.png"), np.zeros((480, 640, 3), np.uint8))
    cv2.imwrite(str(pictures / "5-small.png"), np.full((100, 120, 3), 99, np.uint8))
    (pictures / "6-damaged.jpg").write_bytes(b"no picture")
    return folder


def test_a_line_for_every_picture_with_its_doubts(station: Path) -> None:
    done = run(station, "pictures", "--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["file"][0] for one in found] == list("123456")
    assert all(0 <= one["score"] <= 1 for one in found[:5])
    assert [one["doubts"] for one in found[:3]] == [[], [], []]
    assert "black" in found[3]["doubts"]
    assert "wrong_size" in found[4]["doubts"]
    assert found[5]["score"] is None
    assert found[5]["fault"] == "no_picture"


def test_the_table_says_the_same(station: Path) -> None:
    rows = list(csv.DictReader(run(station, "pictures").stdout.splitlines()))
    lines = run(station, "pictures", "--json").stdout.splitlines()
    objects = [json.loads(line) for line in lines]
    assert [row["score"] for row in rows] == [
        "" if one["score"] is None else repr(one["score"]) for one in objects
    ]
    assert [row["doubts"] for row in rows] == ["+".join(one["doubts"]) for one in objects]


@pytest.mark.parametrize(("folder", "said"), [("none", "no folder"), ("empty", "no pictures")])
def test_no_pictures(station: Path, folder: str, said: str) -> None:
    (station / "empty").mkdir(exist_ok=True)
    done = run(station, folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_nothing_is_written(station: Path) -> None:
    assert Station(load(station / "edge-inspect.yaml")).familiar() is None
    assert not (station / "state").exists()
