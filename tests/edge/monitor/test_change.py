"""The change detector: how often it is wrong, how soon it is right."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.monitor.change import (
    RATIOS,
    charged,
    e_values,
    evidence,
    fresh,
    looks_until_noticed,
    stepped,
)

PLANTS = 2000


def first_alarms(
    rate: float, limit: float, between: float, looks: int, seed: int
) -> NDArray[np.int64]:
    """In which look each plant raised its alarm; `looks` where it did not."""
    dice = np.random.default_rng(seed)
    sums = np.zeros((PLANTS, RATIOS.size))
    alarm = np.full(PLANTS, looks)
    for look in range(looks):
        sums = stepped(sums, dice.random(PLANTS) < rate, limit)
        raised = (evidence(sums) >= between) & (alarm == looks)
        alarm[raised] = look
    return alarm


@pytest.mark.parametrize("limit", [0.01, 0.2])
def test_a_stable_rate_raises_no_more_false_alarms_than_stated(limit: float) -> None:
    between, looks = 10_000.0, 2000
    alarms = (first_alarms(limit, limit, between, looks, 1) < looks).mean()
    assert alarms <= looks / between + 3.1 * np.sqrt(0.2 * 0.8 / PLANTS)
    assert alarms > 0, "one that is never wrong is slower than it says"


def test_far_below_the_limit_it_is_silent() -> None:
    assert (first_alarms(0.002, 0.01, 10_000.0, 2000, 2) == 2000).all()


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_a_jump_is_noticed_within_the_looks_that_are_stated(rate: float) -> None:
    looks = looks_until_noticed(0.01, rate, 10_000.0)
    noticed = (first_alarms(rate, 0.01, 10_000.0, looks, 3) < looks).mean()
    assert noticed >= 0.87
    if rate <= 0.1:
        assert noticed <= 0.93, "what is stated is no more than it takes"


def test_also_after_a_long_quiet_time() -> None:
    """Good years are no credit that a bad one would have to use up first."""
    sums = fresh()
    for _ in range(20_000):
        sums = stepped(sums, False, 0.01)
    looks = looks_until_noticed(0.01, 0.1, 10_000.0)
    dice = np.random.default_rng(4)
    plants = np.tile(sums, (PLANTS, 1))
    noticed = np.zeros(PLANTS, bool)
    for _ in range(looks):
        plants = stepped(plants, dice.random(PLANTS) < 0.1, 0.01)
        noticed |= evidence(plants) >= 10_000.0
    assert noticed.mean() >= 0.85


@pytest.mark.parametrize("limit", [1e-4, 0.01, 0.3, 0.9])
def test_each_bet_is_fair_at_the_limit(limit: float) -> None:
    hit, miss = e_values(limit)
    assert np.allclose(limit * hit + (1 - limit) * miss, 1)
    assert (hit >= 1).all()
    assert (miss > 0).all()


def test_a_look_that_is_open_never_helps() -> None:
    dice = np.random.default_rng(5)
    for _ in range(200):
        sums = dice.exponential(100, RATIOS.size)
        for other in (sums, stepped(sums, True, 0.01), stepped(sums, False, 0.01)):
            assert (charged(sums, 0.01) <= other).all()


def test_evidence_does_not_overflow() -> None:
    sums = fresh()
    for _ in range(2000):
        sums = stepped(sums, True, 0.01)
    assert np.isfinite(evidence(sums))


def test_a_rate_within_the_limit_is_no_change() -> None:
    with pytest.raises(ValueError, match="above the limit"):
        looks_until_noticed(0.01, 0.01, 100.0)
