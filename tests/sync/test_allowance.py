from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.allowance import Allowance

MONDAY, TUESDAY = "2026-11-23", "2026-11-24"


@given(st.lists(st.tuples(st.sampled_from([MONDAY, TUESDAY]), st.integers(0, 60))))
def test_no_day_in_a_row_gets_more_than_the_cap(wishes):
    """Over restarts after each one, and with a clock that goes back and forth."""
    allowance, used, last = Allowance(100), 0, ""
    for day, size in wishes:
        used, last = (used if day == last else 0), day
        assert allowance.fits(day, size) == (used + size <= 100)
        if allowance.fits(day, size):
            allowance.spend(day, size)
            used += size
        kept = allowance.as_json()
        allowance = Allowance(100, kept["day"], kept["bytes"])
        assert allowance.spent(day) == used


def test_a_day_that_was_never_saved_soundly_begins_anew():
    for day, spent in [(None, 5), (MONDAY, None), (MONDAY, -5), (MONDAY, True), ("today", 5)]:
        assert Allowance(100, day, spent).spent(MONDAY) == 0
        assert Allowance(100, day, spent).fits(MONDAY, 100)
    assert Allowance(100, MONDAY, 5).spent(MONDAY) == 5
