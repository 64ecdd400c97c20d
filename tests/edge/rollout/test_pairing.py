"""What two models said of one part."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edge.records import Cuts, Inspection, Latency
from edge.rollout.pair import Answer
from edge.rollout.pairing import answer, pair
from tests.edge.store.builders import inspection

CUTS = Cuts(0.1, 0.9)


def part(**more: Any) -> Inspection:
    given: dict[str, Any] = {
        "score": 0.05, "label": "good", "cuts": CUTS, "would_be": "accept", "doubts": (),
        "fault": None, "reason": "confident", "latency": Latency(inference=7.0), **more,
    }  # fmt: skip
    return replace(inspection(1, "accept"), **given)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, Answer(0.05, "good", "accept", None, 3.0)),
        ({"cuts": None, "would_be": None}, Answer(0.05, "good", None, None, 3.0)),
        ({"doubts": ({"name": "blurred"},)}, Answer(0.05, "good", "escalate", None, 3.0)),
        (
            {"score": None, "label": None, "would_be": None, "reason": "fault", "fault": "died"},
            Answer(None, None, "escalate", "died", 7.0),
        ),
        (
            {"score": None, "label": None, "would_be": None, "reason": "late"},
            Answer(None, None, "escalate", "late", 7.0),
        ),
        (
            {"score": None, "would_be": None, "fault": "hung", "reason": "fault", "cuts": None},
            Answer(None, None, None, "hung", 7.0),
        ),
    ],
)
def test_an_answer_is_what_partial_would_do_with_it(more: dict[str, Any], wanted: Answer) -> None:
    assert answer(part(**more), 3.0) == wanted


def test_a_model_that_was_not_asked_has_said_nothing() -> None:
    assert answer(part(score=None, would_be=None, reason="automation"), 3.0) is None


def test_each_side_gets_its_own_answer_whoever_decided() -> None:
    ours, theirs = Answer(0.1), Answer(0.2)
    made = pair(part(), "active", ours, theirs)
    assert (made.active, made.candidate, made.decided_by) == (ours, theirs, "active")
    made = pair(part(), "candidate", theirs, ours)
    assert (made.active, made.candidate, made.decided_by) == (ours, theirs, "candidate")


def test_truth_is_known_of_challenge_parts_only() -> None:
    told = part(truth="defect")
    assert pair(told, "active", Answer(0.1), Answer(0.2)).truth is None
    challenged = replace(told, tags={"challenge": "c-1"})
    assert pair(challenged, "active", Answer(0.1), Answer(0.2)).truth == "defect"


def test_the_part_is_named() -> None:
    told = part(part_id="p-7", doubts=({"name": "blurred"},))
    made = pair(told, "active", Answer(0.1), Answer(0.2), "images/x.jpg")
    assert (made.inspection, made.part_id, made.at) == (told.id, "p-7", told.captured.wall)
    assert (made.doubtful, made.picture) == (True, "images/x.jpg")
