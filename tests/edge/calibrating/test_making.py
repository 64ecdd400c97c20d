"""From known parts to a calibration: what it says, what it refuses, what it may be called."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge.calibrating.gathered import Gathered, fingerprint
from edge.calibrating.making import About, Wishes, as_file, as_json, hours_needed, make
from edge.calibrations import Binding
from edge.decision.calibration import Targets
from edge.decision.evidence import LeftOut, Samples

ABOUT = About(
    "id-1", "2026-11-20T12:00:00.000Z", "a/b/c", Binding("b", "r", "m", "v"), "rings", "1"
)
WISHES = Wishes(Targets(), 0.01, 1200.0, "anna", "new lamp", "said")


def gathered(good: int = 1000, defect: int = 400, **more: Any) -> Gathered:
    scores = np.concatenate([np.full(good, 0.1), np.full(defect, 0.9)])
    samples = Samples(scores, np.repeat([False, True], [good, defect]))
    return Gathered("pictures", "data", samples, fingerprint(samples), **more)


def test_the_worked_example_of_the_issue() -> None:
    evidence = make(gathered(1000, 60), ABOUT, WISHES, 0)
    assert evidence.result is None
    assert round(evidence.tightest["escape"], 4) == 0.0596
    assert evidence.needed == {"good": 0, "defect": 308}
    assert not evidence.certified
    assert evidence.only_needed == {"accept": 299 - 60, "reject": 0}
    assert hours_needed(evidence) == pytest.approx(308 / 12)
    shown = as_json(evidence)
    assert (shown["accept_below"], shown["reject_above"]) == (None, None)
    assert shown["escape"] == {"target": 0.01, "observed": None, "upper_bound": None}


@pytest.mark.parametrize(
    ("good", "defect", "rate", "prevalence", "hours"),
    [
        (100, 60, 1200.0, 0.01, 308 / 12),
        (100, 400, 100.0, 0.2, 268 / 80),
        (100, 400, 100.0, None, 2.68),
        (1000, 60, 1200.0, None, None),
        (1000, 60, None, 0.01, None),
        (1000, 60, 0.0, 0.01, None),
        (100, 400, 100.0, 1.0, None),
    ],
)
def test_the_time_that_the_missing_parts_take(
    good: int, defect: int, rate: float | None, prevalence: float | None, hours: float | None
) -> None:
    wishes = replace(WISHES, rate_per_hour=rate, prevalence=prevalence)
    found = hours_needed(make(gathered(good, defect), ABOUT, wishes, 0))
    assert found == (None if hours is None else pytest.approx(hours))


def test_every_field_of_the_design_is_there() -> None:
    evidence = make(gathered(), ABOUT, WISHES, 3)
    shown = json.loads(json.dumps(as_json(evidence), allow_nan=False))
    assert {
        "schema", "id", "bundle", "runtime", "view", "accept_below", "reject_above", "confidence",
        "certified", "n_good", "n_defect", "escape", "overkill", "automation", "tightest",
        "needed", "types",
    } <= shown.keys()  # fmt: skip
    assert shown["certified"] is True
    assert (shown["accept_below"], shown["reject_above"]) == (0.5, 0.5)
    assert shown["automation"] == {"good": 1.0, "defect": 1.0, "at_prevalence": 1.0}
    assert (shown["n_good"], shown["n_defect"], shown["tries"]) == (1000, 400, 3)
    assert (shown["by"], shown["reason"], shown["not_trained_on_these"]) == (
        "anna", "new lamp", "said",
    )  # fmt: skip


def test_the_file_has_the_familiar_range_and_what_was_left_out() -> None:
    left = LeftOut("damaged: truncated", 2, ("a.jpg",))
    found = gathered(left_out=(left,), familiar={"count": 20})
    about = replace(ABOUT, made_with={"roi": None})
    content = as_file(make(found, about, WISHES, 0), found, about)
    assert content["familiar"] == {"count": 20}
    assert content["made_with"] == {"roi": None}
    assert content["left_out"] == [
        {"why": "damaged: truncated", "count": 2, "examples": ("a.jpg",)}
    ]
    assert "familiar" not in as_file(make(gathered(), about, WISHES, 0), gathered(), about)


@pytest.mark.parametrize(
    ("found", "about", "wishes", "because"),
    [
        (gathered(doubtful=("3 pictures of another size",)), ABOUT, WISHES, "another size"),
        (gathered(), replace(ABOUT, binding=None), WISHES, "no station"),
        (gathered(), ABOUT, replace(WISHES, training="unsaid"), "--not-trained-on-these"),
    ],
)
def test_what_nothing_vouches_for_is_not_certified(
    found: Gathered, about: About, wishes: Wishes, because: str
) -> None:
    evidence = make(found, about, wishes, 0)
    assert evidence.result is not None
    assert not evidence.certified
    assert because in evidence.uncertified_because[0]
    assert make(gathered(), ABOUT, WISHES, 0).certified


def test_the_same_parts_in_another_order_are_the_same_parts() -> None:
    generator = np.random.default_rng(1)
    scores, defect = generator.random(50), generator.random(50) < 0.5
    order = generator.permutation(50)
    one = Samples(scores, defect)
    other = Samples(scores[order], defect[order])
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(Samples(scores, ~defect))
    named = replace(one, sha256=tuple(str(n) for n in range(50)))
    turned = replace(other, sha256=tuple(str(n) for n in order))
    assert fingerprint(named) == fingerprint(turned) != fingerprint(one)
