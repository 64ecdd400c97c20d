"""The shipped model does what models/README.md says of it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pytest

import models
from camera.simulated.options import DEFECT_TYPES, SyntheticOptions
from camera.simulated.parts import draw
from inference.bundle import Bundle, load
from inference.interpreter import Interpreter
from inference.postprocess import Postprocessor
from inference.preprocess import Preprocessor
from models.training.evaluate import auroc
from models.training.pictures import CALIBRATION_SEED, GOLDEN_SEED, MORE, TEST, TRAIN, VALIDATION

FRESH_SEED = 106
PARTS = 700
NAMES = ["rings", "rings-1.1"]


@lru_cache(maxsize=2)
def rings(name: str = "rings") -> Bundle:
    return load(models.path(name))


class Model:
    def __init__(self, bundle: Bundle) -> None:
        self.interpreter = Interpreter(bundle.model)
        self.preprocess = Preprocessor(bundle.spec.input)
        self.postprocess = Postprocessor(bundle.spec.output)

    def score(self, image: np.ndarray) -> float:
        return self.postprocess(self.interpreter.run(self.preprocess(image))).score


def largest_difference(model: Model, bundle: Bundle) -> float:
    differences = []
    for name, expected in bundle.golden.scores.items():
        image = cv2.imdecode(np.frombuffer(bundle.golden_picture(name), np.uint8), cv2.IMREAD_COLOR)
        differences.append(abs(model.score(np.asarray(image, np.uint8)) - expected))
    return max(differences)


def test_it_is_found_by_name() -> None:
    assert models.names() == ["rings", "rings-1.1"]
    assert models.path("@rings") == models.path("rings")
    assert rings().name == "rings"


@pytest.mark.parametrize("name", ["caps", "@caps", "training", "", "../models/rings"])
def test_other_names_are_refused_with_those_that_exist(name: str) -> None:
    with pytest.raises(models.NoSuchBundle, match="@rings"):
        models.path(name)


@pytest.mark.parametrize("name", NAMES)
def test_everything_about_it_is_vouched_for(name: str) -> None:
    bundle = rings(name)
    assert not bundle.unconfirmed
    assert set(bundle.provenance.values()) == {"given"}
    assert [label.name for label in bundle.spec.output.labels] == ["good", *DEFECT_TYPES]
    assert {label.role for label in bundle.spec.output.labels[1:]} == {"defect"}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_and_whole_numbers_at_both_ends(name: str) -> None:
    bundle = rings(name)
    interpreter = Interpreter(bundle.model)
    (into,), (out,) = interpreter.inputs, interpreter.outputs
    assert len(bundle.model) <= 300_000
    assert (into.dtype, into.shape) == ("uint8", (1, 96, 96, 3))
    assert (out.dtype, out.shape) == ("uint8", (1, 5))
    declared = bundle.spec.input, bundle.spec.output
    assert [(spec.scale, spec.zero_point) for spec in declared] == [
        (into.scale, into.zero_point),
        (out.scale, out.zero_point),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_golden_pictures_give_the_scores_that_they_gave(name: str) -> None:
    bundle = rings(name)
    assert len(bundle.golden.scores) == 8
    assert largest_difference(Model(bundle), bundle) <= bundle.golden.tolerance


@pytest.mark.parametrize(
    "wrong", [{"colour": "bgr"}, {"fit": "stretch"}, {"fit": "pad"}, {"resize": "linear"}]
)
def test_golden_pictures_notice_a_wrong_transform(wrong: dict[str, Any]) -> None:
    bundle = rings()
    model = Model(bundle)
    model.preprocess = Preprocessor(replace(bundle.spec.input, **wrong))
    assert largest_difference(model, bundle) > bundle.golden.tolerance


def test_golden_scores_are_spread_out() -> None:
    """A model that always says the same would otherwise pass."""
    scores = rings().golden.scores.values()
    assert max(scores) - min(scores) > 0.5


@pytest.mark.parametrize("name", NAMES)
def test_it_is_good_but_not_perfect_on_parts_that_it_never_saw(name: str) -> None:
    model = Model(rings(name))
    options = SyntheticOptions(defect_rate=0.5)
    good, defect = [], []
    for number in range(1, PARTS + 1):
        image, truth = draw(FRESH_SEED, number, options)
        (good if truth == "good" else defect).append(model.score(image))
    assert 0.95 < auroc(np.array(good), np.array(defect)) < 0.999


def test_no_two_uses_share_a_seed() -> None:
    seeds = [share.seed for share in (TRAIN, MORE, VALIDATION, TEST)]
    seeds += [CALIBRATION_SEED, GOLDEN_SEED, FRESH_SEED, SyntheticOptions().seed]
    assert len(set(seeds)) == len(seeds)


def test_the_lineage_names_the_seeds_that_the_script_uses() -> None:
    shares = rings().manifest.lineage["data"]["shares"]
    for share in (TRAIN, VALIDATION, TEST):
        assert shares[share.name]["seed"] == share.seed
        assert shares[share.name]["parts"] == [1, share.count]


def test_the_next_version_says_what_it_came_from_and_is_better() -> None:
    first, second = rings(), rings("rings-1.1")
    assert (first.name, second.name, second.version) == ("rings", "rings", "1.1.0")
    assert second.manifest.lineage["parent"] == first.digest
    assert second.manifest.lineage["data"]["shares"]["more"]["seed"] == MORE.seed
    assert second.baseline["figures"]["auroc"] > first.baseline["figures"]["auroc"]
