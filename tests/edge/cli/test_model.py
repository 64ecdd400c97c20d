from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli.model import app
from inference import bundle
from tests.simulators.tflite import bright_is_good, passing


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "Bright Parts.tflite"
    path.write_bytes(bright_is_good("int8"))
    return path


@pytest.fixture
def wrapped(tmp_path, model):
    run("wrap", model, "--out", tmp_path / "out", "--good", "0")
    return tmp_path / "out"


def test_wrap_makes_a_bundle_and_says_what_is_guessed(tmp_path, model):
    labels = tmp_path / "labels.txt"
    labels.write_text("0 good\n1 bad\n")
    out = tmp_path / "out"
    result = run(
        "wrap", model, "--out", out, "--labels", labels, "--defect", "bad", "--rest", "good",
        "--colour", "bgr", "--fit", "pad", "--name", "caps", "--version", "2.0.1",
    )  # fmt: skip
    made = bundle.load(out)
    assert (made.name, made.version) == ("caps", "2.0.1")
    assert made.spec.input.colour == "bgr"
    assert [label.role for label in made.spec.output.labels] == ["good", "defect"]
    assert made.manifest.guessed == ("resize",)
    assert "unconfirmed: resize" in result.stdout
    assert "model confirm" in result.stderr


def test_wrap_names_the_bundle_after_the_file(wrapped):
    made = bundle.load(wrapped)
    assert made.name == "bright-parts"
    assert made.manifest.lineage["source"]["file"] == "Bright Parts.tflite"


def test_wrap_with_pictures_settles_what_was_guessed(tmp_path, model):
    for kind, level in (("good", 200), ("defect", 40)):
        (tmp_path / "try" / kind).mkdir(parents=True)
        for number in range(5):
            image = np.full((20, 20, 3), level + number, np.uint8)
            cv2.imwrite(str(tmp_path / "try" / kind / f"{number}.png"), image)
    out = tmp_path / "out"
    result = run("wrap", model, "--out", out, "--good", "0", "--try", tmp_path / "try")
    assert "5 good and 5 defective" in result.stdout
    assert not bundle.load(out).unconfirmed
    proof = json.loads(run("prove", out, "--json").stdout)
    assert proof["ok"] is True
    assert proof["golden"] == 10


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--good", "2"], "no label '2'"),
        ([], "which label means a good part"),
        (["--good", "0", "--colour", "pink"], "--colour pink: one of rgb, bgr, grey"),
        (["--good", "0", "--preset", "magic"], "--preset magic"),
        (["--good", "0", "--scale", "half"], "--scale half"),
        (["--good", "0", "--version", "1"], "--version 1"),
        (["--good", "0", "--out", "."], "is there already"),
    ],
)
def test_wrong_options_are_usage_errors_in_words(tmp_path, model, options, words):
    result = run("wrap", model, "--out", tmp_path / "out", *options, code=2)
    assert words in result.stderr
    assert not (tmp_path / "out").exists()


def test_what_is_no_classifier_is_refused_by_name(tmp_path):
    path = tmp_path / "x.tflite"
    path.write_bytes(passing((1, 8, 8, 3), (1, 2), operator="edgetpu-custom-op"))
    result = run("wrap", path, "--out", tmp_path / "out", code=1)
    assert "custom_operator" in result.stderr
    assert "Coral" in result.stderr
    assert result.stdout == ""


def test_confirm_makes_a_bundle_fit_to_decide(wrapped):
    assert json.loads(run("show", wrapped, "--json").stdout)["unconfirmed"] is True
    assert "anna vouches for" in run("confirm", wrapped, "--by", "anna").stderr
    shown = json.loads(run("show", wrapped, "--json").stdout)
    assert shown["unconfirmed"] is False
    assert shown["confirmed_by"] == "anna"
    assert "confirmed by anna" in run("show", wrapped).stdout


def test_prove_ends_with_4_when_a_bundle_fails(tmp_path, wrapped):
    assert "ok" in run("prove", wrapped).stdout
    result = run("prove", wrapped, "--max-mb", "1", code=4)
    assert "too_large" in result.stdout


def test_list_names_usable_and_damaged_bundles(tmp_path, wrapped):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/bundle.yaml").write_text("name: 1")
    rows = [json.loads(line) for line in run("list", tmp_path, "--json").stdout.splitlines()]
    here = {row["path"]: row for row in rows if row["path"].startswith(str(tmp_path))}
    assert here[str(wrapped)]["labels"] == 2
    assert "not a usable bundle" in here[str(tmp_path / "broken")]["problem"]
    assert "cannot be used" in run("list", tmp_path).stdout


@pytest.mark.parametrize("name", ["@no-such-bundle", "nowhere"])
def test_bundles_that_are_not_there_are_named(name):
    assert name.lstrip("@") in run("show", name, code=2).stderr
