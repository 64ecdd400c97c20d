"""How often sure answers are drawn: the budget, a rate that moves, time that stands still."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.spot_checks import DAY_NS, FLOOR, LEAST, Draw, SpotChecks


def drawn_a_day(checks: SpotChecks, every_s: float, days: int, start_s: float = 0.0) -> list[int]:
    """Parts at a steady pace, all of them sure; how many were drawn on each day."""
    dice = random.Random(5)
    counts = [0] * days
    for number in range(int(days * 86400 / every_s)):
        seconds = number * every_s
        draw = checks.draw(dice.random(), int((start_s + seconds) * 1e9))
        assert draw is not None
        counts[int(seconds // 86400)] += draw.drawn
        checks.sure(draw)
    return counts


@pytest.mark.parametrize("every_s", [2.0, 10.0, 60.0])
def test_the_budget_is_met_within_a_few_checks_a_day(every_s: float) -> None:
    days = drawn_a_day(SpotChecks(20, 0), every_s, 12)
    assert max(days) <= 45
    assert sum(days[2:]) / 10 == pytest.approx(20, abs=4)


def test_a_slow_line_is_checked_part_by_part() -> None:
    assert sum(drawn_a_day(SpotChecks(20, 0), 7200.0, 10)[3:]) >= 7 * 9


def test_when_the_line_becomes_ten_times_faster_the_budget_brings_it_back() -> None:
    checks = SpotChecks(20, 0)
    drawn_a_day(checks, 60.0, 4)
    fast = drawn_a_day(checks, 6.0, 6, start_s=4 * 86400.0)
    assert fast[0] <= 90
    assert sum(fast[2:]) / 4 == pytest.approx(20, abs=7)


def test_a_spent_budget_never_means_no_check() -> None:
    spent, saved = SpotChecks(2, 0), SpotChecks(2, 0)
    for _ in range(50):
        spent.sure(Draw(1.0, True))
        saved.sure(Draw(1.0, False))
    low, high = spent.draw(0.0, 0), saved.draw(0.0, 0)
    assert low is not None
    assert high is not None
    assert low.p == pytest.approx(high.p * FLOOR)
    assert low.drawn


def test_without_a_budget_nothing_is_drawn() -> None:
    assert SpotChecks(0, 0).draw(0.0, 5) is None


def test_the_probability_is_fixed_before_the_dice_fall() -> None:
    draws = [SpotChecks(20, 0).draw(chance, DAY_NS) for chance in (0.0, 0.5, 0.999)]
    assert len({draw.p for draw in draws if draw is not None}) == 1


@given(
    st.integers(1, 10_000),
    st.lists(
        st.tuples(st.integers(-(10**9), 10 * DAY_NS), st.floats(0, 1, exclude_max=True)),
        max_size=60,
    ),
)
def test_whatever_happens_it_is_a_probability_of_few_values(
    per_day: int, steps: list[tuple[int, float]]
) -> None:
    checks, now_ns = SpotChecks(per_day, 0), 0
    values = {2.0 ** (-i / 4) for i in range(4 * 24 + 1)}
    for gone_ns, chance in steps:
        now_ns += gone_ns
        draw = checks.draw(chance, now_ns)
        assert draw is not None
        assert LEAST <= draw.p <= 1
        assert draw.p in values
        assert draw.drawn == (chance < draw.p)
        assert draw.as_json() == {"p": draw.p, "drawn": draw.drawn}
        if chance < 0.9:
            checks.sure(draw)


def test_what_was_saved_is_spent_later_but_no_more_than_twice_as_fast() -> None:
    quiet, busy = SpotChecks(20, 0), SpotChecks(20, 0)
    for seconds in range(0, 86_400, 10):
        for checks in (quiet, busy):
            draw = checks.draw(0.0, seconds * 10**9)
            assert draw is not None
            checks.sure(Draw(draw.p, checks is busy and seconds % 4320 == 0))
    rich, even = quiet.draw(0.0, DAY_NS), busy.draw(0.0, DAY_NS)
    assert rich is not None
    assert even is not None
    assert rich.p == pytest.approx(2 * even.p)
