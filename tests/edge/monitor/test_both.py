"""Two calibrations watched side by side: a canary's parts, a promotion, a way back."""

from __future__ import annotations

from typing import Any

import pytest

from edge.monitor.both import Both
from edge.monitor.bounds import Bounds, Wanted
from tests.edge.store.builders import inspection

WANTED = Wanted(0.01, 0.05, 0.95, 20)


def part(number: int, calibration: str | None, canary: bool = False) -> dict[str, Any]:
    made = inspection(number, "accept", asked=False).content()
    drawn = {"p": 0.5, "drawn": True}
    tags = {"canary": "0.05"} if canary else {}
    cuts = None if calibration is None else {"accept_below": 0.1, "reject_above": 0.9}
    return {
        **made, "calibration": calibration, "cuts": cuts, "spot_check": drawn, "tags": tags,
        "would_be": "accept",
    }  # fmt: skip


@pytest.fixture
def both() -> Both:
    return Both(lambda key: Bounds(WANTED))


def counted(both: Both) -> tuple[tuple[str, int] | None, ...]:
    pairs = (both.now, both.beside)
    return tuple(None if one is None else (one.key, one.bounds.parts) for one in pairs)


def test_parts_of_a_canary_are_watched_beside_and_nothing_begins_anew(both: Both) -> None:
    for number in range(6):
        canary = number % 2 == 1
        both.inspection(part(number, "new" if canary else "old", canary), 5.0)
    assert counted(both) == (("old", 3), ("new", 3))


def test_a_promotion_and_the_way_back_forget_nothing(both: Both) -> None:
    for number, (calibration, canary) in enumerate(
        [("old", False), ("new", True), ("new", False), ("new", False), ("old", False)]
    ):
        both.inspection(part(number, calibration, canary), 5.0)
    assert counted(both) == (("old", 2), ("new", 3))


def test_without_a_canary_another_calibration_is_watched_from_the_beginning(both: Both) -> None:
    for number, calibration in enumerate(["first", "first", "second", "third"]):
        both.inspection(part(number, calibration), 5.0)
    assert counted(both) == (("third", 1), ("second", 1))


def test_a_new_canary_takes_the_place_of_the_one_before(both: Both) -> None:
    both.inspection(part(1, "old"), 1.0)
    both.inspection(part(2, "bad", canary=True), 2.0)
    both.inspection(part(3, "better", canary=True), 3.0)
    assert counted(both) == (("old", 1), ("better", 1))


def test_an_answer_reaches_the_instruments_that_wait_for_it(both: Both) -> None:
    old, new = part(1, "old"), part(2, "new", canary=True)
    both.inspection(old, 1.0)
    both.inspection(new, 1.0)
    assert both.open_checks == [old["id"], new["id"]]
    assert both.waits_for(new["id"])
    both.verdict({"inspection": new["id"], "verdict": "reject"})
    assert both.open_checks == [old["id"]]
    assert both.beside is not None
    assert both.beside.bounds.rates["slip"].answered == 1
    assert both.of("new") is both.beside.bounds
    assert both.of("unknown") is None


def test_a_part_without_cuts_is_not_watched(both: Both) -> None:
    assert not both.inspection(part(1, None), 1.0)
    assert counted(both) == (None, None)


def test_both_outlive_a_restart_and_so_does_what_was_kept_before_there_were_two(
    both: Both,
) -> None:
    for number in range(4):
        both.inspection(part(number, "new" if number == 3 else "old", number == 3), 7.0)
    kept = both.as_json()
    again = Both(lambda key: Bounds(WANTED))
    again.restore(kept)
    assert counted(again) == counted(both)
    assert again.as_json() == kept
    del kept["beside"]
    again.restore(kept)
    assert counted(again) == (("old", 3), None)


def test_what_cannot_be_taken_up_leaves_nothing_behind(both: Both) -> None:
    both.inspection(part(1, "old"), 1.0)
    kept = {**both.as_json(), "beside": {"key": "new", "began": 0.0, "bounds": {}}}
    again = Both(lambda key: Bounds(WANTED))
    with pytest.raises(KeyError):
        again.restore(kept)
    assert counted(again) == (None, None)
