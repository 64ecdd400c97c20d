"""The stated error rates of the tests, played out; every game has the same dice each time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.rollout.breach import FALSE_ALARM
from edge.rollout.guards import BLOCK, Guard, Numbers, log_capital

GAMES = 400
STEP = 10


def found_after(
    chances: tuple[float, float], limit: float, parts: int, lowest: int = 0, alpha: float = 1e-4
) -> Numbers:
    """After how many parts each of many plays was broken: looks are 1 and -1 with these chances."""
    dice = np.random.default_rng(6)
    plus, minus, block_plus, block_minus = np.zeros((4, GAMES))
    when = np.full(GAMES, np.inf)
    odds = [*chances, 1 - sum(chances)]
    for n in range(STEP, parts + 1, STEP):
        thrown = dice.multinomial(STEP, odds, GAMES)
        number, inside = (n - 1) // BLOCK + 1, (n - 1) % BLOCK + 1
        if inside == STEP:
            block_plus, block_minus = np.zeros((2, GAMES))
        plus, minus = plus + thrown[:, 0], minus + thrown[:, 1]
        block_plus, block_minus = block_plus + thrown[:, 0], block_minus + thrown[:, 1]
        whole = log_capital(plus, n - plus - minus, minus, limit, lowest)
        rest = inside - block_plus - block_minus
        part = log_capital(block_plus, rest, block_minus, limit, lowest)
        broken = whole >= -math.log(alpha / 2)
        broken |= part >= -math.log(alpha / 2 / number / (number + 1))
        when[broken & np.isinf(when)] = n
    return when


@pytest.mark.parametrize(
    ("chances", "limit", "lowest"),
    [
        ((0.005, 0.0), 0.005, 0),
        ((0.1, 0.05), 0.05, -1),
        ((0.02, 0.0), 0.02, -1),
        ((0.5, 0), 0.5, 0),
    ],
)
def test_a_claim_that_just_holds_is_broken_no_oftener_than_stated(
    chances: tuple[float, float], limit: float, lowest: int
) -> None:
    # at a hundred times the false alarms: 1 %, so that there is something to count
    when = found_after(chances, limit, 3000, lowest, alpha=0.01)
    assert np.isfinite(when).mean() <= 0.01 + 3 * math.sqrt(0.01 / GAMES)


@pytest.mark.parametrize(
    ("chances", "limit", "lowest", "within"),
    [
        ((0.01, 0.0), 0.005, 0, 15_000),
        ((0.05, 0.0), 0.005, 0, 400),
        ((0.1, 0.0), 0.05, -1, 1200),
        ((0.5, 0.0), 0.05, -1, 200),
        ((0.04, 0.0), 0.02, -1, 2600),
        ((0.2, 0.0), 0.02, -1, 200),
    ],
)
def test_what_is_above_its_limit_is_found_within_the_stated_parts(
    chances: tuple[float, float], limit: float, lowest: int, within: int
) -> None:
    when = found_after(chances, limit, within, lowest, FALSE_ALARM)
    assert np.isfinite(when).mean() >= 0.9


def test_a_guard_is_broken_when_the_formula_says_so() -> None:
    guard, looks = Guard(0.005, FALSE_ALARM), 0
    dice = np.random.default_rng(3)
    plus = 0
    while not guard.broken():
        look = int(dice.random() < 0.05)
        guard.add(look)
        plus, looks = plus + look, looks + 1
    assert looks < BLOCK
    # the first block of looks is held to half of what all of them are
    assert log_capital(plus, looks - plus, 0, 0.005) >= -math.log(FALSE_ALARM / 2)
    guard.change(1, 1, 0)
    assert not guard.broken()


def test_what_goes_wrong_late_is_found_by_its_block() -> None:
    guard = Guard(0.01, FALSE_ALARM)
    for _ in range(50 * BLOCK):
        guard.add(0)
    for _ in range(300):
        guard.add(0)
        guard.add(1)
    assert guard.all.plus / guard.all.n < guard.limit
    assert guard.broken()


@given(st.lists(st.sampled_from([-1, 0, 1]), max_size=60))
def test_looks_count_as_they_are_changed(looks: list[int]) -> None:
    straight, changed = Guard(0.1, 0.01, lowest=-1), Guard(0.1, 0.01, lowest=-1)
    for look in looks:
        straight.add(look)
        changed.change(changed.add(1), 1, look)
    assert changed.as_json() == straight.as_json()
    again = Guard(0.1, 0.01, lowest=-1)
    again.restore(straight.as_json())
    assert again.as_json() == straight.as_json()
    assert again.broken() == straight.broken()


def test_a_limit_of_everything_is_never_broken_and_one_of_nothing_soon() -> None:
    everything, nothing = Guard(1.0, FALSE_ALARM), Guard(0.0, FALSE_ALARM)
    for _ in range(2):
        everything.add(1)
        nothing.add(1)
    assert not everything.broken()
    assert nothing.broken()


def test_a_look_that_was_none_is_taken_back_in_its_block_only() -> None:
    guard = Guard(0.1, 0.01)
    first = guard.add(1)
    for _ in range(BLOCK):
        guard.add(0)
    guard.drop(first, 1)
    assert guard.as_json() == [[2], [0, BLOCK, 0], [0, 1, 0]]


def test_an_answer_about_an_older_block_changes_all_looks_and_not_the_newest_block() -> None:
    guard = Guard(0.1, 0.01)
    first = guard.add(0)
    for _ in range(BLOCK):
        guard.add(0)
    guard.change(first, 0, 1)
    assert guard.as_json() == [[2], [1, BLOCK, 0], [0, 1, 0]]
