"""The tightest escape bound that fits what persons can answer, and that it holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.decision.band import upper_band
from edge.decision.calibration import REJECT_NONE, CannotCertify, Targets
from edge.decision.capacity import Load, WhatIf, tightest_for_capacity

LEVELS = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0])
SCORES = st.lists(LEVELS, min_size=40, max_size=120)
TARGETS = Targets(0.01, 0.2, 0.9)


def escalations(low: float, high: float, good: list[float], defect: list[float]) -> float:
    asked_good = sum(low <= score < high for score in good) / len(good)
    asked_defect = sum(low <= score < high for score in defect) / len(defect)
    return 1000 * (0.95 * asked_good + 0.05 * asked_defect)


def load(answers: float) -> Load:
    return Load(rate_per_hour=1000, prevalence=0.05, answers_per_hour=answers)


@settings(deadline=None)
@given(SCORES, SCORES, st.floats(0, 1000))
def test_it_fits_and_no_tighter_bound_does(
    good: list[float], defect: list[float], answers: float
) -> None:
    found = tightest_for_capacity(good, defect, load(answers), TARGETS)
    asked = escalations(found.cuts.accept_below, found.cuts.reject_above, good, defect)
    assert found.escalations_per_hour == pytest.approx(asked)
    assert asked <= answers + 1e-9
    assert found.cuts.accept_below <= found.cuts.reject_above
    accepted = sum(score < found.cuts.accept_below for score in defect)
    band = upper_band(len(defect), TARGETS.alpha)
    assert found.cuts.escape.upper_bound == (
        0 if found.cuts.accept_below == 0 else band.at(accepted)
    )
    for lower in [0.0, *defect]:
        if sum(score < lower for score in defect) < accepted:
            assert escalations(lower, found.cuts.reject_above, good, defect) > answers
    rejected = sum(score >= found.cuts.reject_above for score in good)
    assert found.cuts.overkill.observed == rejected / len(good)
    assert found.cuts.overkill.upper_bound <= TARGETS.max_overkill


@settings(deadline=None)
@given(SCORES, SCORES)
def test_more_answers_never_loosen_the_bound(good: list[float], defect: list[float]) -> None:
    bounds = [
        tightest_for_capacity(good, defect, load(answers), TARGETS).cuts.escape.upper_bound
        for answers in (0, 10, 50, 200, 1000)
    ]
    assert bounds == sorted(bounds, reverse=True)


def test_who_can_answer_everything_need_accept_nothing() -> None:
    found = tightest_for_capacity([0.1] * 50, [0.9] * 50, load(1000), TARGETS)
    assert (found.cuts.accept_below, found.cuts.escape.upper_bound) == (0.0, 0.0)


def test_without_answers_the_cuts_meet() -> None:
    found = tightest_for_capacity([0.1] * 50, [0.9] * 50, load(0), TARGETS)
    assert found.cuts.accept_below == found.cuts.reject_above == pytest.approx(0.5)
    assert found.cuts.escape.upper_bound == upper_band(50, TARGETS.alpha).at(0)


def test_only_accept_rejects_nothing_and_spends_everything_on_one_bound() -> None:
    targets = Targets(0.01, 0.2, 0.9, only="accept")
    found = tightest_for_capacity([0.1] * 50, [0.9] * 50, load(100), targets)
    assert found.cuts.reject_above == REJECT_NONE
    assert found.cuts.overkill.target is None
    assert found.cuts.escape.upper_bound == upper_band(50, targets.alpha).at(0)


def test_what_cannot_be_answered() -> None:
    with pytest.raises(ValueError, match="no escape"):
        tightest_for_capacity([0.1], [0.9], load(1), Targets(only="reject"))
    with pytest.raises(CannotCertify) as refusal:
        tightest_for_capacity([0.1] * 60, [0.9] * 60, load(1), Targets())
    assert refusal.value.needed == {"good": 308, "defect": 0}
    with pytest.raises(CannotCertify) as refusal:
        tightest_for_capacity([], [], load(1), Targets(only="accept"))
    assert refusal.value.needed == {"good": 1, "defect": 1}
    with pytest.raises(ValueError, match="probability"):
        tightest_for_capacity([0.1] * 600, [float("nan")], load(1), Targets())


@pytest.mark.parametrize("wrong", [(0, 0.1, 1), (1, 1.1, 1), (1, 0.1, -1), (float("inf"), 0.1, 1)])
def test_a_load_is_checked(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"rate|prevalence|capacity"):
        Load(*wrong)


@pytest.mark.parametrize("levels", [None, 8])
@pytest.mark.parametrize("answers", [0.0, 40.0, 400.0])
def test_monte_carlo(levels: int | None, answers: float) -> None:
    """700 plants whose true curve is known; the capacity picks the cut."""
    random = np.random.default_rng([int(answers), levels or 0])
    targets = Targets(0.01, 0.05, 0.9)
    escaped = overkilled = together = 0
    for _ in range(700):
        good, defect = random.random(300) ** 2, random.random(200) ** 0.5
        if levels:
            good, defect = np.ceil(good * levels) / levels, np.ceil(defect * levels) / levels
        found = tightest_for_capacity(good, defect, load(answers), targets)
        wrong = _wrong(found, levels, targets)
        escaped, overkilled = escaped + wrong[0], overkilled + wrong[1]
        together += any(wrong)
    # the 99.9 % quantiles of binomial(700, 0.05) and (700, 0.1)
    assert escaped <= 54
    assert overkilled <= 54
    assert together <= 95


def _wrong(found: WhatIf, levels: int | None, targets: Targets) -> tuple[bool, bool]:
    low, high = min(1.0, found.cuts.accept_below), min(1.0, found.cuts.reject_above)
    if levels:  # a score is one of the levels; what share of them lies strictly below the cut
        steps = np.arange(1, levels + 1) / levels
        low = int(np.searchsorted(steps, found.cuts.accept_below, "left")) / levels
        high = int(np.searchsorted(steps, found.cuts.reject_above, "left")) / levels
    escape, overkill = low**2, 1 - high**0.5
    return escape > found.cuts.escape.upper_bound + 1e-12, overkill > targets.max_overkill + 1e-12
