"""One calibration under watch: from records to bounds, alarms, sentences."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import numpy as np
import pytest

from edge.monitor.bounds import MOST_OPEN, Bounds, Wanted
from edge.monitor.watched import escape, figures, powers

WANTED = Wanted(0.01, 0.05, 0.95, 20)
NUMBERS = count()


def part(
    decision: str = "accept", drawn: bool = True, p: float = 0.5, **more: Any
) -> dict[str, Any]:
    return {
        "id": f"part-{next(NUMBERS)}",
        "decision": decision,
        "reason": "confident" if decision != "escalate" else "uncertain",
        "would_be": decision,
        "automation": "partial",
        "doubts": [],
        "tags": {},
        "truth": None,
        "spot_check": {"p": p, "drawn": drawn},
        **more,
    }


def challenge(truth: str, decision: str, **more: Any) -> dict[str, Any]:
    return part(decision, truth=truth, tags={"challenge": "c"}, spot_check=None, **more)


def answer(about: dict[str, Any], verdict: str) -> dict[str, Any]:
    return {"inspection": about["id"], "verdict": verdict}


def feed(bounds: Bounds, decision: str, verdict: str | None, times: int = 1, **more: Any) -> None:
    for _ in range(times):
        made = part(decision, **more)
        bounds.inspection(made)
        if verdict is not None:
            bounds.verdict(answer(made, verdict))


def sure_defects(bounds: Bounds, defects: int, prevalence: float, rate: float, seed: int) -> int:
    """Drawn parts with answers, of which `rate` of the defects escape; how many until an alarm."""
    dice = np.random.default_rng(seed)
    parts = 0
    found = 0
    while found < defects and not bounds.broken():
        gap = int(dice.geometric(prevalence))
        feed(bounds, "accept", "accept", gap - 1)
        parts += gap
        found += 1
        escaped = dice.random() < rate
        feed(bounds, "accept" if escaped else ("reject", "escalate")[found % 2], "reject")
    return parts


def test_ten_times_the_escapes_latch_within_the_spot_checks_that_are_predicted() -> None:
    """1 % of the parts are defects, 1 % of these may escape; then it is 10 %."""
    noticed = []
    for seed in range(5):
        bounds = Bounds(WANTED)
        sure_defects(bounds, 20, 0.01, 0.002, seed)
        assert bounds.broken() == {}
        (predicted,) = (
            one.looks
            for one in powers(bounds, 0.0)
            if one.instrument == "spot checks" and one.rate == pytest.approx(0.1)
        )
        sure_defects(bounds, predicted, 0.01, 0.1, 100 + seed)
        noticed.append("escape_bound" in bounds.broken())
    assert sum(noticed) >= 4


def test_ten_times_the_escapes_latch_within_the_challenge_parts_that_are_predicted() -> None:
    (predicted,) = (
        one.looks
        for one in powers(Bounds(WANTED), 0.0)
        if one.sentence.startswith("challenge parts: a tenfold escape")
    )
    noticed = 0
    for seed in range(40):
        bounds, dice = Bounds(WANTED), np.random.default_rng(seed)
        for _ in range(predicted):
            said = "accept" if dice.random() < 0.1 else "reject"
            bounds.inspection(challenge("defect", said))
        noticed += "challenge" in bounds.broken()
    assert noticed >= 34


def test_a_stable_year_of_checks_is_quiet() -> None:
    bounds = Bounds(Wanted(0.01, 0.05, 0.95, 20, max_slip=0.001))
    sure_defects(bounds, 73, 0.01, 0.01, 8)
    assert bounds.broken() == {}


def test_slip_is_watched_where_a_limit_is_given() -> None:
    bounds = Bounds(Wanted(0.01, 0.05, 0.95, 20, max_slip=0.0002))
    feed(bounds, "accept", "accept", 300)
    assert bounds.broken() == {}
    feed(bounds, "accept", "reject", 4)
    assert bounds.broken()["slip_bound"] == (
        "spot checks: more than 0.0002 of the accepted parts are defects"
    )


def test_an_alarm_stays_until_it_is_reset_and_begins_anew() -> None:
    bounds = Bounds(WANTED)
    for _ in range(10):
        bounds.inspection(challenge("defect", "accept"))
        bounds.inspection(challenge("good", "reject"))
    for _ in range(500):
        bounds.inspection(challenge("defect", "reject"))
    assert bounds.broken() == {
        "challenge": "challenge parts: more than 0.01 of the defects are accepted;"
        " challenge parts: more than 0.05 of the good parts are rejected"
    }
    bounds.reset("drift")
    assert "challenge" in bounds.broken()
    bounds.reset("challenge")
    assert bounds.broken() == {}


def test_a_knocked_camera_is_drift() -> None:
    bounds = Bounds(WANTED)
    for _ in range(60):
        bounds.inspection(part("escalate", doubts=[{"name": "unfamiliar"}], reason="doubt"))
    assert "outside the familiar range" in bounds.broken()["drift"]
    bounds.reset("drift")
    assert bounds.broken() == {}


def test_rates_count_parts_answers_and_errors() -> None:
    bounds = Bounds(WANTED)
    feed(bounds, "accept", "accept", 8)
    feed(bounds, "accept", "reject")
    feed(bounds, "accept", None, drawn=False, times=10)
    feed(bounds, "accept", None)
    feed(bounds, "reject", "reject", 3)
    feed(bounds, "reject", "accept")
    feed(bounds, "escalate", "reject", 2)
    slip, overkill, sampled = (bounds.rates[n] for n in ("slip", "overkill", "sampled"))
    assert (slip.seen, slip.answered, slip.unanswered, slip.found) == (20, 9, 1, 1)
    assert (overkill.seen, overkill.answered, overkill.found) == (4, 4, 1)
    assert (sampled.seen, sampled.answered, sampled.found) == (26, 15, 6)
    assert escape(bounds) == pytest.approx(1 / 6)


def test_unsure_and_unknown_answers_change_nothing() -> None:
    bounds = Bounds(WANTED)
    made = part()
    bounds.inspection(made)
    before = bounds.as_json()
    bounds.verdict(answer(made, "unsure"))
    bounds.verdict({"inspection": "x", "verdict": "reject"})
    assert bounds.as_json() == before
    assert bounds.open_checks == [made["id"]]
    bounds.verdict(answer(made, "accept"))
    assert bounds.open_checks == []
    after = bounds.as_json()
    bounds.verdict(answer(made, "reject"))
    assert bounds.as_json() == after, "the first answer counts"


def test_only_sure_answers_are_asked_about_besides() -> None:
    bounds = Bounds(WANTED)
    feed(bounds, "escalate", None)
    assert bounds.open_checks == []


def test_in_shadow_what_would_have_been_decided_is_watched() -> None:
    bounds = Bounds(WANTED)
    made = part("escalate", reason="automation", would_be="accept", automation="shadow")
    bounds.inspection(made)
    bounds.verdict(answer(made, "reject"))
    assert bounds.rates["slip"].found == 1
    assert bounds.open_checks == []
    bounds.inspection(challenge("defect", "escalate", reason="automation", would_be="accept"))
    assert bounds.rates["challenge_escape"].found == 1


def test_a_challenge_part_that_the_model_did_not_see_says_nothing() -> None:
    bounds = Bounds(WANTED)
    bounds.inspection(challenge("defect", "escalate", reason="automation", would_be=None))
    assert bounds.rates["challenge_escape"].seen == 0
    bounds.inspection(challenge("defect", "escalate", reason="doubt"))
    assert bounds.rates["challenge_escape"].seen == 1
    assert bounds.parts == 0, "they count in no production figure"


def test_checks_that_nobody_answers_are_forgotten_and_count_as_unanswered() -> None:
    bounds = Bounds(WANTED)
    feed(bounds, "accept", None, MOST_OPEN + 5)
    assert len(bounds.open_checks) == MOST_OPEN
    assert bounds.rates["slip"].unanswered == MOST_OPEN + 5


def test_it_goes_on_after_a_restart() -> None:
    bounds, again = Bounds(WANTED), Bounds(WANTED)
    feed(bounds, "accept", "reject", 3)
    feed(bounds, "reject", None, 2)
    bounds.inspection(challenge("defect", "accept"))
    again.restore(json.loads(json.dumps(bounds.as_json())))
    assert again.as_json() == bounds.as_json()
    made = part()
    for one in (bounds, again):
        one.inspection(made)
        one.verdict(answer(made, "reject"))
    assert again.as_json() == bounds.as_json()
    assert figures(again, 2.0) == figures(bounds, 2.0)


def test_the_figures_are_json_and_say_what_nobody_watches() -> None:
    bounds = Bounds(WANTED)
    feed(bounds, "accept", "accept", 50)
    feed(bounds, "accept", "reject")
    shown: dict[str, Any] = json.loads(json.dumps(figures(bounds, 2.0), allow_nan=False))
    assert shown["slip"]["answered"] == 51
    assert shown["slip"]["lower"] < 1 / 51 < shown["slip"]["upper"]
    assert shown["escape"] == {"target": 0.01, "estimate": 1.0}
    sentences = [one["sentence"] for one in shown["power"]]
    assert any("at a prevalence of 0.02, found so far" in text for text in sentences)
    assert sum("none come: this does not watch the target" in text for text in sentences) == 4


def test_at_first_the_prevalence_is_assumed_and_the_budget_is_believed() -> None:
    doubled = powers(Bounds(WANTED), 0.0)[0]
    assert doubled.days == pytest.approx(doubled.looks / (20 * 0.01))
    assert "prevalence of 0.01, assumed" in doubled.sentence
    assert doubled.sentence.endswith("this alone does not watch the target")


def test_without_a_budget_spot_checks_watch_nothing() -> None:
    doubled = powers(Bounds(Wanted(0.01, 0.05, 0.95, 0)), 0.0)[0]
    assert (doubled.days, doubled.watches) == (None, False)


def test_an_unanswered_reject_weighs_like_a_defect_that_was_caught() -> None:
    quiet, open_ = Bounds(WANTED), Bounds(WANTED)
    for bounds in (quiet, open_):
        feed(bounds, "accept", "reject", 2)
    feed(open_, "reject", None, 300)
    for bounds in (quiet, open_):
        feed(bounds, "accept", "reject", 2)
    assert "escape_bound" in quiet.broken()
    assert open_.broken() == {}


def test_no_alarm_about_slip_comes_from_checks_without_an_answer() -> None:
    bounds = Bounds(Wanted(0.01, 0.05, 0.95, 20, max_slip=0.001))
    feed(bounds, "accept", None, 50)
    assert bounds.broken() == {}


def test_looks_that_are_given_up_are_no_longer_kept() -> None:
    bounds = Bounds(WANTED)
    feed(bounds, "reject", None, MOST_OPEN + 20)
    late = bounds.watched["escape_bound"].as_json()["late"]
    assert isinstance(late, list)
    assert len(late) == MOST_OPEN


def test_challenge_parts_of_the_last_days_say_how_many_will_come() -> None:
    bounds = Bounds(WANTED)
    for _ in range(10):
        bounds.inspection(challenge("defect", "reject"))
    for days, told in ((0.1, "10 a day"), (4.0, "2.5 a day")):
        sentences = [one.sentence for one in powers(bounds, days)]
        assert sum(f"defective challenge parts, {told})" in text for text in sentences) == 2
