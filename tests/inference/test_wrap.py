from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.interpreter import TensorDetail
from inference.labels import LabelError, Meaning
from inference.modelfile import ModelFile
from inference.probe import Probed, probe
from inference.spec import NAMED_SCALINGS, Scaling
from inference.suitability import Refused
from inference.wrap import WishError, Wishes, bundle_name, describe, parse_scaling
from tests.simulators.tflite import bright_is_good, classifier, metadata, with_files

FLOAT = TensorDetail("image", (1, 8, 8, 3), "float32", 0.0, 0)
SCORES = TensorDetail("scores", (1, 2), "float32", 0.0, 0)
HALVES = (np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]]))
PROBED = Probed(ModelFile(last="SOFTMAX"), FLOAT, SCORES, HALVES)
GOOD_BAD = Wishes(labels_text="bad\ngood")


def described(probed=PROBED, wishes=GOOD_BAD, **more):
    return describe(probed, replace(wishes, **more), "x", "1.0.0", {})


def quantised(low: float, high: float, dtype: str = "uint8", file=PROBED.file) -> Probed:
    scale = (high - low) / 255
    zero = round(-low / scale) + (-128 if dtype == "int8" else 0)
    return replace(PROBED, file=file, input=TensorDetail("i", FLOAT.shape, dtype, scale, zero))


def test_a_real_file_with_metadata_needs_few_guesses():
    model = with_files(
        bright_is_good(metadata=metadata("l.txt", [127.5], [127.5], "rgb")),
        {"l.txt": "good\ndefect\n"},
    )
    found = described(probe(model), Wishes())
    assert found.spec.input.scaling == NAMED_SCALINGS["-1..1"]
    assert [label.role for label in found.spec.output.labels] == ["good", "defect"]
    assert found.provenance == {
        "output": "read", "labels": "read", "roles": "guessed", "scaling": "read",
        "colour": "read", "resize": "guessed", "fit": "guessed",
    }  # fmt: skip


def test_good_may_stand_anywhere_in_the_list():
    found = described()
    assert [(x.name, x.role) for x in found.spec.output.labels] == [
        ("bad", "defect"),
        ("good", "good"),
    ]
    assert found.provenance["labels"] == "given"


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (0, 255), (-1, 0.9921875)])
def test_usual_ranges_of_quantised_inputs_are_read_as_pixels(dtype, low, high):
    found = described(quantised(low, high, dtype))
    assert found.provenance["scaling"] == "read"
    spec = found.spec.input
    code = (128 - spec.scaling.mean[0]) / spec.scaling.std[0] / spec.scale + spec.zero_point
    assert code == pytest.approx(128 if dtype == "uint8" else 0)


def test_an_unusual_range_is_a_guess_or_the_metadata():
    assert described(quantised(-2.1, 2.6)).provenance["scaling"] == "guessed"
    file = ModelFile(last="SOFTMAX", mean=(120.0,), std=(60.0,))
    found = described(quantised(-2.1, 2.6, file=file))
    assert found.spec.input.scaling == Scaling((120.0,), (60.0,))
    assert found.provenance["scaling"] == "read"


def test_a_float_model_that_scales_by_itself_is_guessed_so():
    assert described().spec.input.scaling == NAMED_SCALINGS["0..1"]
    by_itself = replace(PROBED, file=ModelFile(last="SOFTMAX", first="MUL"))
    found = described(by_itself)
    assert found.spec.input.scaling == NAMED_SCALINGS["0..255"]
    assert found.provenance["scaling"] == "guessed"


def test_presets_are_words_that_somebody_gave():
    teachable = described(preset="teachable-machine")
    assert teachable.spec.input.scaling == NAMED_SCALINGS["-1..1"]
    assert teachable.spec.input.fit == "crop"
    assert teachable.guessed == ("roles",)
    keras = described(preset="keras")
    assert (keras.spec.input.resize, keras.spec.input.fit) == ("linear", "stretch")
    assert keras.guessed == ("roles", "scaling")
    assert described(quantised(-1, 1), preset="automl").guessed == ("roles",)


def test_what_is_given_wins_over_everything():
    found = described(
        replace(PROBED, file=ModelFile(last="SOFTMAX", mean=(1.0,), std=(2.0,), colour="rgb")),
        scaling="0..255", colour="bgr", resize="nearest", fit="pad", preset="keras",
        meaning=Meaning(good=["bad"]),
    )  # fmt: skip
    spec = found.spec.input
    assert (spec.colour, spec.resize, spec.fit) == ("bgr", "nearest", "pad")
    assert spec.scaling == NAMED_SCALINGS["0..255"]
    assert found.guessed == ()


def test_grey_is_read_and_cannot_be_wished_away():
    grey = replace(PROBED, input=replace(FLOAT, shape=(1, 8, 8, 1)))
    assert described(grey).spec.input.colour == "grey"
    assert described(grey).provenance["colour"] == "read"
    with pytest.raises(WishError, match="grey"):
        described(grey, colour="rgb")
    with pytest.raises(WishError, match="three"):
        described(colour="grey")


@pytest.mark.parametrize(
    ("text", "scaling"),
    [
        ("127.5/127.5", Scaling((127.5,), (127.5,))),
        ("1,2,3/4", Scaling((1.0, 2.0, 3.0), (4.0,))),
        ("raw", NAMED_SCALINGS["0..255"]),
        ("caffe", NAMED_SCALINGS["caffe"]),
    ],
)
def test_scalings_can_be_written_in_words_or_numbers(text, scaling):
    assert parse_scaling(text, FLOAT) == scaling


@pytest.mark.parametrize("text", ["half", "1/0", "1,2/3", "1", "a/b", "1/2/3"])
def test_scalings_that_mean_nothing_are_refused(text):
    with pytest.raises(WishError, match="--scale"):
        parse_scaling(text, FLOAT)


def sigmoid(values: int) -> Probed:
    answers = (np.full((1, values), 0.3), np.full((1, values), 0.9))
    scores = replace(SCORES, shape=(1, values))
    return Probed(ModelFile(last="LOGISTIC"), FLOAT, scores, answers)


def test_one_sigmoid_has_two_labels():
    found = described(sigmoid(1)).spec.output
    assert found.kind == "sigmoid"
    assert [label.name for label in found.labels] == ["bad", "good"]
    one = described(sigmoid(1), labels_text="scratch", meaning=Meaning(defect=["scratch"],
                                                                       rest="good"))  # fmt: skip
    assert [(x.name, x.role) for x in one.spec.output.labels] == [
        ("not scratch", "good"),
        ("scratch", "defect"),
    ]


def test_several_sigmoids_are_independent():
    assert described(sigmoid(2)).spec.output.kind == "sigmoids"
    with pytest.raises(LabelError, match="defect"):
        described(sigmoid(2), meaning=Meaning(good=["bad", "good"]))


def test_exclusive_outputs_without_a_softmax_at_the_end_are_a_guess():
    odd = replace(PROBED, file=ModelFile(last="DIV"))
    assert described(odd).provenance["output"] == "guessed"


@pytest.mark.parametrize(
    "probed",
    [
        replace(
            PROBED,
            file=ModelFile(last="FULLY_CONNECTED"),
            answers=(*HALVES, np.array([[0.2, 0.1]])),
        ),
        replace(PROBED, output=replace(SCORES, shape=(1, 1)), answers=(np.array([[1.0]]),)),
    ],
    ids=["no sum", "one value"],
)
def test_values_between_0_and_1_that_are_no_probabilities_are_refused(probed):
    with pytest.raises(Refused) as caught:
        described(probed)
    assert caught.value.reasons[0].code == "logits"


@pytest.mark.parametrize(
    ("text", "words"),
    [("a\nb\nc", "has 3 names, the model 2 classes"), ("a", "perhaps a first line")],
)
def test_too_few_or_many_names_are_counted(text, words):
    with pytest.raises(LabelError, match=words):
        described(labels_text=text)


def test_labels_without_a_good_one_are_refused():
    with pytest.raises(LabelError, match="at least one label must be good"):
        described(meaning=Meaning(rest="defect", other=["bad"]))


def test_grey_models_of_one_channel_are_probed_and_described():
    model = classifier([[8.0], [-8.0]], [-4.0, 4.0], dtype="int8")
    found = described(probe(model), labels_text="good\nbad")
    assert found.spec.input.shape == (1, 8, 8, 1)


@pytest.mark.parametrize(
    ("stem", "name"),
    [("My Model (v2)", "my-model-v2"), ("___", "model"), ("Ä", "model"), ("a" * 99, "a" * 64)],
)
def test_names_come_from_the_file(stem, name):
    assert bundle_name(stem) == name
