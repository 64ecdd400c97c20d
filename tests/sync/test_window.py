from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sync.window import Mark, Window


def mark(seq: int, epoch: str = "e") -> Mark:
    return Mark(epoch, seq, f"{seq:064x}")


class Delivery(RuleBasedStateMachine):
    """Against a model: a list of everything sent and a set of what was acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(mark(0), limit=4)
        self.token = 0
        self.sent: dict[int, int] = {}
        self.old: list[int] = []
        self.position = 0
        self.acknowledged: set[int] = set()

    @precondition(lambda self: self.window.has_room)
    @rule(rows=st.integers(1, 5))
    def send(self, rows):
        self.token += 1
        end = self.window.end.seq + rows
        self.window.sent(self.token, mark(end))
        self.sent[self.token] = end

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def acknowledge(self, data):
        token = data.draw(st.sampled_from(sorted(self.sent)))
        self.acknowledged.add(token)
        before, moved = self.position, self.window.acknowledged(token)
        while self.sent and min(self.sent) in self.acknowledged:
            first = min(self.sent)
            self.position = self.sent.pop(first)
            self.old.append(first)
        assert moved == self.position - before

    @rule(data=st.data())
    def acknowledge_something_unknown(self, data):
        token = data.draw(st.sampled_from([-1, *self.old]))
        assert self.window.acknowledged(token) == 0

    @rule()
    def lose_connection(self):
        self.window.rewind()
        self.old += self.sent
        self.sent.clear()
        self.acknowledged.clear()

    @invariant()
    def position_is_the_gapless_acknowledged_prefix(self):
        assert self.window.position == mark(self.position)
        assert self.window.in_flight == len(self.sent) <= 4
        assert self.window.end.seq == max(self.sent.values(), default=self.position)
        assert all(self.window.knows(token) for token in self.sent)


Delivery.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestDelivery = Delivery.TestCase


def test_a_full_window_and_a_wrong_segment_are_refused():
    window = Window(mark(5), limit=1)
    for end in (mark(5), mark(4), mark(6, "other")):
        with pytest.raises(ValueError, match="does not follow"):
            window.sent(1, end)
    window.sent(1, mark(6))
    with pytest.raises(ValueError, match="full"):
        window.sent(2, mark(7))
    with pytest.raises(ValueError, match="at least one"):
        Window(mark(0), limit=0)
