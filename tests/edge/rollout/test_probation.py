"""The one table: every state with every event, and what is remembered."""

import json

import pytest

from edge.rollout.probation import (
    BEFORE,
    ENDED,
    EVENTS,
    STATES,
    TABLE,
    Impossible,
    after,
    from_json,
    orders,
)
from sync.assignment import Assignment, BundleFile, Limits
from tests.edge.rollout.candidates import probation

GRID = """
                   download    arrive   prove  shadow lack              calibrate share  promote settle order             lose     fail        rollback    cancel    supersede
assigned           downloading verified -      -      -                 -         -      -       -      assigned          -        rejected    cancelled   cancelled superseded
downloading        -           verified -      -      -                 -         -      -       -      downloading       -        rejected    cancelled   cancelled superseded
verified           -           -        proved -      -                 -         -      -       -      verified          -        rejected    cancelled   cancelled superseded
proved             -           -        -      shadow -                 -         -      -       -      proved            verified rejected    cancelled   cancelled superseded
shadow             -           -        -      -      needs_calibration shadow    canary active  -      shadow            verified rejected    cancelled   cancelled superseded
needs_calibration  -           -        -      -      needs_calibration shadow    -      -       -      needs_calibration verified rejected    cancelled   cancelled superseded
canary             -           -        -      -      needs_calibration -         canary active  -      canary            verified rolled_back rolled_back cancelled superseded
active             -           -        -      -      -                 -         -      -       active active            -        rolled_back rolled_back -         -
rejected           -           -        -      -      -                 -         -      -       -      -                 -        -           -           -         -
rolled_back        -           -        -      -      -                 -         -      -       -      -                 -        -           -           -         -
superseded         -           -        -      -      -                 -         -      -       -      -                 -        -           -           -         -
cancelled          -           -        -      -      -                 -         -      -       -      -                 -        -           -           -         -
"""  # noqa: E501


def cells():
    header, *lines = GRID.strip("\n").splitlines()
    for line in lines:
        state, *results = line.split()
        yield from ((state, event, to) for event, to in zip(header.split(), results, strict=True))


def test_the_grid_names_every_state_and_every_event():
    told = list(cells())
    assert {(state, event) for state, event, _ in told} == {
        (state, event) for state in STATES for event in EVENTS
    }


@pytest.mark.parametrize(("state", "event", "to"), list(cells()))
def test_every_state_with_every_event(state, event, to):
    if to == "-":
        with pytest.raises(Impossible, match=event):
            after(state, event)
    else:
        assert after(state, event) == to


def test_only_who_shared_or_watched_can_become_active():
    assert {state for (state, _), to in TABLE.items() if to == "active"} == {
        "shadow",
        "canary",
        "active",
    }


def test_every_candidate_can_be_stopped_at_any_point():
    for state in BEFORE:
        for event in ("cancel", "supersede", "rollback", "fail"):
            assert after(state, event) in ENDED


def test_nothing_happens_to_one_that_has_settled():
    active = probation(state="active", trial=500)
    settled = active.after("settle", 9.0, trial=None)
    assert settled.over
    with pytest.raises(Impossible):
        settled.after("fail", 10.0)


def test_its_share_follows_its_state_and_step():
    shadow = probation(state="shadow", steps=(5.0, 25.0))
    canary = shadow.after("share", 1.0)
    assert (shadow.share, canary.share) == (0.0, 0.05)
    assert canary.after("share", 2.0, step=1).share == 0.25
    assert canary.after("promote", 3.0, trial=5).share == 1.0


def test_since_is_when_it_came_into_its_state_and_a_reason_ends_with_its_event():
    waiting = probation(state="shadow").after("lack", 5.0, code="not_calibrated", why="labels")
    again = waiting.after("lack", 7.0, needed=(1, 2))
    assert (again.since, again.needed, again.code, again.why) == (5.0, (1, 2), None, None)
    assert again.after("calibrate", 8.0).since == 8.0


@pytest.mark.parametrize("state", STATES)
def test_it_is_remembered_as_it_was(state):
    one = probation(
        state=state,
        slot="b",
        needed=(3, 4),
        until=99.5,
        steps=(10.0,),
        limits=Limits(min_parts=7),
        trial=5 if state == "active" else None,
    )
    assert from_json(json.loads(json.dumps(one.as_json()))) == one


@pytest.mark.parametrize(
    "spoil",
    [
        {"state": "dancing"},
        {"step": 7},
        {"orders": None},
        {"orders": {}},
        {"needed": [1]},
        {"needed": 5},
    ],
)
def test_what_is_no_probation_is_refused(spoil):
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError, IndexError)):
        from_json({**probation().as_json(), **spoil})


def test_the_orders_of_an_assignment():
    file = BundleFile("rings", "1.1.0", "c" * 64, "bundles/x.zip", "d" * 64, 10, 10, ("e" * 64,))
    said = Assignment(
        "a/b/c",
        4,
        "r9",
        "2026-01-01T00:00:00Z",
        "k.ito",
        "pause",
        file,
        "blue-green",
        promote=False,
    )
    given = orders(said)
    assert (given.serial, given.rollout, given.by, given.file) == (
        4,
        "r9",
        "k.ito",
        f"{'d' * 64}.zip",
    )
    assert (given.strategy, given.promote, given.rest) == ("blue-green", False, True)
    assert given.source is None
