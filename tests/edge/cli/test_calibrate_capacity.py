"""What-if: cuts for what persons can answer, by command and in the report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.decision.calibration import Targets
from edge.decision.capacity import Load, tightest_for_capacity

WORDS = "--capacity", "50", "--rate", "1000", "--prevalence", "0.02", "--not-trained-on-these"


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", "calibrate", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def scores(tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(8)
    good, defect = random.beta(1, 8, 600), random.beta(8, 2, 500)
    rows = [f"{float(s)!r},good" for s in good] + [f"{float(s)!r},defect" for s in defect]
    (tmp_path / "scores.csv").write_text("score,label\n" + "\n".join(rows))
    return good, defect


def test_the_command_gives_the_cuts_of_the_function(
    tmp_path: Path, scores: tuple[np.ndarray, np.ndarray]
) -> None:
    done = run(tmp_path, "--scores", "scores.csv", *WORDS, "--json", "--report", "report.html")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    wanted = tightest_for_capacity(*scores, Load(1000, 0.02, 50), Targets()).cuts
    assert (found["accept_below"], found["reject_above"]) == (
        wanted.accept_below,
        wanted.reject_above,
    )
    assert found["escape"]["target"] == found["escape"]["upper_bound"]
    assert found["escape"]["upper_bound"] == wanted.escape.upper_bound
    assert found["capacity"] == {
        "rate_per_hour": 1000,
        "prevalence": 0.02,
        "answers_per_hour": 50,
    }
    page = (tmp_path / "report.html").read_text()
    assert "persons who answer 50 questions/h can keep up" in page
    assert "picked for what persons can answer" in page
    assert "that is why it is narrower" not in page


def test_in_words(tmp_path: Path, scores: tuple[np.ndarray, np.ndarray]) -> None:
    done = run(tmp_path, "--scores", "scores.csv", *WORDS)
    assert "the tightest escape bound for 50 answers/h at 1,000 parts/h" in done.stdout
    assert "(the tightest that fits)" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--capacity", "5", "--rate", "9"), "--capacity needs --prevalence"),
        (("--capacity", "5", "--prevalence", "0.1"), "--capacity needs --rate"),
        ((*WORDS, "--max-escape", "0.1"), "without --max-escape"),
        ((*WORDS, "--only", "reject"), "--only reject"),
        (("--capacity", "5", "--rate", "0", "--prevalence", "0.1"), "rate 0"),
    ],
)
def test_what_makes_no_sense(
    tmp_path: Path, scores: tuple[np.ndarray, np.ndarray], words: tuple[str, ...], said: str
) -> None:
    done = run(tmp_path, "--scores", "scores.csv", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_too_few_good_parts(tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("score,label\n0.1,good\n0.9,defect\n")
    done = run(tmp_path, "--scores", "few.csv", *WORDS, "--json")
    assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout)["needed"] == {"good": 367, "defect": 0}
