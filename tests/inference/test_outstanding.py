from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inference.outstanding import ONCE_MORE, STOOD_STILL_NS, Outstanding

S = 10**9
HANG_MS = 2000.0


def owed(at_ns: int = 0) -> Outstanding:
    made = Outstanding()
    made.sent(at_ns)
    return made


def test_nothing_is_overdue_where_nothing_is_owed() -> None:
    one = Outstanding()
    assert not one.open
    assert one.overdue_at(100 * S, HANG_MS) > 100 * S
    one.sent(100 * S)
    assert one.open
    one.settled()
    assert not one.open


def test_an_answer_is_overdue_after_its_time() -> None:
    one = owed(5 * S)
    assert one.overdue_at(6 * S, HANG_MS) == 7 * S
    assert one.overdue_at(7 * S, HANG_MS) == 7 * S


def test_who_waits_on_purpose_did_not_stand_still() -> None:
    one = owed()
    one.waits(2 * S)
    assert one.overdue_at(2 * S + STOOD_STILL_NS, HANG_MS) == 2 * S


def test_after_a_standstill_it_has_a_part_of_its_time_once_more() -> None:
    one = owed()
    one.overdue_at(S // 10, HANG_MS)
    assert one.overdue_at(60 * S, HANG_MS) == 60 * S + 2 * S // ONCE_MORE
    assert one.overdue_at(61 * S, HANG_MS) == 60 * S + 2 * S // ONCE_MORE


def test_a_standstill_takes_no_time_away() -> None:
    one = owed()
    one.overdue_at(S // 10, 60_000.0)
    assert one.overdue_at(10 * S, 60_000.0) == 60 * S


@given(st.lists(st.integers(0, STOOD_STILL_NS), min_size=1, max_size=50))
def test_who_looks_often_enough_finds_a_hang_in_time(gaps: list[int]) -> None:
    one, now = owed(), 0
    for gap in gaps:
        now += gap
        assert one.overdue_at(now, HANG_MS) == 2 * S
