from __future__ import annotations

import functools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.bundle import write
from inference.labels import Meaning
from inference.prediction import ModelFault
from inference.probe import probe
from inference.proof import prove
from inference.trial import (
    Sample,
    auroc,
    combinations,
    golden_from,
    loss,
    read_samples,
    run_trial,
    settle,
    try_out,
)
from inference.wrap import Wishes, describe
from tests.simulators.tflite import classifier

# Good where the first channel is bright, in the range 0..255; the others do not matter.
SLOPE = 12 / 255
RED_IS_GOOD = classifier([[SLOPE, 0.0, 0.0], [-SLOPE, 0.0, 0.0]], [-6.0, 6.0])
NAMES = Wishes(labels_text="good\nbad", meaning=Meaning(good=["good"]))


probe_once = functools.cache(probe)


def manifest(wishes=NAMES):
    return describe(probe_once(RED_IS_GOOD), wishes, "red", "1.0.0", {"source": "test"})


def picture(red: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)
    noise[:, :, 2] = red
    return noise


def samples(count: int = 6) -> list[Sample]:
    found = []
    for number in range(count):
        for defect in (False, True):
            image = picture(105 + number if defect else 150 + number, number)
            content = cv2.imencode(".png", image)[1].tobytes()
            found.append(Sample(f"{number}.png", content, image, defect))
    return found


def test_the_right_preparation_is_found():
    guessed = manifest()
    trial = try_out(guessed, RED_IS_GOOD, samples())
    best = trial.attempts[0]
    assert (best.scaling, best.spec.colour, best.auroc) == ("0..255", "rgb", 1.0)
    assert trial.settled
    settled = settle(guessed, trial)
    assert settled.spec.input == best.spec
    assert settled.guessed == ()
    assert settled.provenance["colour"] == "tried"
    assert settled.provenance["labels"] == "given"
    assert settled.lineage["trial"]["auroc"] == 1.0
    assert settled.lineage["source"] == "test"


def test_a_settled_trial_leaves_golden_pictures_that_prove_the_bundle(tmp_path):
    guessed, pictures = manifest(), samples()
    trial = try_out(guessed, RED_IS_GOOD, pictures)
    golden = golden_from(pictures, trial)
    assert len(golden) == 10
    bundle = write(tmp_path / "red", settle(guessed, trial), RED_IS_GOOD, golden)
    proof = prove(bundle)
    assert proof.ok
    assert proof.golden == 10
    assert proof.golden_worst < 1e-6
    assert not bundle.unconfirmed


def test_few_pictures_settle_nothing():
    trial = try_out(manifest(), RED_IS_GOOD, samples(4))
    assert trial.attempts[0].auroc == 1.0
    assert not trial.settled
    assert "colour" in settle(manifest(), trial).guessed


def test_confused_labels_settle_nothing():
    wishes = Wishes(labels_text="bad\ngood", meaning=Meaning(good=["good"]))
    trial = try_out(manifest(wishes=wishes), RED_IS_GOOD, samples())
    assert not trial.settled


def test_what_was_given_is_not_tried():
    wishes = Wishes("good\nbad", Meaning(good=["good"]), None, "bgr", "0..1", "area", "pad")
    assert [name for _, name in combinations(manifest(wishes=wishes))] == ["0..1"]


def test_every_plausible_combination_is_tried_once():
    specs = [spec for spec, _ in combinations(manifest())]
    assert len(specs) == len(set(specs)) == 24  # 3 scalings × 2 colours × 3 fits, and 2 × 3
    assert specs[0] == manifest().spec.input


def test_a_combination_that_the_model_cannot_answer_is_left_out():
    def ask(tensor):
        if tensor.max() > 100:
            raise ModelFault("nonsense", "no")
        return np.array([[0.5, 0.5]], np.float32)

    trial = run_trial(manifest(), samples(1), ask)
    assert 0 < len(trial.attempts) < 24
    assert {attempt.auroc for attempt in trial.attempts} == {0.5}


def test_equals_go_to_what_was_declared():
    trial = run_trial(manifest(), samples(1), lambda tensor: np.array([[0.5, 0.5]], np.float32))
    assert trial.attempts[0].spec == manifest().spec.input


def test_nothing_answered_changes_nothing():
    def ask(tensor):
        raise ModelFault("died", "no")

    trial = run_trial(manifest(), samples(1), ask)
    assert trial.attempts == ()
    assert not trial.settled
    assert settle(manifest(), trial) == manifest()
    assert golden_from(samples(1), trial) == {}


scores = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), min_size=2)


@given(scores.filter(lambda pairs: len({defect for _, defect in pairs}) == 2))
def test_auroc_counts_pairs(pairs):
    values, truths = zip(*pairs, strict=True)
    bad = [s for s, d in pairs if d]
    good = [s for s, d in pairs if not d]
    wins = sum((b > g) + 0.5 * (b == g) for b in bad for g in good)
    assert auroc(values, truths) == pytest.approx(wins / len(bad) / len(good))
    assert 0.0 <= loss(values, truths) < 14


def test_pictures_are_read_by_folder(tmp_path):
    for kind in ("good", "defect/scratch"):
        (tmp_path / kind).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / kind / "a.png"), picture(9, 1))
        (tmp_path / kind / "notes.txt").write_text("no picture")
    assert [sample.defect for sample in read_samples(tmp_path)] == [False, True]
    (tmp_path / "good/b.jpg").write_bytes(b"text")
    with pytest.raises(OSError, match=r"b\.jpg is no picture"):
        read_samples(tmp_path)


def test_a_kind_without_pictures_is_named(tmp_path):
    with pytest.raises(OSError, match="good"):
        read_samples(tmp_path)
