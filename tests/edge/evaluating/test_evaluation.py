"""Figures and slices of parts of known truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.policy import decide
from edge.evaluating.cases import Gathering, family, quarters
from edge.evaluating.evaluation import Judging, decide_all, evaluate
from edge.records import Cuts

JUDGING = Judging(0.2, 0.8, "here")


def gathered() -> Gathering:
    """Night parts do worse: 100 good, 40 defects by day, as many by night."""
    found = Gathering()
    for tag, escapes, asked in (("day", 1, 2), ("night", 5, 10)):
        for number in range(100):
            found.add(0.5 if number < asked else 0.1, False, {"shift": tag})
        for number in range(40):
            kind = "dent" if number < 10 else "stain"
            score = 0.1 if number < escapes else 0.9
            found.add(score, True, {"shift": tag, "type": kind})
    return found


def test_what_to_work_on_next_comes_first() -> None:
    found = evaluate(gathered().cases(), "here", JUDGING, ["shift", "type"])
    assert found.confusion.wrong == 6
    names = [(one.tag, one.value) for one in found.slices]
    assert names == [("type", "dent"), ("shift", "night"), ("shift", "day"), ("type", "stain")]
    dent, night, day, _ = found.slices
    assert (dent.n, dent.data_share, dent.wrong_share) == (20, 0.25, 1.0)
    assert dent.excess == pytest.approx(6 - 0.25 * 6)
    assert (night.wrong_share, night.asked_share) == (5 / 6, 10 / 12)
    assert (day.data_share, day.excess) == (0.5, pytest.approx(1 - 3))
    assert night.rate.count == 5
    assert night.auroc is not None


def test_slices_of_a_tag_hold_every_part_once() -> None:
    found = evaluate(gathered().cases(), "here", JUDGING, ["shift"])
    assert sum(one.n for one in found.slices) == 280
    assert sum(one.excess for one in found.slices) == pytest.approx(0)
    assert sum(one.wrong_share or 0 for one in found.slices) == pytest.approx(1)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]), st.booleans()), max_size=30))
def test_parts_are_decided_as_on_the_line(parts: list[tuple[float, bool]]) -> None:
    found = Gathering()
    for score, doubtful in parts:
        found.add(score, False, {}, doubtful)
    names = {-1: "accept", 0: "escalate", 1: "reject"}
    decided = [names[int(way)] for way in decide_all(found.cases(), JUDGING)]
    cuts = Cuts(JUDGING.accept_below, JUDGING.reject_above)
    assert decided == [
        decide(score, cuts, "partial", doubtful=doubtful).decision for score, doubtful in parts
    ]


def test_a_tag_with_a_value_for_each_part_is_no_group() -> None:
    found = Gathering()
    for number in range(60):
        found.add(0.1, False, {"serial": str(number)})
    assert evaluate(found.cases(), "here", JUDGING, ["serial"]).slices == ()


def test_a_part_without_a_tag_is_unknown_and_a_tag_nobody_has_is_no_slice() -> None:
    found = Gathering()
    found.add(0.1, False, {"shift": "day"})
    found.add(0.1, False, {})
    values = {one.value for one in evaluate(found.cases(), "", JUDGING, ["shift"]).slices}
    assert values == {"day", "unknown"}


def test_the_json_is_plain_json() -> None:
    content = evaluate(gathered().cases(), "here", JUDGING, ["shift"]).as_json()
    again = json.loads(json.dumps(content, allow_nan=False))
    assert again["schema"] == "evaluation/1"
    assert again["confusion"]["defect"] == {"accept": 6, "escalate": 0, "reject": 74}
    assert again["decided"]["recall"]["value"] == 74 / 80
    assert again["slices"][0]["value"] == "night"
    nothing = evaluate(Gathering().cases(), "here", JUDGING, []).as_json()
    assert nothing["auroc"] is None


def test_quarters_are_quarters() -> None:
    names = quarters([*np.linspace(10, 90, 81).tolist(), None])
    assert names[-1] == "unknown"
    assert names[0] == "darkest (10 to 30)"
    assert names[80] == "brightest (70 to 90)"
    counts = [names.count(name) for name in sorted(set(names) - {"unknown"})]
    assert max(counts) - min(counts) <= 1
    assert quarters([50.0, 50.0]) == ["darkest (50 to 50)"] * 2
    assert quarters([None]) == ["unknown"]


@pytest.mark.parametrize(
    ("part", "name"), [("R-000123", "R"), ("cap/7", "cap"), ("17", "unknown"), (None, "unknown")]
)
def test_the_family_of_a_part(part: str | None, name: str) -> None:
    assert family(part) == name
