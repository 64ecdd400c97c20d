"""Two models on the same parts: what each guard sees, and what it leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from edge.records import Decision
from edge.rollout.disagreement import KNOWN, OPEN
from edge.rollout.evidence import Evidence
from edge.rollout.pair import Answer, Pair, Side
from sync.assignment import Limits

LIMITS = Limits()
CUTS = (0.2, 0.8)
Scores = Iterator[float]


def answer(score: float | None, fault: str | None = None, ms: float = 5.0) -> Answer:
    if fault is not None or score is None:
        return Answer(None, None, "escalate", fault, ms)
    would: Decision = "accept" if score < CUTS[0] else "reject" if score >= CUTS[1] else "escalate"
    return Answer(score, "good" if score < 0.5 else "defect", would, None, ms)


def near(number: int) -> float:
    """A low score, not always the same."""
    return 0.01 + number % 5 / 100


def good(number: int) -> Answer:
    """An answer that accepts."""
    return answer(near(number))


def pair(
    number: int,
    active: Answer,
    candidate: Answer,
    by: Side = "active",
    truth: str | None = None,
) -> Pair:
    return Pair(str(number), None, float(number), by, active, candidate, truth=truth)


def feed(
    evidence: Evidence,
    parts: int,
    make: Callable[[int], Pair],
    every: int = 1,
) -> int:
    """Add pairs until something is broken; how many."""
    for number in range(parts):
        evidence.add(make(number))
        if number % every == 0 and evidence.broken():
            return number + 1
    return parts


def production(seed: int) -> Callable[[int], float]:
    """Scores of a line: 5 % unsure, 2 % defects."""
    dice = np.random.default_rng(seed).random((20_000, 2))

    def score(number: int) -> float:
        kind, value = dice[number]
        return float(
            0.8 + value / 5 if kind < 0.02 else 0.2 + value / 2 if kind < 0.07 else value / 6
        )

    return score


def test_a_candidate_equal_to_the_active_is_never_rolled_back() -> None:
    for seed in range(5):
        score, jitter = production(seed), np.random.default_rng(seed).lognormal(0, 0.5, (4000, 2))
        evidence = Evidence(LIMITS)

        def same(number: int) -> Pair:
            told = score(number)  # noqa: B023
            a, c = (answer(told, ms=5.0 * jitter[number, side]) for side in (0, 1))  # noqa: B023
            return pair(number, a, c, "candidate" if number % 4 == 0 else "active")

        assert feed(evidence, 4000, same, every=20) == 4000
        assert evidence.lacking() is None


def test_a_candidate_as_good_but_not_the_same_is_not_rolled_back() -> None:
    """Both escalate 5 % of the parts, but not the same ones, and persons call them good."""
    limits = Limits(max_escalation_rise=0.02)
    for seed in range(5):
        dice = np.random.default_rng(seed).random((3000, 2)) < 0.05
        evidence = Evidence(limits)

        def unlike(number: int) -> Pair:
            a, c = (answer(0.5 if hit else near(number)) for hit in dice[number])  # noqa: B023
            return pair(number, a, c, "candidate" if number >= 1500 else "active")

        for number in range(3000):
            one = unlike(number)
            evidence.add(one)
            if one.active.would_be == "escalate" and one.decided_by == "active":
                evidence.verdict(one.inspection, "accept")
            assert evidence.broken() is None


def test_twice_the_permissive_limit_is_found_within_the_stated_parts() -> None:
    found = []
    for seed in range(10):
        dice = np.random.default_rng(seed).random(15_000)
        evidence = Evidence(LIMITS)

        def permissive(number: int) -> Pair:
            active = answer(0.9) if dice[number] < 0.01 else good(number)  # noqa: B023
            return pair(number, active, good(number))

        parts = feed(evidence, 15_000, permissive, every=50)
        breach = evidence.broken()
        found.append(breach is not None and parts <= 15_000 and breach.code == "permissive")
    assert sum(found) >= 9


@pytest.mark.parametrize(
    ("code", "candidate"),
    [
        ("permissive", lambda score: score / 10),
        ("escalation", lambda score: 0.5 + score / 10),
        ("overkill", lambda score: 0.99 if score < 0.2 else score),
        ("slower", lambda score: score),
        ("late", lambda score: None),
    ],
)
def test_what_a_poison_does_has_its_code(
    code: str, candidate: Callable[[float], float | None]
) -> None:
    score = production(1)
    evidence = Evidence(LIMITS)

    def make(number: int) -> Pair:
        told = candidate(score(number))
        said = answer(told, "late" if told is None else None, 50.0 if code == "slower" else 5.0)
        return pair(number, answer(score(number)), said)

    parts = feed(evidence, 3000, make)
    breach = evidence.broken()
    assert breach is not None
    assert breach.code == code
    assert parts >= LIMITS.min_parts
    assert evidence.lacking() is not None


def test_one_score_for_everything_is_constant_even_without_cuts() -> None:
    score = production(1)
    evidence = Evidence(LIMITS)
    parts = feed(
        evidence, 2000, lambda n: pair(n, answer(score(n)), Answer(0.25, "good", None, None, 5.0))
    )
    assert parts < 2000
    breach = evidence.broken()
    assert breach is not None
    assert breach.code == "constant"


@pytest.mark.parametrize("fault", ["nonsense", "wrong_input"])
def test_three_answers_that_are_none_end_it_at_once(fault: str) -> None:
    evidence = Evidence(LIMITS)
    assert feed(evidence, 10, lambda n: pair(n, good(n), answer(None, fault))) == 3
    breach = evidence.broken()
    assert breach is not None
    assert breach.code == "nonsense"


def test_three_deaths_end_it_unless_the_machine_kills_both() -> None:
    alone, both = Evidence(LIMITS), Evidence(LIMITS)
    for _ in range(3):
        assert alone.broken() is None
        alone.death("candidate")
        both.death("candidate")
        both.death("active")
    breach = alone.broken()
    assert breach is not None
    assert breach.code == "died"
    assert both.broken() is None


def test_one_death_ends_it_once_it_decides_unless_the_machine_kills_both() -> None:
    alone, both, before = Evidence(LIMITS), Evidence(LIMITS), Evidence(LIMITS)
    before.death("candidate")
    assert before.broken() is None
    both.death("active")
    for evidence in (alone, both):
        evidence.death("candidate", deciding=True)
    breach = alone.broken()
    assert breach is not None
    assert (breach.code, breach.words) == ("died", "it died once (0 of the other model)")
    assert both.broken() is None
    again = Evidence(LIMITS)
    again.restore({**alone.kept(), "breach": None})
    assert again.broken() == breach


def test_a_better_model_passes_where_persons_vouch_for_it() -> None:
    """It accepts 3 % of the parts that the active one is unsure of: six times the limit."""
    dice = np.random.default_rng(8).random((6000, 2))
    evidence = Evidence(LIMITS)
    for number in range(6000):
        unsure = dice[number, 0] < 0.03
        by: Side = "candidate" if number >= 2000 and dice[number, 1] < 0.5 else "active"
        evidence.add(pair(number, answer(0.5 if unsure else near(number)), good(number), by))
        assert evidence.broken() is None
        if unsure and by == "active":
            evidence.verdict(str(number), "accept")
    assert evidence.lacking() is None


def test_the_same_model_goes_where_persons_find_defects() -> None:
    dice = np.random.default_rng(8).random(6000)
    evidence = Evidence(LIMITS)

    def make(number: int) -> Pair:
        if number and dice[number - 1] < 0.03:
            evidence.verdict(str(number - 1), "reject")
        return pair(number, answer(0.5 if dice[number] < 0.03 else near(number)), good(number))

    assert feed(evidence, 6000, make) < 1000
    breach = evidence.broken()
    assert breach is not None
    assert breach.code in ("permissive", "verdicts")


def test_what_nobody_answers_counts_after_a_while_and_keeps_it_back_before() -> None:
    evidence = Evidence(LIMITS)

    def make(number: int) -> Pair:
        return pair(number, answer(0.9 if number < 100 else near(number)), good(number))

    for number in range(LIMITS.min_parts):
        evidence.add(make(number))
    assert evidence.disagreement.permissive.open == 100
    assert evidence.broken() is None
    assert evidence.lacking() is not None
    parts = feed(evidence, 2 * OPEN, lambda n: make(n + LIMITS.min_parts))
    assert parts < OPEN
    breach = evidence.broken()
    assert breach is not None
    assert breach.code == "permissive"


def test_what_the_other_only_escalates_counts_where_a_person_calls_it_a_defect() -> None:
    evidence = Evidence(LIMITS)
    for number in range(1000):
        unsure = number % 10 == 0
        evidence.add(pair(number, answer(0.5 if unsure else near(number)), good(number)))
    assert evidence.broken() is None
    assert evidence.lacking() is None
    for number in range(0, 1000, 20):
        evidence.verdict(str(number), "reject")
    shown = evidence.as_json()["permissive"]
    assert shown == {"count": 100, "called_good": 0, "against": 50, "open": 0}
    for number in range(0, 1000, 20):
        evidence.verdict(str(number), "accept")
    shown = evidence.as_json()["permissive"]
    assert shown == {"count": 100, "called_good": 50, "against": 0, "open": 0}


def test_defects_that_a_candidate_rejects_are_no_overkill() -> None:
    """It rejects 5 % of the parts that the active one escalates, and persons call them defects."""
    evidence = Evidence(Limits(max_overkill_rise=0.01))
    for number in range(2000):
        unsure = number % 20 == 0
        evidence.add(
            pair(
                number,
                answer(0.5 if unsure else near(number)),
                answer(0.9 if unsure else near(number)),
            )
        )
        if unsure:
            evidence.verdict(str(number), "reject")
        assert evidence.broken() is None


def test_persons_decide_who_is_right_where_both_are_sure() -> None:
    right, wrong, led = Evidence(Limits(1)), Evidence(Limits(1)), Evidence(Limits(1))
    for number in range(40):
        for evidence in (right, wrong, led):
            # stricter and as often more permissive, so that no other guard minds
            a, c = (0.05, 0.9) if number % 2 else (0.9, 0.05)
            evidence.limits = Limits(10**6)
            evidence.add(pair(number, answer(a), answer(c)))
            candidate_says = "reject" if number % 2 else "accept"
            other = "accept" if number % 2 else "reject"
            said = candidate_says if evidence is right else other
            evidence.verdict(str(number), said, shown=evidence is led)
    assert not right.truths.sides.broken()
    assert wrong.truths.sides.broken()
    assert led.truths.sides.all.n == 0
    assert led.truths.escapes.broken()


def test_challenge_defects_that_it_accepts_end_it_and_count_nowhere_else() -> None:
    evidence = Evidence(LIMITS)
    for number in range(LIMITS.min_parts):
        evidence.add(pair(number, good(number), good(number)))
    parts = feed(
        evidence,
        100,
        lambda n: pair(n + 1000, answer(0.9), good(n), truth="defect"),
    )
    breach = evidence.broken()
    assert parts < 10
    assert breach is not None
    assert breach.code == "challenge"
    assert evidence.compared == LIMITS.min_parts


def test_the_line_s_own_instruments_have_a_word() -> None:
    evidence = Evidence(LIMITS)
    evidence.spot_checks("spot checks: more than 0.01 of the defects are accepted")
    breach = evidence.broken()
    assert breach is not None
    assert breach.code == "spot_check"


def test_a_fault_or_new_cuts_begin_the_count_anew() -> None:
    evidence = Evidence(LIMITS)
    no_cuts = Answer(0.1, "good", None, None, 5.0)
    for number in range(LIMITS.min_parts):
        evidence.add(pair(number, answer(0.1), no_cuts))
    assert evidence.lacking() is None
    evidence.add(pair(1000, answer(0.1), answer(0.1)))
    assert evidence.lacking() is not None
    for number in range(LIMITS.min_parts - 1):
        evidence.add(pair(2000 + number, answer(0.1), answer(0.1)))
    assert evidence.lacking() is None
    assert evidence.lacking(since=evidence.parts - 10) is not None
    evidence.death("candidate")
    assert evidence.lacking() is not None
    for number in range(LIMITS.min_parts):
        evidence.add(pair(3000 + number, answer(0.1), answer(0.1)))
    assert evidence.lacking() is None
    evidence.add(pair(4000, answer(0.1), answer(None, "not_ready")))
    assert evidence.lacking() is not None


def test_late_is_what_the_other_is_not() -> None:
    """Late for 5 % of the parts: alone that is too much, and as often as the other it is not."""
    dice = np.random.default_rng(3).random((4000, 2)) < 0.05
    alone, both = Evidence(LIMITS), Evidence(LIMITS)
    late = answer(None, "late")
    for number, (first, second) in enumerate(dice):
        ours = late if second else good(number)
        alone.add(pair(number, good(number), ours))
        both.add(pair(number, late if first else good(number), ours))
    breach = alone.broken()
    assert breach is not None
    assert breach.code == "late"
    assert both.broken() is None


def test_a_model_of_a_fraction_of_a_millisecond_is_never_too_slow() -> None:
    evidence = Evidence(LIMITS)
    tiny = Answer(0.1, "good", "accept", None, 0.1)
    slower = Answer(0.1, "good", "accept", None, 0.9)
    for number in range(1000):
        evidence.add(pair(number, tiny, slower))
    assert evidence.broken() is None


def test_a_part_that_both_reject_is_a_defect_until_a_person_says_otherwise() -> None:
    evidence = Evidence(LIMITS)
    for number in range(10):
        evidence.add(pair(number, answer(0.9), answer(0.95)))
    assert evidence.truths.escapes.all.n == 10
    evidence.verdict("3", "accept")
    evidence.verdict("4", "reject")
    assert evidence.truths.escapes.all.n == 9


def test_only_the_first_answer_about_a_part_counts_as_a_verdict() -> None:
    evidence = Evidence(LIMITS)
    evidence.add(pair(1, answer(0.5), good(1)))
    for _ in range(3):
        evidence.verdict("1", "reject")
    assert evidence.truths.verdicts == 1
    assert evidence.truths.escapes.all.n == 1


def test_where_the_candidate_decides_persons_vouch_by_what_they_said_before() -> None:
    """It rejects 6 % of the parts that the other escalates, three times the limit."""
    dice = np.random.default_rng(4).random(4000) < 0.06
    vouched, unknown = Evidence(LIMITS), Evidence(LIMITS)
    for number in range(4000):
        both = (answer(0.5), answer(0.9)) if dice[number] else (good(number), good(number))
        by: Side = "candidate" if number >= 2000 else "active"
        vouched.add(pair(number, *both, by=by))
        unknown.add(pair(number, *both, by="candidate"))
        if dice[number] and by == "active":
            vouched.verdict(str(number), "reject")
    assert vouched.broken() is None
    breach = unknown.broken()
    assert breach is not None
    assert breach.code == "overkill"


def test_a_restart_changes_nothing() -> None:
    score, dice = production(4), np.random.default_rng(4).random((3000, 3))
    whole, first = Evidence(LIMITS), Evidence(LIMITS)
    for number in range(3000):
        if number == 1500:
            second = Evidence(LIMITS)
            second.restore(json.loads(json.dumps(first.kept())))
        told = score(number)
        other = 0.05 if dice[number, 0] < 0.5 else told
        fault = "late" if dice[number, 1] < 0.001 else None
        one = pair(
            number, answer(told), answer(other, fault), "candidate" if number % 7 == 0 else "active"
        )
        for evidence in (whole, first if number < 1500 else second):
            evidence.add(one)
            if dice[number, 2] < 0.5 and number > 5:
                evidence.verdict(str(number - 5), "reject" if score(number - 5) > 0.5 else "accept")
    assert json.dumps(second.kept()) == json.dumps(whole.kept())
    assert second.as_json() == whole.as_json()


def test_what_is_remembered_of_parts_is_bounded() -> None:
    evidence = Evidence(LIMITS)
    for number in range(KNOWN + 500):
        evidence.add(pair(number, good(number), good(number)))
    kept = evidence.disagreement.kept()["parts"]
    assert isinstance(kept, list)
    assert len(kept) == KNOWN
    before = evidence.as_json()
    evidence.verdict("3", "reject")
    assert evidence.as_json() == before
