"""A station's models by command: ordered while the line is stopped, shown, compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

import models
from camera.simulated.options import SyntheticOptions
from camera.synthetic import SyntheticSource
from edge.cli.model import app
from edge.config_file import load
from edge.rollout.looking import standing
from edge.rollout.pair import Answer, Pair
from edge.rollout.pairs import FOLDER, PairsFile, Word, pair_line, verdict_line
from inference.bundle import load as load_bundle

BETTER = load_bundle(models.path("rings-1.1"))
BY = ("--by", "p-1", "--reason", "a try")


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configured station whose line does not run."""
    monkeypatch.chdir(tmp_path)
    content = {
        "station": {"site": "plant-a", "line": "line-3", "name": "caps"},
        "state_dir": "state",
        "camera": {"source": "synthetic", "width": 640, "height": 480},
        "model": {"bundle": "@rings"},
        "decision": {"automation": "shadow"},
    }
    (tmp_path / "edge-inspect.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def shown(*arguments: object) -> Any:
    return json.loads(run("show", *arguments, "--json").stdout)


def install(*more: object, code: int = 0) -> Result:
    return run("install", "@rings-1.1", "--by", "p-1", *more, code=code)


def test_a_station_without_a_candidate_says_so(station: Path) -> None:
    told = shown()
    assert told["running"]["slot"] == "factory"
    assert told["candidate"] is None
    assert "candidate  none" in run("show").stdout


def test_what_is_installed_is_a_candidate_with_its_orders(station: Path) -> None:
    install("--strategy", "canary", "--steps", "10,50", "--no-promote")
    candidate = shown()["candidate"]
    assert candidate["bundle"] == BETTER.digest
    assert (candidate["state"], candidate["by"]) == ("verified", "p-1")
    found = standing(load(None)).candidate
    assert found is not None
    assert (found.orders.strategy, found.orders.steps) == ("canary", (10.0, 50.0))
    assert not found.orders.promote
    assert "rings 1.1.0" in run("show").stdout


def test_a_dry_run_says_what_would_happen_and_does_nothing(station: Path) -> None:
    said = install("--dry-run", "--strategy", "canary").stderr
    assert "at least 200 parts" in said
    assert "then decides 5, 25, 100 % of the parts" in said
    assert "for 500 parts its return is automatic" in said
    assert not (station / "state" / "line.db").exists()
    assert "becomes active when a person says so" in install("--dry-run").stderr


@pytest.mark.parametrize("steps", ["", "five", "25,5", "5,5", "0,50", "50,200"])
def test_steps_are_rising_percentages(station: Path, steps: str) -> None:
    assert "--steps" in install("--strategy", "canary", "--steps", steps, code=2).stderr


def test_orders_that_make_no_sense_are_refused_in_words(station: Path) -> None:
    assert "there is no candidate" in run("promote", *BY, code=1).stderr
    run("rollback", *BY, code=1)
    assert "active already" in run("install", "@rings", "--by", "p-1", code=1).stderr
    assert "no shipped bundle" in run("install", "@nothing", "--by", "p-1", code=2).stderr
    install()
    assert "it is verified" in run("promote", *BY, code=1).stderr


def test_a_dry_run_is_refused_where_the_order_is(station: Path) -> None:
    """With the same words, and nothing is written."""
    for words in (("promote", *BY), ("rollback", *BY), ("install", "@rings", "--by", "p-1")):
        dry = run(*words, "--dry-run", code=1)
        assert not (station / "state" / "line.db").exists()
        real = run(*words, code=1)
        assert dry.stderr == real.stderr
        for left in (station / "state").glob("line.db*"):
            left.unlink()
    install()
    run("cancel", *BY)
    assert "nothing changed" in run("cancel", *BY, "--dry-run").stderr
    run("cancel", *BY)
    for words in (("cancel", *BY), ("promote", *BY)):
        assert run(*words, "--dry-run", code=1).stderr == run(*words, code=1).stderr
    install()
    dry = run("promote", *BY, "--dry-run", code=1).stderr
    assert "it is verified" in dry
    assert dry == run("promote", *BY, code=1).stderr


def test_a_candidate_is_dropped_and_stays_known_as_the_last(station: Path) -> None:
    install()
    run("cancel", *BY, "--dry-run")
    assert shown()["candidate"] is not None
    assert "drops rings 1.1.0" in run("cancel", *BY).stderr
    told = shown()
    assert told["candidate"] is None
    assert told["last"]["state"] == "cancelled"
    assert "cancelled" in run("show").stdout


def test_the_list_says_what_each_bundle_is_for(station: Path) -> None:
    rows = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert {row["bundle"]: row.get("role") for row in rows} == {
        "@rings": None,
        "@rings-1.1": None,
        "factory": "active",
    }
    assert "active" in run("list").stdout.splitlines()[-1]


def test_show_prints_the_chain_back_to_the_data(station: Path) -> None:
    content = shown("@rings-1.1")
    assert [one["version"] for one in content["chain"]] == ["1.1.0", "1.0.0"]
    text = run("show", "@rings-1.1").stdout
    assert str(BETTER.manifest.lineage["data_hash"]) in text
    assert "from no other model" in text
    assert shown("active")["version"] == "1.0.0"
    assert "no candidate model" in run("show", "candidate", code=2).stderr


def test_wrap_takes_a_lineage_and_refuses_nonsense(tmp_path: Path) -> None:
    from tests.simulators.tflite import bright_is_good

    model, said = tmp_path / "m.tflite", tmp_path / "lineage.yaml"
    model.write_bytes(bright_is_good("int8"))
    said.write_text(yaml.safe_dump({"parent": "ab" * 32, "metrics": {"auroc": 0.9}}))
    words = ("wrap", model, "--good", "0", "--lineage", said)
    run(*words, "--out", tmp_path / "out")
    lineage = load_bundle(tmp_path / "out").manifest.lineage
    assert (lineage["parent"], lineage["metrics"]) == ("ab" * 32, {"auroc": 0.9})
    assert lineage["source"]["file"] == "m.tflite"
    assert "which is not known here" in run("show", tmp_path / "out").stdout
    for nonsense in ("parent: rings", "- a list", "{"):
        said.write_text(nonsense)
        assert "lineage.yaml" in run(*words, "--out", tmp_path / "out2", code=2).stderr


def pairs(station: Path) -> Iterator[dict[str, Any]]:
    """What a line has seen of a candidate: 3 % that only it accepts, one of them a defect."""
    for number in range(300):
        unsure = number % 33 == 0
        first = Answer(0.5, "good", "escalate" if unsure else "accept", None, 4.0)
        second = Answer(0.1, "good", "accept", None, 5.0)
        yield dict(pair_line(Pair(f"i{number}", None, 1.0, "active", first, second)))
    yield dict(verdict_line(Word("i33", "accept")))
    yield dict(verdict_line(Word("i66", "reject")))


def test_compare_tells_what_both_said_on_the_line(station: Path) -> None:
    assert "no candidate has run" in run("compare", code=4).stderr
    assert "--pictures" in run("compare", "a", "b", code=2).stderr
    install()
    found = standing(load(None)).candidate
    assert found is not None
    file = PairsFile(station / "state" / FOLDER / f"{found.id}.jsonl")
    file.append(pairs(station))
    told = json.loads(run("compare", "--json", "--report", "r.html").stdout)
    assert (told["first"]["version"], told["second"]["version"]) == ("1.0.0", "1.1.0")
    assert told["permissive"]["count"] == 10
    assert told["truth"]["second"]["escapes"]["count"] == 1
    assert told["differing"][0]["name"] == "i66"
    assert told["ms"]["ratio"] == pytest.approx(1.25)
    text = run("compare").stdout
    assert "first   rings 1.0.0: its own cuts at the time" in text
    assert "only the second accepts  3.33" in text
    page = (station / "r.html").read_text()
    assert "the second is wrong" in page
    assert "its picture was not kept" in page
    assert "http" not in page.replace("http-equiv", "")


def test_compare_says_where_nothing_was_decided(station: Path) -> None:
    install()
    found = standing(load(None)).candidate
    assert found is not None
    undecided = Answer(0.5, "good", None, None, 4.0)
    line = pair_line(Pair("i1", None, 1.0, "active", undecided, undecided))
    PairsFile(station / "state" / FOLDER / f"{found.id}.jsonl").append([dict(line)])
    text = run("compare").stdout
    assert "first   rings 1.0.0: no cuts at the time: no calibration was in force" in text
    assert "second  rings 1.1.0: no cuts at the time" in text


def test_compare_puts_both_before_the_same_pictures(station: Path) -> None:
    source = SyntheticSource(SyntheticOptions(seed=106, defect_rate=0.5, limit=30))
    source.open()
    while (frame := source.read()) is not None:
        assert frame.image is not None
        place = station / "set" / (frame.truth or "")
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"part-{frame.number}.png"), frame.image)
    (station / "set" / "good" / "torn.png").write_bytes(b"\x89PNG torn")
    words = ("compare", "active", "@rings-1.1", "--pictures", "set")
    told = json.loads(run(*words, "--json", "--report", "r.html").stdout)
    assert told["parts"] == told["compared"] == 31
    counts = told["truth"]["second"]
    assert sum(counts["good"].values()) + sum(counts["defect"].values()) == 31
    assert told["faults"] == {"first": 1, "second": 1}
    assert "no cuts of its own" in told["first"]["cuts"]
    assert (station / "r.html").stat().st_size > 5000
    assert run(*words[:-1], "nowhere", code=2).stderr
