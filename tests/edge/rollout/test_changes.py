"""What happens to the models of a station: by hand, and by every order of events that there is."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.rollout.changes import (
    MOST_REFUSED,
    Word,
    begin,
    calibrated,
    configured,
    give_up,
    move,
)
from edge.rollout.probation import EVENTS, Impossible
from edge.rollout.standing import NOTHING, remembered
from tests.edge.rollout.candidates import (
    FLEET,
    changes_of,
    digest,
    place,
    probation,
    reach,
    settled,
    standing,
    with_previous,
)


def test_promotion_switches_bundle_and_calibration_in_one_change():
    before = calibrated(reach("canary"), "cal-f", "f" * 64)
    now = move(before, "promote", 5.0, trial=500).standing
    assert (now.active.digest, now.active.calibration) == (digest("c"), "cal-c")
    assert (now.previous.digest, now.previous.calibration) == (digest("f"), "cal-f")
    assert now.active.slot == "a"
    assert now.on_trial


def test_a_return_gives_both_back_and_refuses_the_digest():
    before = move(calibrated(reach("canary"), "cal-f", "f" * 64), "promote", 5.0, trial=9).standing
    change = move(before, "fail", 6.0, code="died", why="three times")
    now = change.standing
    assert (now.active.slot, now.active.digest) == ("factory", digest("f"))
    assert (now.active.calibration, now.active.calibration_sha256) == ("cal-f", "f" * 64)
    assert now.candidate is None
    assert now.last.state == "rolled_back"
    assert now.refused[digest("c")].code == "died"
    (step,) = change.steps
    assert (step.before, step.probation.state, step.probation.code) == (
        "active",
        "rolled_back",
        "died",
    )


def test_the_previous_bundle_is_forgotten_before_its_slot_is_written_over():
    now = settled("d", 2, settled("c", 1))
    assert (now.active.slot, now.previous.slot) == ("b", "a")
    coming = reach("verified", "e", 3, now)
    assert coming.candidate.slot == "a"
    assert coming.previous is None
    assert coming.back.slot == "factory"


def test_a_slot_that_is_free_is_taken_before_that_of_the_previous_bundle():
    assert reach("verified", start=with_previous("d")).candidate.slot == "a"
    assert reach("verified", start=with_previous("d")).previous is not None


def test_a_newer_assignment_supersedes_an_open_candidate():
    change = begin(reach("shadow"), probation("d", 2), FLEET)
    first, second = change.steps
    assert (first.event, first.probation.state, first.word) == ("supersede", "superseded", FLEET)
    assert (second.event, second.before, second.probation.digest) == ("assign", None, digest("d"))
    assert change.standing.seen == 2


def test_nothing_new_begins_during_a_trial():
    with pytest.raises(Impossible):
        begin(reach("active"), probation("d", 2), FLEET)


@pytest.mark.parametrize(
    ("serial", "again", "code", "comes"),
    [
        (1, True, "died", False),
        (2, False, "died", False),
        (2, True, "died", True),
        (2, False, "no_space", True),
        (1, True, "no_space", False),
        (2, False, "not_calibrated", True),
    ],
)
def test_when_a_refused_digest_may_come_again(serial, again, code, comes):
    refused = move(reach("shadow"), "fail", 2.0, code=code, why="words").standing
    change = begin(refused, probation("c", serial), FLEET, again=again)
    if comes:
        assert change.standing.candidate.state == "assigned"
        assert digest("c") not in change.standing.refused
    else:
        assert change.standing.candidate is None
        assert change.standing.last.code == "rolled_back_before"
        assert change.standing.refused[digest("c")].code == code
        assert "words" in change.standing.last.why


def test_a_person_may_try_a_refused_digest_again():
    refused = move(reach("shadow"), "fail", 2.0, code="died").standing
    typed = probation("c", 1, "verified", source="model.zip")
    assert begin(refused, typed, FLEET).standing.candidate is None
    assert begin(refused, typed, FLEET, again=True).standing.candidate.slot == "a"


def test_the_oldest_refusals_are_forgotten_first():
    now = standing()
    for number in range(MOST_REFUSED + 5):
        new = replace(probation("c", number + 1), digest=f"{number:064x}")
        now = move(begin(now, new, FLEET).standing, "fail", 1.0, code="died").standing
    assert len(now.refused) == MOST_REFUSED
    assert f"{4:064x}" not in now.refused
    assert f"{5:064x}" in now.refused


def test_a_model_that_has_settled_can_still_go():
    now = calibrated(settled(), "cal-new", "e" * 64)
    change = give_up(now, "died", "three times in a minute", 9.0, "new-id")
    assert change.standing.active.digest == digest("f")
    assert change.standing.refused[digest("c")].code == "died"
    (step,) = change.steps
    assert (step.event, step.probation.orders.serial, step.probation.calibration) == (
        "fail",
        1,
        "cal-new",
    )


def test_an_open_candidate_stays_when_the_active_model_goes():
    now = reach("shadow", "d", 2, settled())
    change = give_up(now, "ordered", "by hand", 9.0, "new-id", Word("m.roth"))
    assert change.standing.candidate == now.candidate
    assert change.standing.active.digest == digest("f")
    assert change.steps[0].event == "rollback"


def test_without_another_model_there_is_nothing_to_go_back_to():
    with pytest.raises(Impossible, match="no other model"):
        give_up(standing(), "died", "", 1.0, "id")
    alone = standing(active=place("c", "a"), factory=NOTHING)
    with pytest.raises(Impossible, match="no other model"):
        give_up(alone, "died", "", 1.0, "id")


def test_a_station_without_a_model_has_none_again():
    now = reach("active", start=standing(active=NOTHING, factory=NOTHING))
    assert move(now, "fail", 2.0, code="died").standing.active.digest == ""


def test_the_bundle_that_a_person_configures_is_active():
    now = replace(reach("active"), factory=place("g"))
    change = configured(now, 9.0)
    assert change.standing.active.digest == digest("g")
    assert change.standing.candidate is None
    assert change.standing.last.state == "active"
    beside = configured(replace(reach("canary"), factory=place("g")), 9.0).standing
    assert beside.last.state == "superseded"


def test_what_cannot_be_read_is_not_there_and_the_factory_bundle_runs():
    kept = reach("active").state()
    assert remembered(kept.get, place()) == reach("active")
    for key in kept:
        for text in ("", "null", "7", "[]", '{"slot": "c"}', "{", '"x"', "[" * 5000):
            found = remembered({**kept, key: text}.get, place())
            assert found.active.digest in (digest("c"), digest("f"))
    lost = remembered({**kept, "rollout.active": "lost", "rollout.seen": "lost"}.get, place())
    assert (lost.active, lost.candidate, lost.seen) == (place(), None, None)


LETTERS = "cdef"
NEW = st.tuples(
    st.just("new"),
    st.sampled_from(LETTERS),
    st.integers(1, 6),
    st.booleans(),
    st.booleans(),
)
HAPPENS = st.tuples(st.just("event"), st.sampled_from(EVENTS))
OTHERS = st.tuples(st.sampled_from(("give_up", "rollback", "configured", "calibrate")))


class Station:
    """A station with two slots on a disk: what the steward does, as far as this file decides."""

    def __init__(self):
        self.now = standing()
        self.disk = {"factory": digest("f")}
        self.refused = {}

    def new(self, letter, serial, again, typed):
        serial = (self.now.seen or 0) if typed else serial
        if not typed and serial <= (self.now.seen or 0):
            return
        source = "model.zip" if typed else None
        coming = probation(letter, serial, "verified" if typed else "assigned", source)
        known = self.refused.get(digest(letter))
        self.take(begin(self.now, coming, FLEET, again=again))
        begun = self.now.candidate is not None and self.now.candidate.id == coming.id
        if known is not None and begun:
            assert again
            assert typed or serial > known
            del self.refused[digest(letter)]

    def event(self, event):
        before = self.now.candidate
        code = "died" if event == "fail" else None
        self.take(move(self.now, event, 1.0, code=code, **changes_of(event)))
        last = self.now.last
        if self.now.candidate is None and last.state in ("rejected", "rolled_back"):
            self.refused[before.digest] = max(before.orders.serial, self.now.seen)

    def give_up(self):
        gone = self.now.active.digest
        self.take(give_up(self.now, "died", "words", 1.0, "id"))
        self.refused[gone] = max(self.now.last.orders.serial, self.now.seen)

    def rollback(self):
        gone = self.now.active.digest
        self.take(give_up(self.now, "ordered", "words", 1.0, "id", FLEET))
        self.refused[gone] = max(self.now.last.orders.serial, self.now.seen)

    def configured(self):
        self.take(configured(self.now, 1.0))

    def calibrate(self):
        self.now = calibrated(self.now, "cal", "a" * 64)

    def take(self, change):
        """Store it, cut the power, start again; then do what it says."""
        self.now = remembered(change.standing.state().get, place())
        assert self.now == change.standing
        candidate = self.now.candidate
        if candidate is not None and candidate.state == "verified":
            self.disk[candidate.slot] = candidate.digest

    def check(self):
        now = self.now
        assert self.disk[now.active.slot] == now.active.digest, "the active bundle is there, whole"
        for other in (now.previous, now.factory):
            assert other is None or self.disk[other.slot] == other.digest
        beside = now.beside
        if beside is not None and beside.slot is not None:
            assert beside.slot != now.active.slot
            assert now.previous is None or beside.slot != now.previous.slot
        if now.on_trial:
            assert now.candidate.slot == now.active.slot
            assert now.candidate.digest == now.active.digest
            assert now.back is not None
        assert set(now.refused) == set(self.refused)
        assert beside is None or beside.digest not in now.refused
        assert now.previous is None or now.previous.slot != now.active.slot


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(NEW, HAPPENS, HAPPENS, HAPPENS, OTHERS), max_size=60))
def test_whatever_happens_there_is_one_active_model_and_a_refused_one_stays_out(story):
    station = Station()
    for name, *details in story:
        with contextlib.suppress(Impossible):
            getattr(station, name)(*details)
        station.check()
