"""A challenge that outlives restarts."""

from __future__ import annotations

from edge.decision.challenge import Challenge, ChallengeRecord, interrupted
from edge.records import Moment
from tests.edge.store.builders import NOON, ORIGIN

RUNNING = Challenge("c-1", "defect", 3, 3)


def test_it_goes_on_with_the_parts_that_have_not_come() -> None:
    kept = RUNNING.started()
    assert interrupted(kept.get) == RUNNING
    kept |= RUNNING.one_less().done()
    assert interrupted(kept.get) == Challenge("c-1", "defect", 3, 2)
    kept |= RUNNING.one_less().one_less().one_less().done()
    assert interrupted(kept.get) is None


def test_a_stopped_one_stays_stopped_whatever_comes_to_the_disk_later() -> None:
    kept = {**RUNNING.started(), **RUNNING.stopped(), **RUNNING.one_less().done()}
    assert interrupted(kept.get) is None


def test_a_late_part_of_the_one_before_takes_nothing_from_the_next() -> None:
    after = Challenge("c-2", "good", 5, 5)
    kept = {**after.started(), **RUNNING.one_less().done(), **RUNNING.stopped()}
    assert interrupted(kept.get) == after


def test_without_one_there_is_none() -> None:
    assert interrupted({}.get) is None


def test_the_record_says_who_and_what() -> None:
    record = ChallengeRecord(
        "c-1", ORIGIN, Moment(NOON, 1), "start", "c-1", "defect", 3, "anna", "root", "r-1"
    )
    content = record.content()
    assert content["schema"] == "challenge/1"
    assert (content["action"], content["truth"], content["count"]) == ("start", "defect", 3)
    assert (content["by"], content["account"], content["request"]) == ("anna", "root", "r-1")
