"""The binomial distribution against exact fractions."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.binomial import at_most, order_statistic, samples, tightest, upper_bound


def exact(k: int, n: int, p: float) -> Fraction:
    share = Fraction(p)
    return sum(
        (math.comb(n, j) * share**j * (1 - share) ** (n - j) for j in range(k + 1)), Fraction(0)
    )


@given(st.integers(1, 80), st.floats(1e-6, 1 - 1e-6), st.data())
def test_the_sum_is_exact_to_twelve_digits(n: int, p: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(-1, n))
    wanted = exact(k, n, p)
    found = Fraction(at_most(k, n, p))
    if k > n * p:
        wanted, found = 1 - wanted, 1 - found
        assert abs(found - wanted) <= Fraction(1, 10**15) + wanted / 10**12
    else:
        assert abs(found - wanted) <= wanted / 10**12 + Fraction(1, 10**300)


@given(st.integers(1, 120), st.floats(0.001, 0.9), st.floats(0.0001, 0.5))
def test_order_statistic_is_the_largest_k(n: int, p: float, alpha: float) -> None:
    k = order_statistic(n, p, alpha)
    assert k == 0 or exact(k - 1, n, p) <= Fraction(alpha) * (1 + Fraction(1, 10**12))
    assert k == n or exact(k, n, p) > Fraction(alpha) * (1 - Fraction(1, 10**12))


def slow(k: int, n: int, p: str) -> Decimal:
    """Term by term with 60 digits."""
    with localcontext() as context:
        context.prec = 60
        share = Decimal(p)
        term = (1 - share) ** n
        total = term
        for j in range(1, k + 1):
            term = term * (n - j + 1) * share / (j * (1 - share))
            total += term
        return total


@pytest.mark.parametrize(("p", "alpha"), [("0.01", 0.025), ("0.001", 0.005), ("0.1", 0.05)])
def test_a_million_samples(p: str, alpha: float) -> None:
    n = 1_000_000
    k = order_statistic(n, float(p), alpha)
    below = slow(k - 1, n, p)
    assert below <= Decimal(alpha) < slow(k, n, p)
    assert at_most(k - 1, n, float(p)) == pytest.approx(float(below), rel=1e-9)


def test_nothing_is_certified_by_nothing() -> None:
    assert order_statistic(0, 0.01, 0.025) == 0
    assert tightest(0, 0.025) == 1.0


def test_a_bound_of_a_million_samples_gives_the_level_back() -> None:
    bound = upper_bound(9804, 1_000_000, 0.025)
    assert at_most(9804, 1_000_000, bound) == pytest.approx(0.025, rel=1e-9)
    assert bound <= 0.01


@given(st.integers(1, 60), st.floats(0.001, 0.4), st.data())
def test_the_upper_bound_is_where_the_level_is_met(
    n: int, alpha: float, data: st.DataObject
) -> None:
    errors = data.draw(st.integers(0, n - 1))
    bound = upper_bound(errors, n, alpha)
    assert float(exact(errors, n, bound)) == pytest.approx(alpha, rel=1e-9)
    assert upper_bound(n, n, alpha) == 1.0
    if errors == 0:
        assert bound == pytest.approx(tightest(n, alpha), rel=1e-12)


@given(st.floats(0.0005, 0.9), st.floats(0.001, 0.5))
def test_the_samples_needed_suffice_and_one_less_does_not(target: float, alpha: float) -> None:
    n = samples(target, alpha)
    assert order_statistic(n, target, alpha) >= 1
    assert order_statistic(n - 1, target, alpha) == 0
    assert tightest(n, alpha) <= target * (1 + 1e-12)
