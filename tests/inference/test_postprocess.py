from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inference.postprocess import Postprocessor
from inference.prediction import SCORES_KEPT, ModelFault
from inference.spec import OUTPUT_KINDS, Label, OutputSpec

LABELS = (
    Label("dent", "defect"),
    Label("empty", "other"),
    Label("good", "good"),
    Label("good_b", "good"),
)
SOFTMAX = Postprocessor(OutputSpec("softmax", "float32", LABELS))


def floats(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_the_score_is_what_the_good_labels_leave():
    found = SOFTMAX(floats(0.2, 0.1, 0.3, 0.4))
    assert found.score == pytest.approx(0.3)
    assert found.label == "good_b"
    assert found.scores == pytest.approx({"dent": 0.2, "empty": 0.1, "good": 0.3, "good_b": 0.4})
    assert not found.not_a_part


def test_other_as_the_largest_is_not_a_part():
    found = SOFTMAX(floats(0.1, 0.6, 0.2, 0.1))
    assert found.not_a_part
    assert found.label == "empty"
    assert found.score == pytest.approx(0.7)


def test_one_sigmoid_is_the_probability_of_the_second_label():
    labels = (Label("defect", "defect"), Label("good", "good"))
    found = Postprocessor(OutputSpec("sigmoid", "float32", labels))(floats(0.9))
    assert found.score == pytest.approx(0.1)
    assert found.label == "good"
    assert found.scores == pytest.approx({"defect": 0.1, "good": 0.9})


def test_of_independent_sigmoids_the_largest_defect_counts():
    labels = (Label("dent", "defect"), Label("stain", "defect"), Label("good", "good"))
    found = Postprocessor(OutputSpec("sigmoids", "float32", labels))(floats(0.3, 0.6, 0.9))
    assert found.score == pytest.approx(0.6)
    assert found.label == "good"


@pytest.mark.parametrize(("dtype", "zero"), [("uint8", 0), ("int8", -128)])
def test_quantised_outputs_are_dequantised_exactly(dtype, zero):
    labels = (Label("good", "good"), Label("bad", "defect"))
    post = Postprocessor(OutputSpec("softmax", dtype, labels, 1 / 256, zero))
    found = post(np.array([[192 + zero, 64 + zero]], dtype))
    assert found.score == 0.25
    assert found.scores == {"good": 0.75, "bad": 0.25}


def test_rounding_of_a_thousand_small_probabilities_is_no_nonsense():
    labels = tuple(Label(f"n{i}", "good" if i == 7 else "defect") for i in range(1001))
    post = Postprocessor(OutputSpec("softmax", "uint8", labels, 1 / 256, 0))
    raw = np.zeros((1, 1001), np.uint8)
    raw[0, 7] = 100  # the rest is below half a step each
    found = post(raw)
    assert found.score == pytest.approx(1 - 100 / 256)
    assert len(found.scores) == 5
    assert next(iter(found.scores)) == "n7"


def test_all_scores_are_kept_up_to_the_limit():
    labels = tuple(Label(f"n{i}", "good" if i else "defect") for i in range(SCORES_KEPT))
    raw = np.full((1, SCORES_KEPT), 1 / SCORES_KEPT, np.float32)
    assert len(Postprocessor(OutputSpec("softmax", "float32", labels))(raw).scores) == SCORES_KEPT


@pytest.mark.parametrize(
    "raw",
    [
        floats(math.nan, 0.1, 0.5, 0.4),
        floats(math.inf, 0.1, 0.5, 0.4),
        floats(-0.5, 0.5, 0.5, 0.5),
        floats(1.4, -0.2, -0.1, -0.1),
        floats(0.1, 0.1, 0.1, 0.1),
        floats(0.5, 0.5),
        np.zeros((1, 4), np.float64),
        np.zeros((1, 4), np.uint8),
    ],
    ids=["nan", "inf", "negative", "above", "sum", "few", "float64", "uint8"],
)
def test_nonsense_is_named(raw):
    with pytest.raises(ModelFault) as caught:
        SOFTMAX(raw)
    assert caught.value.code == "nonsense"


@pytest.mark.parametrize("kind", ["sigmoid", "sigmoids"])
def test_nan_is_nonsense_for_sigmoids_too(kind):
    labels = (Label("good", "good"), Label("bad", "defect"))
    spec = OutputSpec(kind, "float32", labels)
    for place in range(spec.values):
        raw = np.zeros((1, spec.values), np.float32)
        raw[0, place] = math.nan
        with pytest.raises(ModelFault, match="nan"):
            Postprocessor(spec)(raw)


@given(
    st.sampled_from(OUTPUT_KINDS),
    hnp.arrays(np.float32, (1, 2), elements=st.floats(width=32, allow_nan=True)),
)
def test_any_floats_give_a_score_from_0_to_1_or_a_fault(kind, raw):
    labels = (Label("good", "good"), Label("bad", "defect"))
    spec = OutputSpec(kind, "float32", labels)
    with contextlib.suppress(ModelFault):
        found = Postprocessor(spec)(raw[:, : spec.values])
        assert 0.0 <= found.score <= 1.0
        assert all(0.0 <= value <= 1.0 for value in found.scores.values())


def test_a_probability_a_hair_beyond_one_is_limited():
    found = SOFTMAX(floats(-0.001, 0.0, 1.001, 0.0))
    assert found.score == 0.0
    assert found.scores["dent"] == 0.0
    assert found.scores["good"] == 1.0
