"""The least of ceiling, chosen degree and limits."""

from __future__ import annotations

from edge.decision.automation import HOUR_NS, Limit, Limits, in_force

SICK = Limit("model_failing", "human_only", "no answer for 10 s")
LOOSE = Limit("no_calibration", "shadow", "none for this bundle")


def test_the_least_counts_and_is_named() -> None:
    assert in_force("partial", None, []).degree == "partial"
    assert in_force("partial", "full", []).degree == "partial"
    assert in_force("partial", "assist", []).why == "set by a person"
    found = in_force("full", "partial", [LOOSE, SICK])
    assert found.degree == "human_only"
    assert "model_failing" in found.why


def test_live_limits_end_with_their_cause() -> None:
    limits = Limits()
    assert [change.began for change in limits.update([SICK], 0)] == [True]
    assert limits.update([SICK], 1) == []
    assert [change.began for change in limits.update([], 2)] == [False]
    assert limits.active == ()


def test_the_fourth_in_an_hour_latches_until_cleared() -> None:
    limits = Limits()
    for turn in range(3):
        limits.update([SICK], turn)
        limits.update([], turn)
    assert limits.latched == ()
    changes = limits.update([SICK], 4)
    assert [change.limit.name for change in changes] == ["model_failing", "unsteady"]
    limits.update([], 5)
    assert [limit.name for limit in limits.active] == ["unsteady"]
    assert limits.clear("nonsense") is None
    assert limits.clear("unsteady") is not None
    assert limits.active == ()


def test_limits_an_hour_apart_do_not_latch() -> None:
    limits = Limits()
    for turn in range(10):
        limits.update([SICK], turn * HOUR_NS // 2)
        limits.update([], turn * HOUR_NS // 2)
    assert limits.latched == ()
