"""The band is crossed as seldom as it says, by simulation and against a second computation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.decision import band
from edge.decision.band import SLOPES, Band, upper_band
from edge.decision.binomial import upper_bound


def test_the_line_of_slope_one_is_smirnovs() -> None:
    """One sample: F > offset + F_n somewhere exactly when the sample lies above the offset."""
    log_choose = band._log_choose(1)
    assert band.crossing(1, 0.3, 1.0, log_choose) == pytest.approx(0.7)
    assert band.crossing(1, 0.3, 2.0, log_choose) == pytest.approx(0.7)


@pytest.mark.parametrize("slope", [1.0, 1.25, 2.0, 4.0])
@pytest.mark.parametrize(("n", "offset"), [(5, 0.3), (40, 0.09), (300, 0.02)])
def test_crossing_is_dempsters_probability(n: int, offset: float, slope: float) -> None:
    random = np.random.default_rng(7)
    parts = np.sort(random.random((40_000, n)), axis=1)
    crossed = (parts > offset + slope * np.arange(n) / n).any(axis=1).mean()
    exact = band.crossing(n, offset, slope, band._log_choose(n))
    assert abs(crossed - exact) <= 4 * math.sqrt(exact * (1 - exact) / 40_000) + 1e-9


@pytest.mark.parametrize("levels", [None, 8])
@pytest.mark.parametrize("n", [1, 20, 368])
def test_it_holds_at_every_cut_at_once(n: int, levels: int | None) -> None:
    """Also with heavy ties. 4,000 plants; 99.9 % of the time at most 245 are outside at 5 %."""
    random = np.random.default_rng(n)
    true = np.sort(random.random((4000, n)), axis=1)
    if levels is not None:
        true = np.ceil(true * levels) / levels
    # just below the i-th sample at most i others lie below it, and with ties fewer
    below = np.array([np.searchsorted(plant, plant, "left") for plant in true])
    at_or_below = true if levels is None else true - 1 / levels
    found = upper_band(n, 0.05)
    outside = (at_or_below > found.over(below.ravel()).reshape(below.shape)).any(axis=1).sum()
    assert outside <= 245


@settings(deadline=None)
@given(st.integers(1, 3000), st.floats(0.001, 0.2))
def test_it_is_wider_than_the_bound_for_one_cut_and_rises(n: int, alpha: float) -> None:
    found = upper_band(n, alpha)
    errors = np.unique(np.linspace(0, n, 7).astype(np.int64))
    values = found.over(errors)
    assert (np.diff(values) >= 0).all()
    assert values[-1] == 1.0
    for count, value in zip(errors.tolist(), values.tolist(), strict=True):
        assert value >= upper_bound(count, n, alpha) - 1e-9
        assert value >= count / n


def test_it_is_never_wider_than_a_quarter_of_alpha_buys_from_massart() -> None:
    for n in (10, 500, 20_000):
        massart = math.sqrt(math.log(len(SLOPES) / 0.025) / (2 * n))
        assert upper_band(n, 0.025).offsets[0] <= massart


def test_rare_errors_cost_little() -> None:
    """1,000 defects, none accepted: 0.5 %, where Massart's constant gives 4.3 %."""
    assert upper_band(1000, 0.025).at(0) == pytest.approx(0.005162, abs=1e-6)


def test_without_samples_nothing_is_known() -> None:
    assert upper_band(0, 0.05).at(0) == 1.0
    assert Band(0, 0.05, (1.0,) * 4).over(np.array([0, 0])).tolist() == [1.0, 1.0]


def test_a_million_samples_take_seconds_and_no_underflow() -> None:
    found = upper_band(1_000_000, 0.025)
    assert found.at(0) * 1e6 == pytest.approx(5.1778, abs=1e-3)
    assert found.offsets[0] * 1e3 == pytest.approx(1.5928, abs=1e-3)
