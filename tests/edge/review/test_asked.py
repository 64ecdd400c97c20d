"""The probability of having been asked, against the line that asks."""

from __future__ import annotations

import random
from typing import Any

import pytest

from edge.decision.spot_checks import Draw
from edge.inspection import Ruling, _asks, _drawn
from edge.review.asked import asked_probability

DRAW = {"p": 0.25, "drawn": True}
NOT = {"p": 0.25, "drawn": False}


def inspection(**more: Any) -> dict[str, Any]:
    plain = {
        "automation": "partial", "decision": "accept", "asked": False,
        "spot_check": NOT, "tags": {},
    }  # fmt: skip
    return {**plain, **more}


@pytest.mark.parametrize(
    ("record", "ask", "expected"),
    [
        (inspection(), "all", 0.25),
        (inspection(decision="reject", spot_check=DRAW, asked=True), None, 0.25),
        (inspection(spot_check=None), "all", 0.0),
        (inspection(decision="escalate", asked=True), "sample", 1.0),
        (inspection(decision="escalate", asked=True, spot_check=DRAW), None, 1.0),
        (inspection(decision="escalate", automation="full", asked=True), None, 1.0),
        (inspection(decision="escalate", automation="shadow", asked=True), "all", 1.0),
        (
            inspection(decision="escalate", automation="shadow", asked=True, spot_check=DRAW),
            "sample",
            0.25,
        ),
        (
            inspection(decision="escalate", automation="shadow", asked=True, spot_check=DRAW),
            "all",
            1.0,
        ),
        # Without the configuration it follows from the record, but for a drawn part.
        (inspection(decision="escalate", automation="shadow", asked=True), None, 1.0),
        (inspection(decision="escalate", automation="human_only"), None, 0.25),
        (
            inspection(decision="escalate", automation="shadow", asked=True, spot_check=DRAW),
            None,
            None,
        ),
        (inspection(tags={"challenge": "c"}, spot_check=None), "all", None),
    ],
)
def test_the_formula(record: dict[str, Any], ask: Any, expected: float | None) -> None:
    assert asked_probability(record, ask) == expected


@pytest.mark.parametrize("degree", ["human_only", "shadow", "assist", "partial", "full"])
@pytest.mark.parametrize("ask", ["all", "sample"])
@pytest.mark.parametrize("decision", ["accept", "escalate"])
def test_it_is_the_share_of_parts_that_the_line_asks_about(degree, ask, decision) -> None:
    if decision == "accept" and degree in ("human_only", "shadow", "assist"):
        return  # the model decides nothing there
    dice, times = random.Random(7), 4000
    ruling = Ruling(degree, ask_all=ask == "all")
    asked = 0
    for _ in range(times):
        draw = Draw(0.25, dice.random() < 0.25)
        asked += _drawn(draw) or (decision == "escalate" and _asks(ruling))
    record = inspection(automation=degree, decision=decision)
    expected = asked_probability(record, ask)
    assert asked / times == pytest.approx(expected, abs=0.03)
