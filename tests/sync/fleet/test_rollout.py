import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.fleet.breach import by_chance, is_failed
from sync.fleet.following import AWAY_FROM_IT
from sync.fleet.plan import Plan, Thresholds, sizes
from tests.sync.fleet.lines import PLAN, Plant

OFFLINE_S = Thresholds().offline_s


def all_active(plant):
    for name, member in plant.members.items():
        if member.serial is not None:
            plant.lines[name].tries("active")


def test_a_wave_begins_when_the_one_before_has_succeeded():
    plant = Plant()
    plant.step()
    assert plant.of("assigned") == ["a/b/0"]
    plant.lines["a/b/0"].tries("canary", parts=500, share=0.25)
    plant.step()
    assert plant.of("waiting") == [f"a/b/{number}" for number in range(1, 6)]
    plant.lines["a/b/0"].tries("active")
    plant.step()
    assert plant.of("assigned") == ["a/b/1", "a/b/2"]
    all_active(plant)
    plant.step()
    assert plant.of("assigned") == ["a/b/3", "a/b/4", "a/b/5"]
    all_active(plant)
    plant.step()
    assert plant.rollout.state == "done"
    assert [order.action for order in plant.told] == ["run"] * 6


def test_a_trial_is_no_success_yet():
    plant = Plant()
    plant.step()
    line = plant.lines["a/b/0"]
    line.tries("active")
    line.say(running=replace(line.said.running, trial=50))
    plant.step()
    assert plant.of("trial") == ["a/b/0"]
    assert len(plant.of("waiting")) == 5


def test_in_shadow_success_is_evidence():
    plan = replace(PLAN, strategy="shadow")
    plant = Plant(plan=plan)
    plant.step()
    plant.lines["a/b/0"].tries("shadow", parts=plan.limits.min_parts - 1)
    plant.step()
    assert len(plant.of("waiting")) == 5
    plant.lines["a/b/0"].tries("shadow", parts=plan.limits.min_parts)
    plant.step()
    assert len(plant.of("waiting")) == 3


def test_who_may_not_promote_has_succeeded_at_the_last_step():
    plant = Plant(plan=replace(PLAN, promote=False, steps=(5.0, 50.0)))
    plant.step()
    plant.lines["a/b/0"].tries("canary", parts=500, share=0.05)
    plant.step()
    assert len(plant.of("waiting")) == 5
    plant.lines["a/b/0"].tries("canary", parts=500, share=0.5)
    plant.step()
    assert len(plant.of("waiting")) == 3


def test_a_failure_pauses_with_words_and_holds_who_is_under_way():
    plant = Plant(plan=replace(PLAN, waves=("3", "100%")))
    plant.step()
    plant.lines["a/b/1"].tries("canary", parts=10, share=0.05)
    plant.lines["a/b/0"].tries("rolled_back", code="nonsense")
    plant.step()
    assert plant.rollout.state == "paused"
    assert "1 of 3 failed" in plant.rollout.why
    assert "a/b/0 (nonsense)" in plant.rollout.why
    held = [order.station for order in plant.told if order.action == "pause"]
    assert held == ["a/b/1", "a/b/2"]
    assert not plant.step().orders


def test_resume_tries_only_the_failed_again():
    plant = Plant(plan=replace(PLAN, waves=("3", "100%")))
    plant.step()
    plant.lines["a/b/1"].tries("active")
    plant.lines["a/b/0"].tries("rejected", code="does_not_load")
    plant.step()
    plant.resume()
    orders = {order.station: order for order in plant.step().orders}
    assert set(orders) == {"a/b/0", "a/b/2"}
    assert orders["a/b/0"].again
    assert orders["a/b/0"].fresh
    assert not orders["a/b/2"].fresh
    # what it said of the attempt before does not count any more
    plant.lines["a/b/0"].hears()
    plant.step()
    assert plant.rollout.state == "running"
    plant.lines["a/b/0"].tries("rejected", code="does_not_load")
    plant.step()
    assert plant.rollout.state == "paused"


HARM = [{"escalations": 90}, {"overkill": 90}, {"permissive": 9}, {"deaths": 4}]


@pytest.mark.parametrize("counts", HARM, ids=lambda counts: next(iter(counts)))
def test_what_was_known_when_it_was_resumed_counts_no_more_and_new_harm_does(counts):
    plant = Plant(count=1, plan=replace(PLAN, waves=("100%",)))
    line = plant.lines["a/b/0"]
    plant.step()
    for times, parts in ((1, 300), (4, 900)):
        line.tries(
            "canary", parts=parts, share=0.05, **{name: times * n for name, n in counts.items()}
        )
        plant.step()
        assert plant.rollout.state == "paused"
        plant.resume()
        plant.step()
        assert plant.rollout.state == "running"
        line.tries(
            "canary",
            parts=parts + 300,
            share=0.05,
            **{name: times * n for name, n in counts.items()},
        )
        plant.step()
        assert plant.rollout.state == "running"


def test_a_station_that_counts_anew_is_judged_by_all_that_it_says():
    plant = Plant(count=1, plan=replace(PLAN, waves=("100%",)))
    plant.step()
    plant.lines["a/b/0"].tries("canary", parts=900, share=0.05, permissive=40)
    plant.step()
    plant.resume()
    plant.step()
    plant.lines["a/b/0"].tries("canary", parts=300, share=0.05, permissive=30)
    plant.step()
    assert plant.rollout.state == "paused"


def test_small_shifts_at_many_stations_are_seen_together():
    plant = Plant(plan=replace(PLAN, waves=("100%",)))
    plant.step()
    for line in plant.lines.values():
        line.tries("canary", parts=100, share=0.05, permissive=3)
    plant.step()
    assert plant.rollout.state == "paused"
    assert "18 of 600 parts" in plant.rollout.why


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"escalations": 160}, "escalates more"),
        ({"overkill": 130}, "rejects more good"),
        ({"permissive": 20}, "accepts parts"),
        ({"deaths": 4}, "died 4 times"),
    ],
)
def test_each_figure_of_the_lines_has_its_threshold(counts, words):
    plant = Plant(1)
    plant.step()
    plant.lines["a/b/0"].tries("shadow", parts=1000)
    plant.step()
    assert plant.rollout.state == "running"
    plant.lines["a/b/0"].tries("shadow", parts=1000, **counts)
    plant.step()
    assert words in plant.rollout.why


def test_what_chance_may_do_stops_nothing():
    plant = Plant(1)
    plant.step()
    plant.lines["a/b/0"].tries("shadow", parts=1000, permissive=7, escalations=60, overkill=30)
    plant.step()
    assert plant.rollout.state == "running"


@pytest.mark.parametrize(("n", "share"), [(30, 0.005), (1000, 0.005), (300, 0.3)])
def test_the_allowance_for_chance_is_never_too_small(n, share):
    for count in range(0, n + 1, max(1, n // 30)):
        exact = sum(
            math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(count, n + 1)
        )
        assert by_chance(count, n, share) >= min(exact, 1.0) - 1e-12


def test_few_parts_are_not_judged():
    plant = Plant(1)
    plant.step()
    plant.lines["a/b/0"].tries("shadow", parts=PLAN.limits.min_parts - 1, escalations=100)
    plant.step()
    assert plant.rollout.state == "running"


def test_who_is_away_does_not_block_for_ever():
    plant = Plant(plan=replace(PLAN, waves=("3", "100%")))
    plant.step()
    plant.lines["a/b/2"].offline_s = OFFLINE_S - 1
    plant.lines["a/b/0"].tries("active")
    plant.lines["a/b/1"].tries("active")
    plant.step()
    assert len(plant.of("waiting")) == 3
    plant.lines["a/b/2"].offline_s = OFFLINE_S
    plant.step()
    assert plant.of("waiting") == []
    for name in set(plant.lines) - {"a/b/2"}:
        plant.lines[name].tries("active")
    plant.step()
    assert plant.of("assigned") == ["a/b/2"]
    assert plant.rollout.state == "running", "its thresholds still hold for who comes back"
    plant.lines["a/b/2"].tries("active")
    plant.step()
    assert plant.rollout.state == "done"


def test_when_a_whole_wave_is_away_another_goes_in_its_place():
    plant = Plant()
    plant.lines["a/b/0"].offline_s = plant.lines["a/b/1"].offline_s = OFFLINE_S
    for _ in range(3):
        plant.step()
    assert [order.station for order in plant.told] == ["a/b/0", "a/b/2"]
    plant.lines["a/b/2"].tries("active")
    plant.step()
    assert plant.rollout.wave == 1
    assert plant.of("assigned") == ["a/b/0", "a/b/1"]


def test_labels_that_never_came_are_no_failure():
    plant = Plant()
    plant.step()
    plant.lines["a/b/0"].tries("rejected", code="not_calibrated")
    plant.step()
    assert plant.rollout.state == "running"


def test_a_station_that_waits_for_room_holds_up_nobody_and_goes_on_when_there_is():
    plant = Plant()
    plant.step()
    plant.lines["a/b/0"].tries("verified", code="no_space")
    for _ in range(3):
        plant.step()
    assert [order.station for order in plant.told] == ["a/b/0", "a/b/1"], "one, in its place"
    plant.lines["a/b/1"].tries("active")
    plant.step()
    assert (plant.rollout.state, plant.rollout.wave) == ("running", 1)
    for name in plant.of("assigned"):
        plant.lines[name].tries("active")
    for _ in range(3):
        plant.step()
    assert plant.rollout.state == "running", "it is still to come there"
    plant.lines["a/b/0"].tries("active")
    all_active(plant)
    for _ in range(3):
        plant.step()
        all_active(plant)
    assert plant.rollout.state == "done"


@pytest.mark.parametrize("code", ["not_calibrated", "wrong_clock"])
def test_a_wave_that_is_left_out_as_a_whole_holds_up_nobody(code):
    plant = Plant()
    plant.step()
    first = plant.lines["a/b/0"]
    first.tries("rejected", code=code) if code == "not_calibrated" else first.refuses(code)
    for _ in range(3):
        plant.step()
    assert [order.station for order in plant.told] == ["a/b/0", "a/b/1"], "one, in its place"
    plant.lines["a/b/1"].tries("active")
    plant.step()
    assert plant.rollout.wave == 1


def in_its_second_wave(plant):
    """A hundred stations, as `fleet push --help` has them; those of the second wave."""
    plant.step()
    all_active(plant)
    plant.step()
    return plant.of("assigned")


def test_a_wave_that_can_never_succeed_pauses_and_says_why():
    plant = Plant(100, Plan(("a/b/*",), waves=("1", "10%", "100%")))
    second = in_its_second_wave(plant)
    for name in second[:-1]:
        plant.lines[name].tries("active")
    plant.lines[second[-1]].tries("shadow")
    plant.step()
    plant.lines[second[0]].tries("rejected", code="golden_differs")
    plant.step()
    assert plant.rollout.state == "running", "one is still under way, and 1 of 10 may fail"
    plant.lines[second[-1]].tries("active")
    plant.step()
    assert plant.rollout.state == "paused"
    assert plant.rollout.why == (
        f"wave 2: 8 of 9 stations have it, and 90% must before the next begins: "
        f"not {second[0]} (golden_differs)"
    )
    plant.resume()
    plant.step()
    assert plant.rollout.state == "running"
    assert plant.of("assigned") == [second[0]]
    plant.lines[second[0]].tries("active")
    plant.step()
    assert plant.rollout.wave == 2


def test_one_that_is_away_is_not_waited_for_before_that_is_said():
    plant = Plant(100, Plan(("a/b/*",), waves=("1", "10%", "100%")))
    second = in_its_second_wave(plant)
    for name in second[2:]:
        plant.lines[name].tries("active")
    plant.lines[second[0]].tries("rejected", code="golden_differs")
    plant.step()
    assert plant.rollout.state == "running"
    plant.lines[second[1]].offline_s = OFFLINE_S
    plant.step()
    assert plant.rollout.state == "paused"


def test_the_last_wave_needs_no_share():
    plant = Plant(20, Plan(("a/b/*",), thresholds=Thresholds(max_failed=1.0)))
    plant.step()
    all_active(plant)
    for number in range(5):
        plant.lines[f"a/b/{number}"].tries("rejected", code="golden_differs")
    plant.step()
    assert plant.rollout.state == "done"


def test_a_pack_that_is_refused_fails_until_it_is_taken():
    plan = replace(PLAN, thresholds=Thresholds(max_failed=1.0))
    plant = Plant(plan=plan)
    line = plant.lines["a/b/0"]
    line.refuses("expired")
    plant.step()
    plant.step()
    assert plant.of("assigned") == ["a/b/0"], "it said so before it was assigned"
    line.refuses("wrong_key")
    plant.step()
    assert plant.members["a/b/0"].code == "wrong_key"
    assert is_failed(plant.members["a/b/0"])
    line.tries("shadow")
    plant.step()
    assert plant.of("shadow") == ["a/b/0"]


@pytest.mark.parametrize("code", ["wrong_clock", "expired", "not_stored"])
def test_a_station_whose_clock_or_disk_is_wrong_stops_nobody_and_goes_on_by_itself(code):
    plant = Plant(plan=replace(PLAN, waves=("2", "100%")))
    plant.step()
    plant.lines["a/b/0"].refuses(code)
    plant.lines["a/b/1"].tries("shadow")
    plant.step()
    assert plant.members["a/b/0"].code == code
    assert plant.rollout.state == "running"
    assert plant.of("waiting"), "nobody has succeeded yet"
    plant.lines["a/b/1"].tries("active")
    plant.step()
    assert plant.of("waiting") == []
    all_active(plant)
    plant.step()
    assert plant.rollout.state == "done"


def test_who_has_not_read_its_assignment_has_not_succeeded():
    plant = Plant()
    line = plant.lines["a/b/0"]
    line.told("r0", "run", True)
    line.tries("active")  # the same bundle, long before
    plant.step()
    plant.step()
    assert plant.of("assigned") == ["a/b/0"]
    line.hears()
    plant.step()
    assert plant.of("active") == ["a/b/0"]


def test_a_newer_roll_out_takes_its_stations():
    plant = Plant()
    plant.step()
    for name in ("a/b/0", "a/b/1"):
        plant.lines[name].named = True
    plant.step()
    assert plant.of("superseded") == ["a/b/1"], "a/b/0 goes on until it is assigned anew"
    plant.lines["a/b/0"].told("r2", "run", True)
    plant.step()
    assert plant.of("superseded") == ["a/b/0", "a/b/1"]
    assert plant.of("assigned") == ["a/b/2"]


def test_rollback_reaches_everybody_who_was_assigned():
    plant = Plant(plan=replace(PLAN, waves=("3", "100%")))
    plant.step()
    plant.lines["a/b/0"].tries("active")
    plant.lines["a/b/1"].tries("rejected", code="too_slow")
    plant.step()
    plant.rollout = replace(plant.rollout, state="rolled_back")
    orders = plant.step().orders
    assert [(one.station, one.action) for one in orders] == [
        ("a/b/0", "rollback"),
        ("a/b/2", "rollback"),
    ]
    assert plant.of("cancelled") == ["a/b/3", "a/b/4", "a/b/5"]
    assert not plant.step().orders
    plant.lines["a/b/0"].tries("rolled_back", code="ordered")
    plant.step()
    assert plant.of("rolled_back") == ["a/b/0"]


def test_cancelling_leaves_alone_who_has_it():
    plant = Plant(plan=replace(PLAN, waves=("3", "100%")))
    plant.step()
    plant.lines["a/b/0"].tries("active")
    plant.step()
    plant.rollout = replace(plant.rollout, state="cancelled")
    assert [one.station for one in plant.step().orders] == ["a/b/1", "a/b/2"]
    assert plant.of("active") == ["a/b/0"]


WORDS = st.sampled_from(
    [
        "hears", "downloading", "shadow", "needs_calibration", "canary", "active", "active",
        "rejected", "rolled_back", "refuses", "away", "back", "worse", "dies",
    ]
)  # fmt: skip


def act(line, word):
    """Whatever a station may do next."""
    if word == "away":
        line.offline_s = OFFLINE_S
    elif word == "back":
        line.offline_s = None
    elif word == "refuses":
        line.refuses("expired")
    elif line.serial == 0:
        return
    elif word == "hears":
        line.hears()
    elif word == "worse":
        line.tries("canary", parts=300, share=0.05, escalations=100)
    elif word == "dies":
        line.tries("canary", parts=3, share=0.05, deaths=2)
    else:
        line.tries(word, parts=300, share=1.0, code="slower")


@st.composite
def histories(draw):
    """Stations, a plan, and what happens at each step."""
    count = draw(st.integers(1, 12))
    waves = draw(st.sampled_from([("1", "100%"), ("1", "3", "100%"), ("10%", "50%", "100%")]))
    limits = Thresholds(
        success=draw(st.sampled_from([0.5, 1.0])), max_failed=draw(st.sampled_from([0.0, 0.1, 0.4]))
    )
    plan = Plan(("a/b/*",), waves=waves, thresholds=limits)
    number = st.integers(0, count - 1)
    events = st.lists(st.tuples(number, WORDS), max_size=4)
    person = st.sampled_from(["", "", "", "", "resume", "pause", "rolled_back", "cancelled"])
    return count, plan, draw(st.lists(st.tuples(events, person), max_size=15))


def in_trouble(plant):
    return [one for one in plant.members.values() if is_failed(one)]


@settings(max_examples=300)
@given(histories())
def test_whatever_happens(history):
    count, plan, steps = history
    plant = Plant(count, plan)
    ends = sizes(plan.waves, count)
    for events, person in steps:
        for number, word in events:
            act(plant.lines[f"a/b/{number}"], word)
        if person == "resume" and plant.rollout.state == "paused":
            plant.resume()
        elif person == "pause" and plant.rollout.state == "running":
            plant.rollout = replace(plant.rollout, state="paused")
        elif person in ("rolled_back", "cancelled"):
            plant.rollout = replace(plant.rollout, state=person)
        wave, serials = plant.rollout.wave, {name: one.serial for name, one in plant.lines.items()}
        decided = plant.step()
        judge(plant, decided, wave, serials, ends)


def judge(plant, decided, wave, serials, ends):
    """What must hold after every single step."""
    plan, rollout = plant.rollout.plan, plant.rollout
    assigned = [one for one in plant.members.values() if one.serial is not None]
    if rollout.state == "running":
        judged = [one for one in assigned if one.state not in AWAY_FROM_IT | {"waiting"}]
        assert len(in_trouble(plant)) <= plan.thresholds.max_failed * len(judged)
    began = [one for one in decided.orders if one.action == "run"]
    assert not began or rollout.state in ("running", "done")
    assert rollout.wave >= wave
    # nobody of a later wave; who stands in for an unreachable one is moved to this wave
    assert all(plant.members[one.station].wave <= rollout.wave for one in began)
    ordinary = ends[rollout.wave]
    stood_in = sum(1 for name, one in plant.members.items() if one.wave != first_wave(name, ends))
    assert len(assigned) <= ordinary + stood_in
    for name, line in plant.lines.items():
        assert line.serial - serials[name] in (0, 1)
        member = plant.members[name]
        assert member.serial is None or member.serial <= line.serial


def first_wave(name, ends):
    number = int(name.rsplit("/", 1)[1])
    return next(wave for wave, end in enumerate(ends) if number < end)
