"""What is in force: degree, limits, what is remembered over a restart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.decision.facts import Facts
from edge.records import Automation, Cuts, Degree
from edge.workers.ruler import STATE_DEGREE, STATE_LATCHED, Basis, Ruler
from tests.edge.workers.parts import ORIGIN, FakeClock

CUTS = Cuts(0.1, 0.9)


class Bench:
    """A ruler and the state that a database would keep."""

    def __init__(self, ceiling: Degree = "full") -> None:
        self.clock = FakeClock()
        self.kept: dict[str, str] = {}
        self.basis = Basis(ceiling, True, CUTS, None)
        self.ruler = self.start()

    def start(self) -> Ruler:
        self.ruler = Ruler(self.basis, ORIGIN, self.clock.new_id, self.kept.get)
        return self.ruler

    def look(self, **facts: Any) -> list[Automation]:
        self.clock.move(1)
        made = self.ruler.look(Facts(**facts), self.clock.moment())
        if made:
            self.kept.update(self.ruler.state())
        assert all(isinstance(one, Automation) for one in made)
        return made  # type: ignore[return-value]

    def choose(self, degree: Degree) -> Automation:
        made = self.ruler.choose(degree, "because", "anna", "root", "r-1", self.clock.moment())
        self.kept.update(self.ruler.state())
        return made


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_ceiling_is_in_force_where_nothing_holds_it_down(bench: Bench) -> None:
    assert bench.look() == []
    assert bench.ruler.now.degree == "full"
    assert bench.ruler.ruling.degree == "full"
    assert bench.ruler.ruling.cuts is CUTS


def test_a_live_limit_comes_and_goes_with_its_cause_and_each_is_a_record(bench: Bench) -> None:
    (came,) = bench.look(no_cuts="none yet")
    assert (came.action, came.limit, came.in_force) == ("limit", "no_calibration", "shadow")
    assert bench.look(no_cuts="none yet") == []
    (went,) = bench.look()
    assert (went.action, went.limit, went.in_force) == ("end", "no_calibration", "full")


def test_a_person_can_lower_the_degree_and_never_lift_it_above_ceiling_or_limit() -> None:
    bench = Bench("partial")
    assert bench.choose("full").in_force == "partial"
    made = bench.choose("assist")
    assert (made.degree, made.in_force, made.by, made.account) == (
        "assist", "assist", "anna", "root"
    )  # fmt: skip
    bench.look(no_cuts="none yet")
    assert bench.choose("full").in_force == "shadow"


def test_what_a_person_set_survives_a_restart(bench: Bench) -> None:
    bench.choose("assist")
    assert bench.start().now.degree == "assist"
    assert bench.ruler.now.why == "set by a person"


def test_a_latched_limit_survives_its_cause_and_a_restart(bench: Bench) -> None:
    for _ in range(4):
        bench.look(away_s=10.0)
        bench.look()
    assert [limit.name for limit in bench.ruler.limits] == ["unsteady"]
    assert bench.ruler.now.degree == "assist"
    bench.start()
    assert [(limit.name, limit.latched) for limit in bench.ruler.limits] == [("unsteady", True)]
    assert bench.ruler.now.degree == "assist"
    assert bench.look() == []


def test_a_live_limit_does_not_survive_a_restart(bench: Bench) -> None:
    bench.look(away_s=10.0)
    assert bench.ruler.now.degree == "human_only"
    assert bench.start().now.degree == "full"


@pytest.mark.parametrize("text", ["", "{", "7", "null", "[1]", '[["a"]]', '"text"', "[[]]"])
def test_a_state_that_cannot_be_read_holds_automation_down(bench: Bench, text: str) -> None:
    bench.kept[STATE_LATCHED] = text
    assert bench.start().now.degree == "shadow"


def test_a_degree_of_another_version_frees_nobody(bench: Bench) -> None:
    bench.kept[STATE_DEGREE] = "supervised"
    assert bench.start().now.degree == "shadow"
    bench.kept = {STATE_LATCHED: json.dumps([["drift", "cautious", "moved"]])}
    assert bench.start().now.degree == "shadow"
    assert bench.ruler.now.why == "drift: moved"


TYPED = Cuts(0.5, 0.5, certified=False)


def test_the_first_ruling_knows_the_live_limits_before_the_first_look(bench: Bench) -> None:
    typed = Basis("full", True, TYPED, None)
    ruler = Ruler(typed, ORIGIN, bench.clock.new_id, bench.kept.get)
    assert ruler.ruling.degree == "shadow"
    facts = Facts(unconfirmed=("colour",))
    ruler = Ruler(bench.basis, ORIGIN, bench.clock.new_id, bench.kept.get, facts)
    assert ruler.ruling.degree == "shadow"
    (came,) = ruler.look(facts, bench.clock.moment())
    assert isinstance(came, Automation)
    assert came.limit == "unconfirmed"


def test_cuts_just_applied_are_held_by_their_own_limits_at_once(bench: Bench) -> None:
    bench.look()
    bench.ruler.basis = Basis("full", True, TYPED, None)
    assert (bench.ruler.ruling.degree, bench.ruler.ruling.cuts) == ("shadow", TYPED)
    (came,) = bench.look()
    assert came.limit == "uncertified"
