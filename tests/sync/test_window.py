from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sync.window import MOST_HELD, Mark, Window

END = 40


def mark(seq: int, epoch: str = "e") -> Mark:
    return Mark(epoch, seq, f"{seq:064x}")


class Delivery(RuleBasedStateMachine):
    """Against a model that knows of every record whether it was acknowledged, and which messages
    are under way."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(mark(0))
        self.tokens = itertools.count(1)
        self.acknowledged: set[int] = set()
        self.flights: dict[int, set[int]] = {}

    @property
    def position(self) -> int:
        return next(seq for seq in itertools.count() if seq + 1 not in self.acknowledged)

    def covered(self) -> set[int]:
        return self.acknowledged.union(*self.flights.values())

    def settle(self) -> None:
        done = [t for t, held in self.flights.items() if held <= self.acknowledged]
        for token in done:
            del self.flights[token]

    @rule(rows=st.integers(1, 6), begin=st.integers(0, END) | st.none())
    def send(self, rows, begin):
        start, until = self.window.hole(None if begin is None else mark(begin))
        end = min(start.seq + rows, until or END, END)
        if end > start.seq:
            token = next(self.tokens)
            self.window.sent(token, start, mark(end))
            self.flights[token] = set(range(start.seq + 1, end + 1))

    @precondition(lambda self: self.flights)
    @rule(data=st.data())
    def acknowledge_a_message(self, data):
        token = data.draw(st.sampled_from(sorted(self.flights)))
        flight = self.window.flight(token)
        self.acknowledge(flight.first, flight.last)
        assert self.window.flight(token) is None

    @rule(first=st.integers(1, END), length=st.integers(0, 9))
    def acknowledge_anything(self, first, length):
        self.acknowledge(first, min(END, first + length))

    def acknowledge(self, first, last):
        new = set(range(first, last + 1)) - self.acknowledged
        assert self.window.acknowledge(first, last, mark(last).hash) == len(new)
        self.acknowledged |= new
        self.settle()

    @precondition(lambda self: self.flights)
    @rule(data=st.data())
    def lose(self, data):
        lost = data.draw(st.lists(st.sampled_from(sorted(self.flights))))
        self.window.forget(*lost)
        for token in set(lost):
            del self.flights[token]

    @rule(data=st.data())
    def back(self, data):
        seq = data.draw(st.integers(0, self.position))
        self.window.back(mark(seq))
        self.acknowledged = set(range(1, seq + 1))
        self.flights.clear()

    @invariant()
    def position_is_the_gapless_acknowledged_prefix(self):
        assert self.window.position == mark(self.position)
        assert self.window.acknowledged == len(self.acknowledged)
        assert {one.token for one in self.window.flights} == set(self.flights)

    @invariant()
    def a_hole_is_what_nothing_covers(self):
        covered = self.covered()
        for begin in (None, *range(END)):
            start, until = self.window.hole(None if begin is None else mark(begin))
            least = max(self.position, begin or 0)
            assert start == mark(start.seq)
            assert set(range(least + 1, start.seq + 1)) <= covered
            assert start.seq + 1 not in covered
            if until is not None:
                assert until >= start.seq + 1
                assert until + 1 in covered
                assert not set(range(start.seq + 1, until + 1)) & covered
            else:
                assert not any(seq > start.seq for seq in covered)

    def teardown(self):
        """What is sent from holes until there is none is everything."""
        self.lose_all()
        for _ in range(END):
            start, until = self.window.hole()
            end = until or END
            if end > start.seq:
                self.window.sent(next(self.tokens), start, mark(end))
                self.acknowledged |= set(range(start.seq + 1, end + 1))
        assert self.acknowledged >= set(range(1, END + 1))

    def lose_all(self):
        self.window.forget(*self.flights)


Delivery.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestDelivery = Delivery.TestCase


def test_only_what_fits_into_a_hole_can_be_under_way():
    window = Window(mark(5))
    for start, end in ((5, 5), (5, 4), (4, 6)):
        with pytest.raises(ValueError, match="nothing can be"):
            window.sent(1, mark(start), mark(end))
    with pytest.raises(ValueError, match="nothing can be"):
        window.sent(1, mark(5), mark(6, "other"))
    window.sent(1, mark(5), mark(8))
    window.acknowledge(12, 14, mark(14).hash)
    for start, end in ((5, 6), (7, 9), (8, 12), (12, 13)):
        with pytest.raises(ValueError, match="under way or acknowledged"):
            window.sent(2, mark(start), mark(end))
    window.sent(2, mark(8), mark(11))


def test_hashes_are_known_where_ranges_end():
    window = Window(mark(5))
    window.sent(1, mark(5), mark(8))
    window.acknowledge(12, 14, mark(14).hash)
    assert [window.hash_at(seq) for seq in (5, 8, 14)] == [mark(s).hash for s in (5, 8, 14)]
    assert window.hash_at(7) is None


def test_what_is_held_ahead_is_bounded():
    window = Window(mark(0))
    for n in range(2 * MOST_HELD):
        window.acknowledge(3 * n + 2, 3 * n + 2, mark(3 * n + 2).hash)
    assert window.acknowledged == MOST_HELD
    assert window.hole(mark(4)) == (mark(5), 7)


def test_what_a_later_word_does_not_hold_any_more_is_sent_again():
    window = Window(Mark("e", 0, "0" * 64))
    window.acknowledge(11, 20, "b")
    window.acknowledge(31, 40, "d")
    window.hold_only([(1, 5), (11, 20)])
    window.acknowledge(1, 10, "a")
    assert window.position == Mark("e", 20, "b")
    assert window.hole() == (Mark("e", 20, "b"), None)
    window.acknowledge(21, 30, "c")
    assert window.position == Mark("e", 30, "c")  # and not 40: nobody holds 31 to 40
