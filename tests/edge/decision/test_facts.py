"""Which live limits follow from the facts about the model."""

from __future__ import annotations

import pytest

from edge.decision.facts import Facts, live_limits


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (Facts(), []),
        (Facts(no_model="damaged"), [("no_model", "human_only")]),
        (Facts(no_cuts="none yet"), [("no_calibration", "shadow")]),
        (Facts(uncertified=True), [("uncertified", "shadow")]),
        (Facts(uncertified=True, allow_uncertified=True), []),
        (Facts(no_cuts="none", uncertified=True), [("no_calibration", "shadow")]),
        (Facts(no_cuts="none", allow_uncertified=True), [("no_calibration", "shadow")]),
        (Facts(unconfirmed=("scaling", "colour")), [("unconfirmed", "shadow")]),
        (Facts(away_s=9.999), []),
        (Facts(away_s=10.0), [("model_failing", "human_only")]),
        (Facts(deaths=2), []),
        (Facts(deaths=3), [("model_dying", "human_only")]),
    ],
)
def test_limits(facts: Facts, found: list[tuple[str, str]]) -> None:
    assert [(limit.name, limit.degree) for limit in live_limits(facts)] == found


def test_reasons_name_what_is_wrong() -> None:
    reasons = {
        limit.name: limit.reason
        for limit in live_limits(
            Facts(no_model="hash differs", no_cuts="none yet", unconfirmed=("scaling", "colour"))
        )
    }
    assert reasons["no_model"] == "hash differs"
    assert reasons["no_calibration"] == "none yet"
    assert "scaling, colour" in reasons["unconfirmed"]
