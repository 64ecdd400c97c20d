"""The command as a person types it, with a real model on simulated parts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from camera.simulated.options import SyntheticOptions
from camera.synthetic import SyntheticSource

CONFIG = """\
station: {site: plant-a, line: line-3, name: caps}
state_dir: state
camera: {source: synthetic, width: 640, height: 480}
model: {bundle: "@rings"}
decision: {automation: shadow}
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("station")
    (folder / "edge-inspect.yaml").write_text(CONFIG)
    source = SyntheticSource(SyntheticOptions(seed=106, defect_rate=0.5, limit=40))
    source.open()
    while (frame := source.read()) is not None:
        assert frame.image is not None
        place = folder / "set" / (frame.truth or "")
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"part-{frame.number}.png"), frame.image)
    return folder


def test_a_dataset(station: Path) -> None:
    done = run(station, "evaluate", "set", "--json", "--report", "report.html")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["n_good"] + found["n_defect"] == 40
    assert found["auroc"]["value"] > 0.85
    assert "both at 0.5, since no calibration was made yet" in found["cuts"]["origin"]
    assert {"type", "brightness"} <= {one["tag"] for one in found["slices"]}
    page = (station / "report.html").read_text()
    assert "What to work on next" in page
    assert page.count("data:image/jpeg") == 16


def test_figures_for_people(station: Path) -> None:
    words = "--accept-below", "0.1", "--reject-above", "0.9", "--slice", "type"
    done = run(station, "evaluate", "set", *words)
    assert done.returncode == 0, done.stderr
    assert "accept below 0.1, reject from 0.9 (typed in this command)" in done.stdout
    assert "escape rate" in done.stdout
    assert "type: dent" in done.stdout
    assert "brightness" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "give one of"),
        (("set", "--recorded"), 2, "give one of"),
        (("--recorded",), 4, "no inspection has a score and a known truth"),
        (("empty",), 2, "empty is no folder"),
        (("--scores", "bad.csv"), 2, "bad.csv:2: the score '7'"),
        (("--scores", "good.csv", "--slice", "shift"), 2, "no part has the tag shift"),
        (("set", "--accept-below", "0.1"), 2, "go together"),
        (("set", "--confidence", "1"), 2, "--confidence 1.0"),
    ],
)
def test_what_is_wrong_is_said(station: Path, words: tuple[str, ...], code: int, said: str) -> None:
    (station / "bad.csv").write_text("score,label\n7,good\n")
    (station / "good.csv").write_text("score,label\n0.7,good\n")
    done = run(station, "evaluate", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
