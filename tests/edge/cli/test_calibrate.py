"""`edge-inspect calibrate` and `calibration`: exit codes, what is kept, what is in force."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from edge.cli.main import app
from edge.rollout import pinned
from tests.appliance.station import rows, station

CAMERA = {"source": "synthetic", "seed": 3, "width": 160, "height": 120, "limit": 3}
TARGETS = {"max_escape": 0.2, "max_overkill": 0.2, "confidence": 0.9}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return station(tmp_path, CAMERA, decision={"automation": "partial", **TARGETS})


def invoke(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def answer(*words: str, code: int = 0) -> Any:
    done = invoke(*words, "--json")
    assert done.exit_code == code, done.output
    (line,) = done.stdout.splitlines()
    return json.loads(line)


def table(folder: Path, good: int, defect: int, name: str = "scores.csv") -> str:
    draw = random.Random(1)
    lines = [f"{draw.random() * 0.5},good," for _ in range(good)]
    lines += [f"{0.4 + draw.random() * 0.6},defect,dent" for _ in range(defect)]
    path = folder / name
    path.write_text("\n".join(["score,label,type", *lines]))
    return str(path)


def dataset(folder: Path, good: int = 40, defect: int = 40) -> str:
    for number in range(good + defect):
        kind = "good" if number < good else "defect/dark"
        level = (200 if number < good else 40) + number % 40
        image = np.full((120, 160, 3), level, np.uint8)
        image[number % 120, :] = 255 - level
        path = folder / "data" / kind / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), image)
    return str(folder / "data")


def test_the_worked_example_ends_with_four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--scores", table(tmp_path, 1000, 60), "--max-escape", "0.01", "--confidence", "0.95")
    found = answer("calibrate", *words, "--rate", "1200", "--prevalence", "0.01", code=4)
    assert round(found["tightest"]["escape"], 4) == 0.0596
    assert found["needed"] == {"good": 0, "defect": 308}
    assert round(found["needed_hours"], 1) == 25.7
    assert found["needed_with_only"] == {"accept": 239, "reject": 0}
    said = invoke("calibrate", *words)
    assert said.exit_code == 4
    assert "0.0596" in said.stdout
    assert "308 more defects are needed" in said.stdout


@pytest.mark.parametrize("row", ["nan,good", "1.5,defect", "0.5,bad", "x"])
def test_a_wrong_row_ends_with_two_and_names_it(tmp_path: Path, row: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(f"score,label\n0.5,good\n{row}\n")
    done = invoke("calibrate", "--scores", str(path))
    assert done.exit_code == 2
    assert f"{path}:3:" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("data", "--recorded"),
        ("data", "--apply"),
        ("--recorded", "--as-is"),
        ("--scores", "scores.csv", "--max-escape", "0"),
        ("--scores", "scores.csv", "--confidence", "1"),
        ("data",),
        ("nowhere", "--not-trained-on-these"),
        ("--recorded", "--not-trained-on-these"),
    ],
)
def test_wishes_that_make_no_sense_end_with_two(settings: Path, words: tuple[str, ...]) -> None:
    dataset(settings.parent, 2, 2)
    table(settings.parent, 50, 50)
    done = invoke("calibrate", *words)
    assert done.exit_code == 2, done.output
    assert "edge-inspect:" in done.stderr
    assert not (settings.parent / "state" / "calibrations").exists()


def test_pictures_are_scored_kept_and_applied(settings: Path) -> None:
    words = (dataset(settings.parent), "--not-trained-on-these", "--prevalence", "0.1")
    found = answer("calibrate", *words)
    assert (found["n_good"], found["n_defect"], found["certified"]) == (40, 40, True)
    assert found["types"][0]["type"] == "dark"
    assert answer("calibration", "list")["in_force"] is None
    assert answer("calibration", "show", found["id"])["accept_below"] == found["accept_below"]
    by = ("--by", "anna", "--reason", "released by QA")
    assert invoke("calibration", "apply", found["id"][-8:], *by, "--dry-run").exit_code == 0
    assert answer("calibration", "list")["in_force"] is None
    assert invoke("calibration", "apply", found["id"][-8:], *by).exit_code == 0
    listed = answer("calibration", "list")
    assert listed["in_force"] == found["id"]
    (record,) = [json.loads(row.body) for row in rows(settings)]
    assert (record["schema"], record["id"], record["by"], record["reason"]) == (
        "calibration/1", found["id"], "anna", "released by QA",
    )  # fmt: skip
    assert record["account"]
    assert "familiar" not in record
    assert record["n_defect"] == 40


def test_what_was_applied_at_once_is_kept_for_new_models(settings: Path) -> None:
    words = (dataset(settings.parent), "--not-trained-on-these", "--apply", "--by", "anna")
    done = invoke("calibrate", *words)
    assert "kept for new models: 40 pictures of good parts and 40 of defects" in done.stderr
    kept = pinned.read(settings.parent / "state")
    assert kept is not None
    assert (kept.good, kept.defect, kept.by) == (40, 40, "anna")
    assert kept.calibration == answer("calibration", "list")["in_force"]
    assert "camera.width" in kept.seen


def test_a_table_of_scores_has_nothing_to_keep(settings: Path) -> None:
    words = ("--scores", table(settings.parent, 50, 50), "--not-trained-on-these")
    done = invoke("calibrate", *words, "--apply", "--by", "anna")
    assert "its pictures are not kept" in done.stderr
    assert pinned.read(settings.parent / "state") is None


def test_pictures_without_room_do_not_undo_the_calibration(tmp_path: Path) -> None:
    small = station(tmp_path, CAMERA, decision=TARGETS, rollout={"pinned_bytes": 10})
    words = (dataset(tmp_path), "--not-trained-on-these", "--apply", "--by", "anna")
    done = invoke("calibrate", *words, "--config", str(small))
    assert done.exit_code == 0, done.output
    assert "could not be kept for new models" in done.stderr
    assert "rollout.pinned_bytes" in done.stderr


def test_tries_are_counted_and_a_second_one_can_be_applied_at_once(settings: Path) -> None:
    words = (dataset(settings.parent), "--not-trained-on-these")
    first = answer("calibrate", *words)
    assert invoke("calibrate", *words, "--dry-run").exit_code == 0
    second = answer("calibrate", *words, "--max-escape", "0.15", "--apply", "--by", "ben")
    assert (first["tries"], second["tries"]) == (0, 1)
    assert second["escape"]["target"] == 0.15
    listed = answer("calibration", "list")
    assert [one["id"] for one in listed["calibrations"]] == [first["id"], second["id"]]
    assert listed["in_force"] == second["id"]
    compared = answer("calibration", "compare", first["id"], second["id"])
    assert compared["common_pictures"] == 80
    assert invoke("calibration", "compare", first["id"], second["id"]).exit_code == 0
    assert invoke("calibration", "show", second["id"]).exit_code == 0
    assert second["id"] in invoke("calibration", "list").stdout


def test_a_table_that_nobody_vouches_for_is_not_certified(settings: Path) -> None:
    words = ("calibrate", "--scores", table(settings.parent, 50, 50))
    assert answer(*words)["certified"] is False
    assert answer(*words, "--not-trained-on-these")["certified"] is True


def test_training_pictures_are_refused(settings: Path) -> None:
    from tests.edge.test_standards import with_bundle

    folder = Path(dataset(settings.parent))
    import hashlib

    digest = hashlib.sha256((folder / "good" / "3.png").read_bytes()).hexdigest()
    with_bundle(settings, lineage={"training_pictures": [digest]})
    done = invoke("calibrate", str(folder), "--not-trained-on-these")
    assert done.exit_code == 2
    assert "were used to train this model" in done.stderr
    with_bundle(settings, lineage={"training_pictures": ["0" * 64]})
    assert answer("calibrate", str(folder))["not_trained_on_these"] == "compared"


def test_as_is_takes_the_word_certified_away(settings: Path) -> None:
    folder = dataset(settings.parent)
    odd = np.full((50, 60, 3), 210, np.uint8)
    assert cv2.imwrite(f"{folder}/good/odd.png", odd)
    done = invoke("calibrate", folder, "--not-trained-on-these")
    assert done.exit_code == 2
    assert "good/odd.png is 60x50; pictures must be 160x120" in done.stderr
    found = answer("calibrate", folder, "--not-trained-on-these", "--as-is")
    assert (found["certified"], found["n_good"]) == (False, 41)


def test_the_report_is_written(settings: Path) -> None:
    words = (dataset(settings.parent), "--not-trained-on-these", "--report", "report.html")
    assert invoke("calibrate", *words).exit_code == 0
    assert "<html" in Path("report.html").read_text()
    refused = invoke("calibrate", *words, "--max-escape", "0.001", "--report", "refused.html")
    assert refused.exit_code == 4
    assert "<html" in Path("refused.html").read_text()
    assert len(answer("calibration", "list")["calibrations"]) == 1


def test_an_id_that_is_none_is_named(settings: Path) -> None:
    for words in (("show", "beef"), ("compare", "beef", "beef")):
        done = invoke("calibration", *words)
        assert done.exit_code == 2
        assert "0 calibrations end with 'beef'" in done.stderr
