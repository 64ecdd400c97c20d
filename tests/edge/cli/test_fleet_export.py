"""`edge-inspect fleet export`, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.cli.main import app
from tests.edge.review.labelled import Labelled, pictures
from tests.edge.review.test_fleet_exporting import Fleet


@pytest.fixture
def url(tmp_path: Path) -> str:
    station, fleet = Labelled(tmp_path), Fleet(tmp_path)
    station.good("P-1")
    station.defect("defect/dent", "P-2")
    fleet.collect(station)
    station.close()
    fleet.database.close()
    return fleet.url


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["fleet", "export", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_in_words_and_for_machines(url: str, tmp_path: Path) -> None:
    code, said, _ = run(str(tmp_path / "out"), "--database", url)
    assert code == 0
    assert "defect/dent" in said
    assert len(pictures(tmp_path / "out")) == 2
    code, said, _ = run(str(tmp_path / "more"), "--database", url, "--json", "--split", "0/0/100")
    assert code == 0
    assert json.loads(said)["figures"]["test"] == {"defect/dent": 1, "good": 1}


def test_nothing_to_export_ends_with_4(url: str, tmp_path: Path) -> None:
    code, _, words = run(str(tmp_path / "out"), "--database", url, "--from", "plant-z/*/*")
    assert (code, "nothing to export" in words) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--split", "70/30"), "--split"), (("--since", "never"), "--since")],
)
def test_wrong_usage(url: str, tmp_path: Path, arguments: tuple[str, str], words: str) -> None:
    code, _, said = run(str(tmp_path / "out"), "--database", url, *arguments)
    assert (code, words in said) == (2, True)


def test_a_folder_with_other_files_is_refused(url: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "work.txt").write_text("mine")
    code, _, said = run(str(tmp_path / "out"), "--database", url)
    assert (code, "not empty" in said) == (2, True)
