"""What instruments say of themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.monitor.change import looks_until_noticed
from edge.monitor.power import Instrument, least_answers, least_looks, power

CHALLENGE = Instrument(
    "challenge parts", "escape rate", "defective challenge parts", 0.01, 10_000.0, 200.0
)


def test_the_example_of_the_design() -> None:
    assert least_looks(0.01, 0.02) == pytest.approx(765, abs=1)
    assert least_answers(0.01, 0.02, prevalence=0.01) == pytest.approx(69_000, rel=0.01)


def test_what_would_be_noticed_in_time() -> None:
    doubled, tenfold = power(CHALLENGE)
    assert (doubled.rate, doubled.looks) == (0.02, looks_until_noticed(0.01, 0.02, 10_000.0))
    assert doubled.watches
    assert doubled.sentence == (
        "challenge parts: a doubled escape rate (0.02 instead of 0.01) would be noticed in about"
        f" 9 days ({doubled.looks:,} defective challenge parts, 200 a day)"
    )
    assert (tenfold.looks < doubled.looks, tenfold.days is not None) == (True, True)
    assert "a tenfold escape rate (0.1 instead of 0.01) would be noticed in about a day" in (
        tenfold.sentence
    )


def test_over_thirty_days_it_says_that_this_alone_does_not_watch() -> None:
    slow = power(replace(CHALLENGE, looks_a_day=2.0))[0]
    assert not slow.watches
    assert slow.sentence.endswith("this alone does not watch the target")


def test_without_looks_there_is_no_watch() -> None:
    none = power(replace(CHALLENGE, looks_a_day=0.0))[0]
    assert (none.days, none.watches) == (None, False)
    assert none.sentence == (
        "challenge parts: a doubled escape rate (0.02 instead of 0.01) would take"
        f" {none.looks:,} defective challenge parts, and none come: this does not watch the target"
    )
    assert none.as_json()["days"] is None


def test_a_rate_cannot_rise_above_one() -> None:
    assert [one.rate for one in power(replace(CHALLENGE, limit=0.6))] == [1.0, 1.0]
