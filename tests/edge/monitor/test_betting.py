"""Bounds from spot checks, against the truth that a simulation knows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.decision.spot_checks import SpotChecks
from edge.monitor.betting import Level, Rate, log_capital

LEVELS = np.array([1 / 8, 1 / 32, 1 / 256])
CHANCE = np.random.default_rng


def simulate(
    slip: float, answered: float, seed: int, plants: int = 2000, parts: int = 3000, step: int = 10
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Seen, found and unanswered at each level, cumulative, at every `step`-th part of each plant.

    The probability of being drawn changes with time. Defects are answered less often than others:
    the worst case for whoever leaves out what was not answered.
    """
    dice = CHANCE(seed)
    level = (np.arange(parts) // 400) % 3
    defect = dice.random((plants, parts)) < slip
    drawn = dice.random((plants, parts)) < LEVELS[level]
    told = dice.random((plants, parts)) < np.where(defect, answered * answered, answered)
    at = (np.arange(3)[:, None] == level).reshape(3, -1, step)

    def total(what: NDArray[np.bool_]) -> NDArray[np.int64]:
        within = np.einsum("kts,pts->ptk", at, what.reshape(plants, -1, step), dtype=np.int64)
        return np.cumsum(within, axis=1)

    seen = total(np.ones_like(drawn))
    return seen, total(drawn & defect & told), total(drawn & ~told)


def ever_wrong(slip: float, answered: float, seed: int) -> tuple[float, float]:
    """The share of plants whose upper, and whose lower bound was below or above the truth once."""
    seen, found, unanswered = simulate(slip, answered, seed)
    line = -math.log(0.05)
    upper = log_capital(seen, found + unanswered, LEVELS, slip, higher=False).max(axis=1) >= line
    lower = log_capital(seen, found, LEVELS, slip, higher=True).max(axis=1) >= line
    return float(upper.mean()), float(lower.mean())


@pytest.mark.parametrize(
    ("slip", "answered"), [(0.01, 1.0), (0.1, 1.0), (0.5, 1.0), (0.1, 0.7), (0.02, 0.5)]
)
def test_the_truth_is_covered_at_every_time(slip: float, answered: float) -> None:
    upper, lower = ever_wrong(slip, answered, seed=int(slip * 1000))
    most = 0.05 + 3.1 * math.sqrt(0.05 * 0.95 / 2000)
    assert upper <= most
    assert lower <= most
    if answered == 1.0 and slip >= 0.1:
        assert upper > 0, "a bound that is never wrong is wider than it says"


def test_the_truth_is_covered_when_one_calibration_follows_another() -> None:
    """Each has a sequence of its own, so that both hold; one for both would not."""
    before, after = 0.05, 0.4
    first = simulate(before, 1.0, 1)
    second = simulate(after, 1.0, 2)
    line = -math.log(0.05)
    wrong = log_capital(second[0], second[1], LEVELS, after, higher=False).max(axis=1) >= line
    assert wrong.mean() <= 0.066
    seen, found = (first[i][:, -1:, :] + second[i] for i in (0, 1))
    mixed = log_capital(seen, found, LEVELS, after, higher=False).max(axis=1) >= line
    assert mixed.mean() > 0.5


def test_leaving_out_what_was_not_answered_would_not_cover() -> None:
    """The instrument can fail: the same plants, with the unanswered taken for good."""
    seen, found, _ = simulate(0.5, 0.3, 3)
    wrong = log_capital(seen, found, LEVELS, 0.5, higher=False).max(axis=1) >= -math.log(0.05)
    assert wrong.mean() > 0.5


@pytest.mark.parametrize("mean", [1e-4, 0.01, 0.3])
@pytest.mark.parametrize("higher", [True, False])
def test_the_capital_is_a_fair_game(mean: float, higher: bool) -> None:
    """One part: the mean of the capital over what may happen is 1."""
    for p in (1.0, 0.1, 1e-4):
        hit, missed = (
            math.exp(float(log_capital([1], [found], [p], mean, higher=higher))) for found in (1, 0)
        )
        assert p * mean * hit + (1 - p * mean) * missed == pytest.approx(1)


def test_without_an_error_found_three_divided_by_the_answers_is_nearly_reached() -> None:
    low, high = Rate({1 / 64: Level(64_000, 0, 1000, 1000)}).bounds(0.05)
    assert low == 0
    assert 3 / 1000 < high < 4.6 / 1000


def test_bounds_close_in_on_the_rate() -> None:
    widths = []
    for parts in (10**3, 10**4, 10**5):
        rate = Rate({0.25: Level(4 * parts, parts // 50, parts, parts)})
        low, high = rate.bounds(0.025)
        assert low < 0.02 < high
        assert rate.estimate() == pytest.approx(0.02)
        widths.append(high - low)
    assert widths[0] > 2.5 * widths[1] > 5 * widths[2]


def test_unanswered_checks_widen_both_ends() -> None:
    told = Rate({0.5: Level(2000, 20, 1000, 1000)}).bounds(0.05)
    open_ = Rate({0.5: Level(2000, 10, 900, 1000)}).bounds(0.05)
    assert open_[0] < told[0] < told[1] < open_[1]


def test_nothing_seen_says_nothing() -> None:
    assert Rate().bounds(0.05) == (0.0, 1.0)
    assert Rate().estimate() is None


def test_all_errors_and_none_stay_within_zero_and_one() -> None:
    assert Rate({1.0: Level(5, 5, 5, 5)}).bounds(0.05)[1] == pytest.approx(1)
    low, high = Rate({1.0: Level(1, 0, 1, 1)}).bounds(0.05)
    assert (low, high < 1) == (0.0, True)


def test_a_rate_is_counted_and_kept() -> None:
    rate = Rate()
    for p, drawn in ((0.5, True), (0.5, False), (0.25, True), (0.25, True)):
        rate.see(p, drawn)
    rate.answer(0.25, True)
    rate.answer(0.5, False)
    assert (rate.seen, rate.found, rate.answered, rate.unanswered) == (4, 1, 2, 1)
    assert rate.estimate() == pytest.approx(4 / 6)
    assert Rate.from_json(rate.as_json()) == rate


def test_the_truth_is_covered_with_the_real_draws_while_the_budget_runs_short() -> None:
    """The probability falls after each draw: it depends on what was drawn before, never on the
    part itself. A third of the checks is not answered."""
    slip, plants, wrong = 0.1, 400, np.zeros(2)
    for plant in range(plants):
        dice = np.random.default_rng(plant).random((600, 3)).tolist()
        checks, rate, failed = SpotChecks(40, 0), Rate(), np.zeros(2, bool)
        for number, (chance, quality, mood) in enumerate(dice):
            draw = checks.draw(chance, number * 20_000_000_000)
            assert draw is not None
            checks.sure(draw)
            rate.see(draw.p, draw.drawn)
            if draw.drawn:
                if mood < 2 / 3:
                    rate.answer(draw.p, quality < slip)
                failed |= rate_capital(rate, slip) >= -math.log(0.05)
        wrong += failed
    assert (wrong / plants <= 0.05 + 3.1 * math.sqrt(0.05 * 0.95 / plants)).all()


def rate_capital(rate: Rate, mean: float) -> NDArray[np.float64]:
    """Against the truth: betting on a lower rate with the unanswered as errors, on a higher one
    with them as none."""
    p, levels = np.array(list(rate.levels)), rate.levels.values()
    seen = np.array([level.seen for level in levels])
    found = np.array([level.found for level in levels])
    open_ = np.array([level.drawn - level.answered for level in levels])
    return np.array(
        [
            log_capital(seen, found + open_, p, mean, higher=False),
            log_capital(seen, found, p, mean, higher=True),
        ]
    )
