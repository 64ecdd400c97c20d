import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.fleet import plan as plans
from sync.fleet.plan import Plan, PlanError, Thresholds, matches, sizes, waves_of

STATIONS = st.sets(st.from_regex(r"[a-c]/[a-c]/[a-z]{1,3}", fullmatch=True), max_size=40)
WAVES = st.lists(
    st.one_of(st.integers(1, 60).map(str), st.floats(0.1, 99).map(lambda share: f"{share:.1f}%")),
    max_size=5,
).map(lambda first: [*first, "100%"])


def test_waves_are_counts_and_shares():
    assert sizes(["1", "10%", "100%"], 100) == [1, 10, 100]
    assert sizes(["1", "10%", "100%"], 5) == [1, 1, 5]
    assert sizes(["7", "100%"], 3) == [3, 3]
    assert sizes(["100%"], 0) == [0]


@given(STATIONS, WAVES, st.text(max_size=5))
def test_everybody_is_in_one_wave_and_no_wave_is_larger_than_was_asked_for(names, waves, salt):
    placed = waves_of(names, waves, salt)
    assert set(placed) == names
    for wave, end in enumerate(sizes(waves, len(names))):
        assert sum(1 for one in placed.values() if one <= wave) == end


def test_who_is_here_goes_first_and_the_first_is_not_always_the_same():
    names = [f"a/b/{number}" for number in range(20)]
    here = names[10:]
    placed = waves_of(names, ["10", "100%"], "x", here)
    assert sorted(name for name in names if placed[name] == 0) == sorted(here)
    first = {
        min(waves_of(names, ["1", "100%"], str(salt)).items(), key=lambda one: one[1])[0]
        for salt in range(30)
    }
    assert len(first) > 5


@pytest.mark.parametrize(
    "waves",
    [[], ["1"], ["0", "100%"], ["0%", "100%"], ["101%", "100%"], ["x", "100%"], ["100%"] * 51],
)
def test_waves_that_are_none(waves):
    with pytest.raises(PlanError):
        sizes(waves, 10)


def test_targets_do_not_reach_over_a_slash():
    assert matches(["plant-a/*/*"], "plant-a/line-3/caps")
    assert not matches(["plant-a/*/*"], "plant-ab/line-3/caps")
    assert not matches(["*/caps/*"], "plant-a/line-3/caps")
    assert matches(["plant-?/line-3/c*"], "plant-b/line-3/caps")


def test_a_plan_comes_back_as_it_was_written():
    plan = Plan(("a/*/*",), "shadow", (10.0,), waves=("1", "100%"), thresholds=Thresholds(0.2))
    assert plans.parse(plan.as_text()) == plan


@pytest.mark.parametrize(
    "wrong",
    [
        {"targets": []},
        {"targets": ["a/b"]},
        {"targets": ["a/+/c"]},
        {"strategy": "hope"},
        {"steps": [25, 5]},
        {"steps": ["x"]},
        {"steps": 5},
        {"waves": ["1"]},
        {"thresholds": {"max_failed": -1}},
        {"thresholds": {"max_failed": "all"}},
        {"thresholds": {"unheard": 1}},
        {"thresholds": {"success": 1.5}},
        {"thresholds": {"max_deaths": float("inf")}},
        {"targets": [3]},
        {"waves": 3},
        {"limits": 3},
        {"unheard": 1},
    ],
)
def test_a_plan_that_is_none(wrong):
    content = json.loads(Plan(("a/*/*",)).as_text()) | wrong
    with pytest.raises(PlanError):
        plans.parse(json.dumps(content))


@given(st.text(max_size=40))
def test_no_text_gives_anything_but_a_plan_error(text):
    with pytest.raises(PlanError):
        plans.parse(text)
