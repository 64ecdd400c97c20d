"""The cuts equal their definition, computed here the slow and obvious way; and the bounds hold."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.decision.calibration import (
    REJECT_NONE,
    CannotCertify,
    Only,
    Targets,
    calibrate,
    samples,
    tightest,
)

LEVELS = [0.0, 0.1, 0.2, 0.3, 0.7, 1.0]
SCORES = st.one_of(st.sampled_from(LEVELS), st.floats(0, 1))
Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def cdf(k: int, n: int, p: float) -> float:
    return math.fsum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1))


def largest_k(n: int, target: float, alpha: float) -> int:
    return max((k for k in range(1, n + 1) if cdf(k - 1, n, target) <= alpha), default=0)


@given(
    st.lists(SCORES, min_size=1, max_size=120),
    st.lists(SCORES, min_size=1, max_size=120),
    st.sampled_from([0.05, 0.1, 0.3]),
    st.sampled_from([None, "accept", "reject"]),
)
@settings(max_examples=150)
def test_the_cuts_equal_the_definition(
    good: list[float], defect: list[float], target: float, only: Only | None
) -> None:
    alpha = (1 - 0.9) / (2 if only is None else 1)
    k, k_good = largest_k(len(defect), target, alpha), largest_k(len(good), target, alpha)
    targets = Targets(target, target, 0.9, only)
    if (k == 0 and only != "reject") or (k_good == 0 and only != "accept"):
        with pytest.raises(CannotCertify):
            calibrate(good, defect, targets)
        return
    low = sorted(defect)[k - 1] if only != "reject" else 0.0
    high = math.nextafter(sorted(good)[-k_good], 2) if only != "accept" else REJECT_NONE
    if low >= high:
        low = high = (low + high) / 2
    found = calibrate(good, defect, targets)
    assert (found.accept_below, found.reject_above) == (low, high)
    escapes = sum(score < low for score in defect)
    overkill = sum(score >= high for score in good)
    assert found.escape.observed == (escapes / len(defect) if only != "reject" else 0)
    assert found.overkill.observed == (overkill / len(good) if only != "accept" else 0)
    assert found.escape.observed <= found.escape.upper_bound <= target * (1 + 1e-12)
    assert found.overkill.observed <= found.overkill.upper_bound <= target * (1 + 1e-12)


def test_the_order_of_the_samples_does_not_matter() -> None:
    generator = np.random.default_rng(1)
    good, defect = generator.random(500), generator.random(500)
    shuffled = generator.permutation(good), generator.permutation(defect)
    assert calibrate(good, defect, Targets()) == calibrate(*shuffled, Targets())


def test_the_worked_example_of_the_design() -> None:
    with pytest.raises(CannotCertify) as refusal:
        calibrate([0.1] * 1000, [0.9] * 60, Targets())
    assert round(refusal.value.tightest["escape"], 4) == 0.0596
    assert refusal.value.needed == {"good": 0, "defect": 308}
    assert samples(0.01, 0.025) == 368
    assert tightest(0, 0.025) == 1.0


def test_one_cut_alone_needs_only_its_own_samples_and_may_spend_everything() -> None:
    found = calibrate([], [0.9] * 299, Targets(only="accept"))  # 0.99 ** 299 <= 0.05
    assert (found.accept_below, found.reject_above) == (0.9, REJECT_NONE)
    assert found.overkill.as_json() == {"target": None, "observed": 0.0, "upper_bound": 0.0}
    with pytest.raises(CannotCertify) as refusal:
        calibrate([], [0.9] * 298, Targets(only="accept"))
    assert refusal.value.needed == {"good": 0, "defect": 1}
    rejecting = calibrate([0.2] * 299, [], Targets(only="reject"))
    assert (rejecting.accept_below, rejecting.reject_above) == (0.0, math.nextafter(0.2, 1))


def test_separable_data_meet_in_the_middle() -> None:
    found = calibrate([0.1] * 400, [0.9] * 400, Targets())
    assert found.accept_below == found.reject_above == pytest.approx(0.5)


def test_a_bound_does_not_shrink_with_what_was_seen_below_a_tied_cut() -> None:
    tied = calibrate([0.0] * 400, [0.5] * 600, Targets())
    apart = calibrate([0.0] * 400, list(np.linspace(0.4, 0.9, 600)), Targets())
    assert tied.escape.observed == 0
    assert tied.escape.upper_bound == apart.escape.upper_bound
    assert tied.escape.upper_bound > 1.5 * tightest(600, 0.025)


@pytest.mark.parametrize("score", [math.nan, -0.1, 1.1, math.inf])
def test_what_is_no_probability_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        calibrate([score] * 400, [0.5] * 400, Targets())


@pytest.mark.parametrize("name", ["max_escape", "max_overkill", "confidence"])
@pytest.mark.parametrize("value", [0.0, 1.0, -0.1, math.nan])
def test_a_target_is_a_share(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Targets(**{name: value})


def test_a_million_samples_are_cut_where_the_definition_says() -> None:
    generator = np.random.default_rng(3)
    good, defect = generator.beta(1, 20, 1_000_000), generator.beta(20, 1, 1_000_000)
    found = calibrate(good, defect, Targets(0.2, 0.2))
    assert found.accept_below == found.reject_above
    tight = calibrate(good, defect, Targets(1e-5, 1e-5))
    assert np.count_nonzero(defect < tight.accept_below) < 10
    assert np.count_nonzero(good >= tight.reject_above) < 10


def continuous(side: str) -> Draw:
    a, b = (1, 5) if side == "good" else (3, 2)
    return lambda generator, n: generator.beta(a, b, n)


def levels(side: str) -> Draw:
    shares = np.array(
        [5, 3, 2, 1, 1, 1, 0.5, 0.2] if side == "good" else [0.1, 1, 1, 1, 1, 2, 3, 5]
    )
    return lambda generator, n: generator.choice(8, n, p=shares / shares.sum()) / 7


def equal(side: str) -> Draw:
    return lambda generator, n: np.full(n, 0.5)


def one_rare_level(side: str) -> Draw:
    rare, often = (1.0, 0.0) if side == "good" else (0.0, 1.0)
    return lambda generator, n: np.where(generator.random(n) < 0.021, rare, often)


PLANTS = 2000
MOST_OF_ONE, MOST_TOGETHER = 73, 131
"""The 99.9 % quantiles of binomial(2000, 0.025) and of binomial(2000, 0.05)."""


@pytest.mark.parametrize("kind", [continuous, levels, equal, one_rare_level])
@pytest.mark.parametrize(("n", "target"), [(200, 0.02), (37, 0.1), (500, 0.02)])
def test_the_bounds_hold_in_two_thousand_plants(
    kind: Callable[[str], Draw], n: int, target: float
) -> None:
    generator = np.random.default_rng(7)
    truth = {side: np.sort(kind(side)(generator, 500_000)) for side in ("good", "defect")}
    escaped = overkilled = together = 0
    for _ in range(PLANTS):
        good, defect = kind("good")(generator, n), kind("defect")(generator, n)
        found = calibrate(good, defect, Targets(target, target))
        escape = np.searchsorted(truth["defect"], found.accept_below, "left") / 500_000
        overkill = 1 - np.searchsorted(truth["good"], found.reject_above, "left") / 500_000
        # what half a million parts cannot tell apart from the target is not above it
        wrong = escape > target * 1.005 + 1e-4, overkill > target * 1.005 + 1e-4
        escaped, overkilled = escaped + wrong[0], overkilled + wrong[1]
        together += any(wrong)
    assert escaped <= MOST_OF_ONE
    assert overkilled <= MOST_OF_ONE
    assert together <= MOST_TOGETHER


@pytest.mark.parametrize("only", ["accept", "reject"])
def test_one_cut_alone_spends_all_that_may_go_wrong_and_no_more(only: Only) -> None:
    generator, missed = np.random.default_rng(11), 0
    for _ in range(PLANTS):
        scores = generator.random(400)
        found = calibrate(scores, scores, Targets(0.02, 0.02, 0.95, only))
        rate = found.accept_below if only == "accept" else 1 - found.reject_above
        missed += rate > 0.02
    assert 60 < missed <= MOST_TOGETHER


def test_tiny_samples_are_refused_in_every_plant() -> None:
    generator = np.random.default_rng(5)
    for n in range(0, 36):
        with pytest.raises(CannotCertify):
            calibrate(generator.random(n), generator.random(n), Targets(0.1, 0.1))
