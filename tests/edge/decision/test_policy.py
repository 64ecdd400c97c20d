"""Nothing is accepted that design section 6 does not accept."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.policy import DEGREES, Trouble, decide
from edge.records import Cuts, Degree

scores = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1)
troubles = st.sampled_from([None, "fault", "late", "overrun"])


@st.composite
def cuts_or_none(draw: st.DrawFn) -> Cuts | None:
    if draw(st.booleans()):
        return None
    low, high = sorted((draw(st.floats(0, 1)), draw(st.floats(0, 1))))
    return Cuts(low, high)


@st.composite
def score_near(draw: st.DrawFn, cuts: Cuts | None) -> float | None:
    """Any score, and the cuts themselves and their neighbours more often than chance would."""
    if cuts is None or draw(st.booleans()):
        return draw(scores)
    cut = draw(st.sampled_from([cuts.accept_below, cuts.reject_above]))
    return draw(st.sampled_from([cut, math.nextafter(cut, -9), math.nextafter(cut, 9)]))


@given(st.data(), cuts_or_none(), st.sampled_from(DEGREES), st.booleans(), troubles)
def test_accepts_only_what_the_design_accepts(
    data: st.DataObject,
    cuts: Cuts | None,
    degree: Degree,
    doubtful: bool,
    trouble: Trouble | None,
) -> None:
    score = data.draw(score_near(cuts))
    choice = decide(score, cuts, degree, doubtful=doubtful, trouble=trouble)
    may_accept = (
        trouble is None
        and not doubtful
        and degree in ("partial", "full")
        and cuts is not None
        and score is not None
        and math.isfinite(score)
        and 0 <= score <= 1
        and score < cuts.accept_below
    )
    assert (choice.decision == "accept") == may_accept
    may_reject = (
        trouble is None
        and not doubtful
        and degree in ("partial", "full")
        and cuts is not None
        and score is not None
        and 0 <= score <= 1
        and not may_accept
        and (score >= cuts.reject_above or degree == "full")
    )
    assert (choice.decision == "reject") == may_reject


@pytest.mark.parametrize(
    ("degree", "doubtful", "trouble"),
    list(itertools.product(DEGREES, (False, True), (None, "fault", "late", "overrun"))),
)
def test_every_combination_without_a_score_escalates(
    degree: Degree, doubtful: bool, trouble: Trouble | None
) -> None:
    for score in (None, math.nan, math.inf, -0.001, 1.001):
        choice = decide(score, Cuts(0.4, 0.6), degree, doubtful=doubtful, trouble=trouble)
        assert choice.decision == "escalate"
        assert choice.would_be is None


@pytest.mark.parametrize(
    ("score", "degree", "decision", "reason", "would_be"),
    [
        (0.1, "partial", "accept", "confident", "accept"),
        (0.2, "partial", "escalate", "uncertain", "escalate"),
        (0.5, "full", "reject", "uncertain", "escalate"),
        (0.8, "partial", "reject", "confident", "reject"),
        (0.1, "shadow", "escalate", "automation", "accept"),
        (None, "human_only", "escalate", "automation", None),
    ],
)
def test_reasons(
    score: float | None, degree: Degree, decision: str, reason: str, would_be: str | None
) -> None:
    choice = decide(score, Cuts(0.2, 0.8), degree)
    assert (choice.decision, choice.reason, choice.would_be) == (decision, reason, would_be)


def test_a_doubt_keeps_what_partial_would_have_decided() -> None:
    assert decide(0.1, Cuts(0.2, 0.8), "full", doubtful=True).would_be == "accept"
