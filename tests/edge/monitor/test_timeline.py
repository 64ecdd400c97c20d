"""Looks that are answered late, out of order, or never."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from edge.monitor.change import evidence, fresh, stepped
from edge.monitor.timeline import LONGEST, Outcome, Timeline


def test_an_alarm_needs_answers_and_stays_until_it_is_reset() -> None:
    line = Timeline(0.01, 10_000.0)
    for number in range(5):
        line.add(str(number), "skip", open=True)
    assert not line.raised
    for number in range(5):
        line.settle(str(number), "error")
    assert line.raised
    for number in range(5, 2000):
        line.add(str(number), "miss")
    assert line.raised
    line.reset()
    assert not line.raised
    line.add("x", "error")
    assert not line.raised


def test_an_answer_counts_once() -> None:
    line = Timeline(0.01, 1e9)
    line.add("a", "miss", open=True)
    line.settle("a", "error")
    line.add("b", "miss", open=True)
    line.add("a", "miss")
    before = line.as_json()
    line.settle("a", "skip")
    line.settle("unknown", "error")
    assert line.as_json() == before


@given(st.lists(st.sampled_from(["error", "miss", "skip"]), min_size=1, max_size=20), st.randoms())
def test_the_order_of_the_answers_changes_nothing(outcomes: list[Outcome], dice: object) -> None:
    order = list(range(len(outcomes)))
    dice.shuffle(order)  # type: ignore[attr-defined]
    line = Timeline(0.1, 1e12)
    for number, outcome in enumerate(outcomes):
        line.add(str(number), "miss" if outcome == "error" else "charge", open=True)
    for number in order:
        line.settle(str(number), outcomes[number])
    plain = Timeline(0.1, 1e12)
    for outcome in outcomes:
        plain.add("", outcome)
    assert line.as_json() == plain.as_json()


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 30))
def test_what_is_open_never_gives_more_evidence_than_the_answers_would(
    errors: list[bool], answered: int
) -> None:
    line, full = Timeline(0.05, 30.0), fresh()
    peak = 0.0
    for number, error in enumerate(errors):
        line.add(str(number), "miss", open=True)
        full = stepped(full, error, 0.05)
        peak = max(peak, float(evidence(full)))
    for number in range(min(answered, len(errors))):
        line.settle(str(number), "error" if errors[number] else "miss")
    if line.raised:
        assert peak >= 30.0


def test_looks_that_stay_open_for_ever_are_closed_in_the_end() -> None:
    line = Timeline(0.01, 1e9)
    for number in range(LONGEST + 10):
        line.add(str(number), "miss", open=True)
    kept = line.as_json()["late"]
    assert isinstance(kept, list)
    assert len(kept) == LONGEST
    before = line.as_json()
    line.settle("3", "error")
    assert line.as_json() == before
    line.give_up(str(LONGEST))
    line.settle(str(LONGEST), "error")
    assert line.as_json()["sums"] == before["sums"]


def test_it_goes_on_after_a_restart() -> None:
    line = Timeline(0.01, 1000.0)
    line.add("a", "error")
    line.add("b", "miss", open=True)
    line.add("c", "error")
    again = Timeline(0.01, 1000.0)
    again.restore(json.loads(json.dumps(line.as_json())))
    for one in (line, again):
        one.settle("b", "error")
    assert line.as_json() == again.as_json()
