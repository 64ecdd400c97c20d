"""Ready for *partial*: yes, or not yet, because …"""

from __future__ import annotations

from edge.monitor.readiness import Wanted, readiness

WANTED = Wanted(0.01, 0.05, 0.95, answers_per_hour=90)
AGREEING = [("accept", "accept")] * 200 + [("reject", "reject")] * 30 + [("escalate", "accept")] * 9


def test_ready() -> None:
    found = readiness(AGREEING, WANTED, 50)
    assert found.ready
    assert (found.agreement.count, found.agreement.n) == (230, 230)
    assert (found.escape.count, found.escape.n) == (0, 30)
    assert (found.overkill.count, found.overkill.n) == (0, 209)


def test_escapes_that_cannot_be_chance_speak_against_it() -> None:
    found = readiness([*AGREEING, *[("accept", "reject")] * 6], WANTED, 50)
    assert not found.ready
    assert "would-be escape rate is 16.7% (6 of 36;" in found.because[0]


def test_one_escape_among_few_defects_proves_nothing() -> None:
    assert readiness([*AGREEING, ("accept", "reject")], WANTED, 50).ready


def test_more_than_people_can_answer() -> None:
    (why,) = readiness(AGREEING, WANTED, 400).because
    assert why == "400 parts/h would go to persons, who can answer 90"


def test_obstacles_and_missing_answers_are_named() -> None:
    found = readiness([("accept", "unsure")], WANTED, None, ["no calibration"])
    assert found.because[0] == "no calibration"
    assert "no person has answered" in found.because[1]
    assert "too little is recorded" in found.because[2]
    assert found.answers == 0


def test_without_a_defect_nothing_is_known_about_escapes() -> None:
    (why,) = readiness([("accept", "accept")] * 40, WANTED, 50).because
    assert "nothing is known about would-be escapes" in why
    (why,) = readiness([("reject", "reject")] * 40, WANTED, 50).because
    assert "nothing is known about would-be overkill" in why


def test_without_a_figure_for_the_questions_it_is_not_ready() -> None:
    (why,) = readiness(AGREEING, WANTED, None).because
    assert "how many would be asked" in why
