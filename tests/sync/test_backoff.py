from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.backoff import Backoff


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=12, max_size=12))
def test_waits_double_to_the_limit_and_never_vanish(chances):
    drawn = iter(chances)
    backoff = Backoff(lambda: next(drawn), 0.5, 30.0)
    for number in range(12):
        base = min(0.5 * 2**number, 30.0)
        assert base / 2 <= backoff.next_s() <= base


def test_reset_begins_again():
    backoff = Backoff(lambda: 0.0, 1.0, 8.0)
    assert [backoff.next_s() for _ in range(5)] == [0.5, 1.0, 2.0, 4.0, 4.0]
    backoff.reset()
    assert backoff.next_s() == 0.5
