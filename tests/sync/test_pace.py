from __future__ import annotations

import itertools

from sync.backoff import Backoff
from sync.pace import AGAIN_EVERY_S, GROW_EVERY_S, LAG_S, Patience, Rows
from sync.window import Flight


def patience():
    return Patience(Backoff(lambda: 0.999999, 5.0, 60.0))


def flight(first, taken_at, token=1):
    return Flight(first, first + 9, "", token, taken_at)


def test_rows_are_halved_and_grow_again_slowly():
    rows = Rows(500)
    assert rows.at(0.0) == 500
    for half in (250, 125, 62):
        rows.refused(0.0)
        assert rows.at(0.0) == half
    sizes = [rows.at(GROW_EVERY_S * n) for n in range(1, 30)]
    assert sizes[:2] == [69, 77]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 500


def test_rows_are_never_none():
    rows = Rows(2)
    for _ in range(5):
        rows.refused(0.0)
    assert rows.at(0.0) == 1
    assert rows.at(GROW_EVERY_S) == 2


def test_what_the_broker_has_not_taken_is_not_overdue():
    assert patience().overdue([flight(1, None)], 1e9) == []


def test_with_one_all_are_overdue_that_should_have_arrived():
    flights = [flight(1, 0.0, 1), flight(11, 3.0, 2), flight(21, 4.5, 3), flight(31, None, 4)]
    assert patience().overdue(flights, 4.9) == []
    assert patience().overdue(flights, 5.0) == [1, 2]


def test_each_wait_is_longer_until_the_position_moves():
    waiting, now, times = patience(), 0.0, []
    taken = 0.0
    while now < 400:
        now += 1.0
        if waiting.overdue([flight(1, taken)], now):
            times.append(now)
            taken = now
    waits = [later - earlier for earlier, later in itertools.pairwise([0.0, *times])]
    assert waits[:5] == [5, 10, 20, 40, 60]
    assert set(waits[5:]) == {60}
    waiting.progress()
    assert waiting.overdue([flight(1, now)], now + 6)


def test_only_silence_makes_it_probe():
    waiting = patience()
    waiting.spoken([], None, False, 8.0)
    assert waiting.overdue([flight(1, 0.0)], 9.0)
    assert not waiting.probing
    assert waiting.overdue([flight(1, 9.0)], 40.0)
    assert waiting.probing
    waiting.spoken([], None, False, 41.0)
    assert not waiting.probing


def test_a_word_without_progress_asks_for_what_should_have_arrived():
    waiting = patience()
    flights = [flight(1, 0.0, 1), flight(11, 10.0 - LAG_S / 2, 2), flight(21, None, 3)]
    assert waiting.spoken(flights, None, False, 10.0) == [1]
    assert waiting.spoken([flight(1, 0.0)], None, False, 10.1) == []
    assert waiting.spoken([flight(1, 0.0)], None, False, 10.0 + AGAIN_EVERY_S) == [1]


def test_a_word_with_progress_asks_only_for_what_lies_before_something_held():
    flights = [flight(1, 0.0, 1), flight(31, 0.0, 2)]
    assert patience().spoken(flights, None, True, 10.0) == []
    assert patience().spoken(flights, 21, True, 10.0) == [1]
