"""Drift of the pictures and of the scores."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edge.monitor.drift import Drift, unsure_limit


def test_a_stable_line_drifts_nowhere() -> None:
    drift, dice = Drift(0.1), np.random.default_rng(1)
    for unfamiliar, unsure in dice.random((20_000, 2)) < (0.001, 0.1):
        drift.see(bool(unfamiliar), bool(unsure))
    assert drift.reason is None
    assert drift.figures()["unsure"] == {
        "parts": 20_000,
        "share": pytest.approx(0.1, abs=0.01),
        "limit": 0.25,
    }


def test_a_camera_that_was_knocked_is_noticed_within_the_hour() -> None:
    drift = Drift()
    for _ in range(5_000):
        drift.see(False, False)
    for number in range(30):
        drift.see(number % 2 == 0, None)
    assert drift.reason is None or "pictures" in drift.reason
    for number in range(30):
        drift.see(number % 2 == 0, None)
    assert drift.reason == (
        "more than 5% of the parts have pictures outside the familiar range of the calibration"
    )
    drift.reset()
    assert drift.reason is None
    drift.see(True, None)
    assert drift.reason is None


def test_scores_that_leave_the_cuts_are_noticed() -> None:
    drift = Drift(0.02)
    for _ in range(200):
        drift.see(False, True)
    assert drift.reason == "more than 9% of the parts have scores between the cuts"


def test_the_limit_for_unsure_parts_follows_the_calibration() -> None:
    assert unsure_limit(None) == 0.5
    assert unsure_limit(0.0) == 0.05
    assert unsure_limit(0.8) == 0.9


def test_it_goes_on_after_a_restart() -> None:
    drift, again = Drift(0.1), Drift(0.1)
    for _ in range(10):
        drift.see(True, True)
    again.restore(json.loads(json.dumps(drift.as_json())))
    assert again.as_json() == drift.as_json()
    assert again.reason == drift.reason
    with pytest.raises(ValueError, match="another version"):
        again.restore({**drift.as_json(), "sums": {"unfamiliar": [1.0], "unsure": [1.0]}})
