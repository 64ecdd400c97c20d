"""The figures in the model's README come from these."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.evaluate import accepted_at_escape, auroc, auroc_interval

scores = st.lists(st.integers(0, 6), min_size=1, max_size=12).map(lambda v: np.array(v) / 6)


@given(scores, scores)
def test_auroc_is_the_share_of_pairs_in_order(good: np.ndarray, defect: np.ndarray) -> None:
    pairs = [(d > g) + (d == g) / 2 for g in good for d in defect]
    assert auroc(good, defect) == pytest.approx(sum(pairs) / len(pairs))


def test_the_interval_holds_the_value_and_is_narrower_with_more_parts() -> None:
    random = np.random.RandomState(1)
    good, defect = random.randn(2000), random.randn(2000) + 2
    low, high = auroc_interval(good, defect, 100)
    assert low < auroc(good, defect) < high
    few_low, few_high = auroc_interval(good[:100], defect[:100], 100)
    assert high - low < few_high - few_low


def test_accepted_at_escape() -> None:
    defect = np.arange(100) / 100 + 0.5
    assert accepted_at_escape(np.array([0.1, 0.2, 0.9]), defect, 0.01) == pytest.approx(2 / 3)
