"""Two models on the same parts, in numbers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.records import Decision
from edge.rollout.comparison import Part, compare, differing
from edge.rollout.pair import Answer

DECISIONS: list[Decision | None] = ["accept", "escalate", "reject"]


def said(decision: Decision | None, score: float = 0.5, ms: float = 5.0) -> Answer:
    return Answer(score, "good", decision, None, ms)


def part(
    first: Decision | None, second: Decision | None, defect: bool | None = None, name: str = "p"
) -> Part:
    return Part(name, said(first), said(second), defect)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*DECISIONS, None]),
            st.sampled_from([*DECISIONS, None]),
            st.sampled_from([None, True, False]),
        ),
        max_size=60,
    )
)
def test_every_part_is_counted_once_and_every_share_lies_in_its_interval(
    rows: list[tuple[Decision | None, Decision | None, bool | None]],
) -> None:
    parts = [part(*row) for row in rows]
    found = compare(parts)
    both = [row for row in rows if row[0] is not None and row[1] is not None]
    assert found.n == len(rows)
    assert found.compared == sum(found.table.values()) == len(both)
    assert found.permissive.count == sum(a != "accept" and b == "accept" for a, b, _ in both)
    assert found.stricter.count == sum(a == "accept" and b != "accept" for a, b, _ in both)
    assert len(differing(parts)) == sum(a != b for a, b, _ in both)
    for change in (found.escalated, found.rejected):
        assert -1 <= change.low <= change.high <= 1
        if change.difference is not None:
            assert change.low - 1e-12 <= change.difference <= change.high + 1e-12
    json.dumps(found.as_json(), allow_nan=False)


def test_the_interval_of_a_difference_holds_as_often_as_it_says() -> None:
    """Of 2,000 parts 6 % are escalated by the second alone, 3 % by the first: 3 points more."""
    dice, held = np.random.default_rng(5), 0
    for _ in range(200):
        up, down, _ = dice.multinomial(2000, [0.06, 0.03, 0.91])
        parts = [part("accept", "escalate")] * up + [part("escalate", "accept")] * down
        found = compare(parts + [part("accept", "accept")] * (2000 - up - down))
        held += found.escalated.low <= 0.03 <= found.escalated.high
    # the direction alone is random in it, so the number of differing parts adds a little
    assert held >= 200 * 0.92


def test_two_that_never_differ_may_still_differ_on_other_parts() -> None:
    found = compare([part("accept", "accept")] * 100).rejected
    assert found.difference == 0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 100))
    assert found.low == -found.high


def test_who_is_wrong_is_a_sign_test() -> None:
    parts = [part("accept", "reject", defect=True)] * 9 + [part("reject", "accept", defect=True)]
    parts += [part("escalate", "accept", defect=False)] * 50
    truths = compare(parts).truths
    assert truths is not None
    assert (truths.only_first_wrong, truths.only_second_wrong) == (9, 1)
    assert truths.p == pytest.approx(2 * 11 / 1024)
    assert truths.second.escapes().count == 1
    assert compare([part("accept", "reject")]).truths is None


def test_times_are_compared_part_by_part() -> None:
    dice = np.random.default_rng(2)
    base = dice.lognormal(1, 1, 500)
    parts = [
        Part(str(number), said("accept", ms=ms), said("accept", ms=ms * factor))
        for number, (ms, factor) in enumerate(zip(base, dice.normal(2, 0.1, 500), strict=True))
    ]
    late = Part("late", said("accept"), Answer(None, None, "escalate", "late", 900.0))
    found = compare([*parts, late])
    assert found.times is not None
    assert found.times.low < 2.0 < found.times.high
    assert found.times.high - found.times.low < 0.1
    assert found.faults == (0, 1)
    few = compare(parts[:2]).times
    assert few is not None
    assert math.isinf(few.high)


def test_known_mistakes_of_the_second_come_first() -> None:
    parts = [
        part("accept", "escalate", name="stricter"),
        part("reject", "accept", name="permissive"),
        part("escalate", "accept", defect=True, name="mistake"),
        part("accept", "accept", name="same"),
    ]
    assert [one.name for one in differing(parts)] == ["mistake", "permissive", "stricter"]
