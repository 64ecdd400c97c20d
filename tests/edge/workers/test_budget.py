"""A share of a core, kept over any stretch of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.workers.budget import BURST_S, Budget

SECOND = 10**9
works = st.lists(
    st.tuples(st.integers(0, 3 * SECOND), st.integers(0, 2 * SECOND)), min_size=1, max_size=40
)


@given(st.floats(0.01, 1.0), works)
def test_over_any_stretch_it_is_the_share_and_one_piece_of_work(
    share: float, work: list[tuple[int, int]]
) -> None:
    """Each work: so long nothing happens, then work that takes so much, if there is any left."""
    budget, now = Budget(share, 0), 0
    done: list[tuple[int, int]] = []
    for pause, cost in work:
        now += pause
        if budget.may(now):
            budget.spend(cost, now)
            done.append((now, cost))
    for first, (began, _) in enumerate(done):
        for last in range(first, len(done)):
            before = sum(cost for _, cost in done[first:last])
            allowed = share * (done[last][0] - began + BURST_S * SECOND)
            assert before <= allowed + 1000


@given(st.floats(0.01, 1.0), st.integers(0, 60 * SECOND))
def test_the_wait_is_as_long_as_it_has_to_be(share: float, cost: int) -> None:
    budget = Budget(share, 0)
    budget.spend(cost, 0)
    wait_ns = round(budget.wait_s(0) * SECOND)
    assert budget.may(0) == (wait_ns == 0)
    assert budget.may(wait_ns + 1000)


def test_what_was_used_is_that_of_the_last_minute() -> None:
    budget = Budget(0.5, 0)
    assert budget.used(0) == 0.0
    budget.spend(SECOND, 10 * SECOND)
    assert budget.used(10 * SECOND) == pytest.approx(0.1)
    assert budget.used(60 * SECOND) == pytest.approx(1 / 60)
    budget.spend(3 * SECOND, 65 * SECOND)
    assert budget.used(71 * SECOND) == pytest.approx(3 / 60)
    assert budget.used(200 * SECOND) == 0.0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    budget = Budget(1.0, 10 * SECOND)
    budget.spend(2 * SECOND, 10 * SECOND)
    assert not budget.may(5 * SECOND)
    assert not budget.may(10 * SECOND)
