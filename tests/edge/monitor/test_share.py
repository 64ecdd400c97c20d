import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.monitor.share import interval

NEAR = 1e-9


def tail(n, p, counts):
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in counts)


@pytest.mark.parametrize("n", [1, 8, 300, 100_000])
def test_without_errors_it_has_a_closed_form(n):
    low, high = interval(0, n, 0.95)
    assert low == pytest.approx(0.0, abs=NEAR)
    assert high == pytest.approx(1 - 0.025 ** (1 / n), abs=NEAR)


def test_without_samples_every_rate_is_possible():
    assert interval(0, 0, 0.95) == (0.0, 1.0)


@given(st.integers(1, 200), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
def test_at_its_ends_what_was_counted_is_as_unlikely_as_it_may_be(n, data, confidence):
    """The definition itself, summed term by term."""
    errors = data.draw(st.integers(0, n))
    alpha = (1 - confidence) / 2
    low, high = interval(errors, n, confidence)
    if errors > 0:
        assert tail(n, low, range(errors, n + 1)) == pytest.approx(alpha, abs=1e-7)
    if errors < n:
        assert tail(n, high, range(errors + 1)) == pytest.approx(alpha, abs=1e-7)


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_it_holds_the_share_that_was_counted(errors, more):
    n = max(1, errors + more)
    low, high = interval(errors, n, 0.95)
    assert 0 <= low <= errors / n <= high <= 1
