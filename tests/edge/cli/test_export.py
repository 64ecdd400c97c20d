"""`edge-inspect export` as typed, and what others do with the folder."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from camera.simulated.options import SyntheticOptions
from camera.simulated.parts import draw
from edge.cli import export as command
from edge.cli.main import app
from edge.store.encoding import encode
from tests.edge.cli.test_results import CONFIG
from tests.edge.review.labelled import Labelled


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Labelled]:
    monkeypatch.setattr(command, "_give_way", lambda: None)  # the tests need not wait for others
    (tmp_path / "edge-inspect.yaml").write_text(CONFIG)
    made = Labelled(tmp_path)
    yield made
    made.close()


def run(station: Labelled, *words: str, name: str = "export") -> Result:
    config = str(station.folder / "edge-inspect.yaml")
    return CliRunner().invoke(app, [name, *words, "--config", config])


def test_it_says_what_went_where(station: Labelled, tmp_path: Path) -> None:
    for number in range(10):
        station.good(f"G-{number}")
        station.defect("dent", f"D-{number}")
    station.says(station.part("U"), "unsure")
    done = run(station, str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    heading, good, dent, parts, left = done.stdout.splitlines()
    assert heading.split() == ["train", "calibration", "test"]
    assert good.split()[0] == "good"
    assert sum(map(int, good.split()[1:])) == 10
    assert dent.split()[0] == "defect/dent"
    assert parts.startswith("20 parts were new")
    assert left.startswith("left out: 1 (the person was unsure), such as ")


def test_json_only_on_standard_output(station: Labelled, tmp_path: Path) -> None:
    station.good("A")
    done = run(station, str(tmp_path / "out"), "--json", "--dry-run")
    told = json.loads(done.stdout)
    assert (told["schema"], told["dry_run"], told["split"]) == ("export/1", True, "70/15/15")
    assert not (tmp_path / "out").exists()
    assert "a dry run" in done.stderr


def test_nothing_is_exit_4(station: Labelled, tmp_path: Path) -> None:
    done = run(station, str(tmp_path / "out"))
    assert done.exit_code == 4
    assert "there is nothing to export" in done.stderr
    assert not (tmp_path / "out").exists()


def test_nothing_where_the_station_never_ran(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(command, "_give_way", lambda: None)
    (tmp_path / "edge-inspect.yaml").write_text(CONFIG)
    words = ["export", str(tmp_path / "out"), "--config", str(tmp_path / "edge-inspect.yaml")]
    assert CliRunner().invoke(app, words).exit_code == 4
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--split", "70/20"], "--split"),
        (["--split", "60/20/21"], "add up to 100"),
        (["--since", "yesterday"], "--since"),
        (["--until", "soon"], "--until"),
    ],
)
def test_wrong_words_are_exit_2(station: Labelled, tmp_path: Path, words, said) -> None:
    done = run(station, str(tmp_path / "out"), *words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_folder_of_others_is_refused_with_words(station: Labelled, tmp_path: Path) -> None:
    station.good("A")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    done = run(station, str(tmp_path / "out"))
    from edge.store.errors import StoreError

    assert isinstance(done.exception, StoreError)  # main says it, exit 1
    assert "no earlier export" in str(done.exception)


def test_a_damaged_split_is_said(station: Labelled, tmp_path: Path) -> None:
    station.good("A")
    (tmp_path / "state" / "splits.db").write_bytes(b"nonsense" * 1000)
    done = run(station, str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "splits" in done.stderr or "database" in done.stderr
    assert not (tmp_path / "out").exists()


def simulated(station: Labelled, count: int) -> None:
    """Parts of the simulated line, labelled by somebody who is always right."""
    options = SyntheticOptions(defect_rate=0.5)
    for number in range(1, count + 1):
        image, truth = draw(77, number, options)
        made = station.part(f"R-{number}", encode(image))
        good = truth == "good"
        label = None if good else str(truth).partition("/")[2]
        station.says(made, "accept" if good else "reject", label=label)


@pytest.mark.slow
def test_calibrate_takes_what_was_exported(station: Labelled, tmp_path: Path) -> None:
    simulated(station, 50)
    out = tmp_path / "out"
    assert run(station, str(out), "--split", "40/60/0").exit_code == 0
    folder = str(out / "calibration")
    bounds = ["--max-escape", "0.4", "--max-overkill", "0.4", "--not-trained-on-these", "--json"]
    done = run(station, folder, *bounds, name="calibrate")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    with (out / "labels.csv").open(newline="") as file:
        table = [row for row in csv.DictReader(file) if row["split"] == "calibration"]
    assert found["n_good"] == sum(row["label"] == "good" for row in table)
    assert found["n_defect"] == sum(row["label"] == "defect" for row in table)
    assert {row["type"] for row in found["types"]} == {row["type"] for row in table} - {""}


def test_calibrate_counts_a_part_once(station: Labelled, tmp_path: Path) -> None:
    from edge.calibrating.once import once
    from edge.calibrating.pictures import listing, read_labelled

    for _ in range(3):
        station.good("same part")
        station.good()
    assert run(station, str(tmp_path / "out"), "--split", "0/100/0").exit_code == 0
    folder = tmp_path / "out" / "calibration"
    paths, others = listing(folder)
    assert (len(paths), others) == (6, [])
    shots = [read_labelled(folder, path)[0].shot for path in paths]
    assert len(set(once(shots))) == 4


def test_two_classes_for_whoever_reads_folders_as_classes(station: Labelled, tmp_path: Path):
    """As keras.utils.image_dataset_from_directory does: the folders at the top are the classes,
    and every picture below one belongs to it."""
    for number in range(20):
        station.good(f"G-{number}")
        station.defect("dent" if number % 2 else None, f"D-{number}")
    run(station, str(tmp_path / "out"))
    for split in ("train", "calibration", "test"):
        top = tmp_path / "out" / split
        assert sorted(path.name for path in top.iterdir()) == ["defect", "good"]
        pictures = [path for path in top.rglob("*") if path.suffix in (".jpg", ".png")]
        assert pictures
