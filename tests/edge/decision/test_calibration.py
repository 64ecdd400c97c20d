"""The rule equals its definition, computed here the slow and obvious way."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.calibration import (
    CannotCertify,
    Targets,
    calibrate,
    order_statistic,
    samples,
    tightest,
    upper_bound,
)


def cdf(k: int, n: int, p: float) -> float:
    return math.fsum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1))


@given(st.integers(1, 300), st.floats(0.001, 0.5), st.floats(0.001, 0.2))
def test_order_statistic_is_the_largest_k(n: int, p: float, alpha: float) -> None:
    k = order_statistic(n, p, alpha)
    assert k == 0 or cdf(k - 1, n, p) <= alpha * (1 + 1e-9)
    assert k == n or cdf(k, n, p) > alpha * (1 - 1e-9)


def test_a_million_samples_do_not_underflow() -> None:
    k = order_statistic(1_000_000, 0.01, 0.025)
    # normal approximation: 10,000 - 1.96 * sqrt(9,900) = 9,805
    assert abs(k - 9805) < 5


def test_the_worked_example_of_the_design() -> None:
    with pytest.raises(CannotCertify) as refusal:
        calibrate([0.1] * 1000, [0.9] * 60, Targets())
    assert round(refusal.value.tightest["escape"], 4) == 0.0596
    assert refusal.value.needed == {"good": 0, "defect": 308}
    assert samples(0.01, 0.025) == 368
    assert tightest(0, 0.025) == 1.0


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.7, 1.0]), min_size=80, max_size=200),
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.7, 1.0]), min_size=80, max_size=200),
)
def test_cuts_hold_on_the_data_even_with_ties(good: list[float], defect: list[float]) -> None:
    targets = Targets(0.1, 0.1, 0.9)
    found = calibrate(good, defect, targets)
    assert found.accept_below <= found.reject_above
    escapes = sum(score < found.accept_below for score in defect)
    overkill = sum(score >= found.reject_above for score in good)
    assert escapes < order_statistic(len(defect), 0.1, 0.05)
    assert overkill < order_statistic(len(good), 0.1, 0.05)
    assert found.escape.upper_bound <= 0.1 + 1e-9
    assert found.overkill.upper_bound <= 0.1 + 1e-9


def test_separable_data_meet_in_the_middle() -> None:
    found = calibrate([0.1] * 400, [0.9] * 400, Targets())
    assert found.accept_below == found.reject_above == pytest.approx(0.5)


def test_the_upper_bound_is_clopper_pearson() -> None:
    bound = upper_bound(3, 100, 0.05)
    assert cdf(3, 100, bound) == pytest.approx(0.05, rel=1e-6)
    assert upper_bound(5, 5, 0.05) == 1.0


@pytest.mark.parametrize("score", [math.nan, -0.1, 1.1, math.inf])
def test_what_is_no_probability_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        calibrate([score] * 400, [0.5] * 400, Targets())
