from hypothesis import given
from hypothesis import strategies as st

from sync.fleet.account import Word, account, apart


def test_everything_there():
    found = account(100, [], {}, Word(100, 100, "store"))
    assert (found.recorded, found.held, found.waiting, found.missing) == (100, 100, 0, 0)


def test_what_the_station_still_has_is_waiting():
    found = account(60, [], {}, Word(100, 60, "store"))
    assert (found.recorded, found.waiting, found.missing) == (100, 40, 0)


def test_a_hole_that_the_station_will_fill_is_waiting():
    found = account(60, [(81, 90)], {}, Word(100, 60, "store"))
    assert (found.held, found.waiting, found.missing) == (70, 30, 0)


def test_what_the_station_believes_delivered_and_is_not_there_is_missing():
    found = account(60, [(81, 90)], {}, Word(100, 95, "broker"))
    assert (found.missing, found.missing_ranges) == (25, ((61, 80), (91, 95)))
    assert found.waiting == 5


def test_holes_of_a_chain_that_nobody_speaks_of_are_missing():
    found = account(60, [(81, 90)], {}, None)
    assert (found.recorded, found.missing_ranges) == (90, ((61, 80),))


def test_what_will_not_come_is_neither_held_nor_missing():
    found = account(60, [], {"pruned": 50, "lost": 2}, Word(60, 60, "store"))
    assert (found.held, found.missing, found.waiting) == (8, 0, 0)


def test_an_older_word_of_the_station_takes_nothing_away():
    found = account(60, [(70, 80)], {}, Word(20, 20, "store"))
    assert (found.recorded, found.held, found.waiting, found.missing) == (80, 71, 9, 0)


ranges = st.tuples(st.integers(1, 60), st.integers(0, 20)).map(lambda one: (one[0], sum(one)))


@given(st.integers(0, 30), st.lists(ranges, max_size=6), st.integers(0, 90), st.integers(0, 90))
def test_the_numbers_add_up(through, spans, recorded, delivered):
    held = set(range(1, through + 1))
    ahead, seen = [], set()
    for first, last in spans:
        numbers = set(range(first, last + 1))
        if first > through + 1 and not numbers & seen:
            ahead.append((first, last))
            seen |= numbers
    held |= seen
    found = account(through, ahead, {}, Word(recorded, min(recorded, delivered), "x"))
    assert found.recorded == found.held + found.waiting + found.missing == max({0, recorded} | held)
    missing = {seq for first, last in found.missing_ranges for seq in range(first, last + 1)}
    assert missing == set(range(1, min(recorded, delivered) + 1)) - held
    assert found.missing == len(missing)


@given(st.lists(st.tuples(ranges, st.sampled_from("ab")), max_size=8))
def test_numbers_are_counted_once_and_the_first_reason_stays(told):
    wanted = {}
    for (first, last), why in told:
        for seq in range(first, last + 1):
            wanted.setdefault(seq, why)
    found = apart([(*one, why) for one, why in told])
    assert {seq: why for low, high, why in found for seq in range(low, high + 1)} == wanted
    assert sum(high - low + 1 for low, high, _ in found) == len(wanted)
