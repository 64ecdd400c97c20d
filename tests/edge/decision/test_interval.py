import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.calibration import upper_bound
from edge.decision.interval import exact_interval

NEAR = 1e-9


@pytest.mark.parametrize("n", [1, 8, 300, 100_000])
def test_without_errors_it_has_a_closed_form(n):
    low, high = exact_interval(0, n)
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / n), abs=NEAR)


def test_without_samples_every_rate_is_possible():
    assert exact_interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 400), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
def test_it_agrees_with_the_one_sided_bound_of_calibrations(n, data, confidence):
    errors = data.draw(st.integers(0, n))
    alpha = (1 - confidence) / 2
    low, high = exact_interval(errors, n, confidence)
    assert high == pytest.approx(upper_bound(errors, n, alpha), abs=NEAR)
    assert low == pytest.approx(1 - upper_bound(n - errors, n, alpha), abs=NEAR)


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_it_holds_the_share_that_was_counted(errors, more):
    n = max(1, errors + more)
    low, high = exact_interval(errors, n)
    assert 0 <= low <= errors / n <= high <= 1
