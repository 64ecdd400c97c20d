"""The steward where two things happen at once: none is forgotten, none is blamed for another."""

import json
from dataclasses import replace

import pytest

from edge.rollout import requests
from edge.rollout.ahead import PATIENCE_NS
from edge.rollout.breach import Breach
from edge.rollout.outcome import Calibrated, Installed
from edge.rollout.preparing import AGAIN_NS, TRIES
from edge.rollout.standing import NOTHING
from tests.edge.rollout.bench import LEAST, LIMITS, TRIAL, Bench
from tests.edge.rollout.candidates import digest, place

DIED = Breach("died", "three deaths within a minute")
LACKS = Calibrated(False, "not_calibrated", "labels are missing", needed={"good": 3, "defect": 40})


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.steward.close()
    made.journal.close()


def until_last_step(bench):
    """A canary that decides all parts, and is about to be promoted."""
    bench.until("canary")
    while bench.steward.standing.candidate.step < 2:
        bench.step()
        bench.bring(4)


def take(bench, letter, serial):
    """This bundle is on trial."""
    bench.assign(letter=letter, serial=serial)
    while bench.models.active.digest != digest(letter):
        bench.step()
        bench.bring(4)


@pytest.mark.parametrize("how", ["fell", "broken"])
def test_one_that_a_person_promotes_though_the_fleet_has_paused_it_is_on_trial_as_any_other(
    bench, how
):
    bench.assign()
    bench.until("canary")
    bench.assign(serial=2, action="pause")
    bench.step()
    bench.step()
    assert bench.ask("promote")["state"] == "active"
    bench.step()
    if how == "fell":
        bench.models.fell = DIED
    else:
        bench.dossier.breach = Breach("permissive", "it accepts too much")
    bench.step()
    bench.step()
    assert (bench.state, bench.models.active.digest) == ("rolled_back", digest("f"))


def test_a_trial_begins_when_the_model_decides_and_not_before(bench):
    bench.bring(10 * TRIAL)
    bench.assign()
    until_last_step(bench)
    bench.bring(20)
    bench.refuses = True
    bench.step()
    bench.models.warm = bench.models.prepared = False  # its child dies while this is stored
    bench.models.fell = DIED  # and what still decides is in trouble, which is not its fault
    bench.recover()
    for _ in range(5):
        bench.step()
    assert bench.models.active.digest == digest("f")
    assert bench.shown()["running"]["trial"] == TRIAL
    bench.models.fell, bench.models.warm, bench.models.prepared = None, True, True
    bench.step()
    bench.step()
    assert bench.models.active.digest == digest("c")
    assert bench.steward.standing.on_trial
    assert bench.shown()["running"]["trial"] == TRIAL


def test_the_deaths_of_a_model_that_has_to_go_are_not_those_of_the_one_that_comes(bench):
    bench.assign()
    bench.until("active")
    bench.bring(TRIAL)
    bench.step()
    bench.models.comes_back = False
    bench.models.fell = DIED
    for _ in range(10):
        bench.step()
    assert bench.steward.standing.active.digest == digest("f")
    assert list(bench.steward.standing.refused) == [digest("c")]
    bench.models.comes_back = True
    bench.step()
    assert bench.models.active.digest == digest("f")


def test_a_previous_bundle_that_is_lost_gives_way_to_the_configured_one(bench):
    for serial, letter in ((1, "c"), (2, "d")):
        take(bench, letter, serial)
        bench.bring(TRIAL)
        bench.step()
        bench.step()
    bench.models.comes_back = False
    assert bench.ask("rollback")["active"]["bundle"] == digest("c")
    bench.step()
    bench.models.lost = Breach("unusable", "slot a is damaged")
    bench.step()
    bench.step()
    assert bench.steward.standing.active.digest == digest("f")
    assert bench.steward.standing.refused[digest("c")].code == "unusable"
    assert "slot a is damaged" in bench.steward.trouble
    for _ in range(5):
        bench.step()  # it is lost, too: nothing else is left
    assert bench.steward.standing.active.digest == digest("f")


def test_a_previous_bundle_that_is_damaged_at_the_start_is_no_way_back(bench):
    take(bench, "c", 1)
    bench.bring(TRIAL)
    bench.step()
    take(bench, "d", 2)
    assert bench.shown()["previous"]["bundle"] == digest("c")
    bench.disk["a"] = digest("0")
    bench.restart()
    bench.step()
    assert bench.steward.standing.on_trial
    assert bench.shown()["previous"]["bundle"] == digest("f")
    assert bench.models.beside.digest == digest("f")


def test_cuts_that_come_to_nothing_again_and_again_are_said_and_not_tried_for_ever(bench):
    bench.ends["calibrate"] = Calibrated(False, "task_failed", "it ended with 1", again=True)
    bench.assign()
    bench.until("shadow")
    for _ in range(TRIES + 1):
        bench.step(TRIES * AGAIN_NS / 1e9)
        bench.step()
        assert bench.state in ("shadow", "needs_calibration")
    assert bench.shown()["candidate"]["why"] == "it ended with 1"
    assert bench.shown()["candidate"]["until"] is not None
    bench.step(1001)
    bench.until("rejected")
    assert bench.shown()["last"]["code"] == "not_calibrated"


def test_who_waits_for_labels_does_not_wait_for_ever_where_none_are_needed_any_more(bench):
    bench.ends["calibrate"] = LACKS
    bench.assign()
    bench.until("needs_calibration")
    bench.models.cuts_in_force = False
    bench.step(1001)
    bench.until("rejected")


def test_another_configured_bundle_ends_a_candidate_that_was_compared_with_the_one_before(bench):
    bench.assign()
    bench.until("canary")
    bench.factory = place("g")
    bench.disk["factory"] = digest("g")
    bench.restart()
    bench.step()
    assert (bench.state, bench.check().active.digest) == ("superseded", digest("g"))


def test_a_configured_bundle_that_cannot_be_read_for_once_ends_nothing(bench):
    bench.assign()
    bench.until("shadow")
    for factory in (NOTHING, place()):
        bench.factory = factory
        bench.restart()
        bench.step()
        assert bench.state == "shadow"
    assert bench.check().active.digest == digest("f")


def test_evidence_that_cannot_be_opened_is_opened_later(bench):
    opened, fails = bench.open_dossier, [3]

    def open_or_not(probation):
        fails[0] -= 1
        return opened(probation) if fails[0] < 0 else 1 / 0

    bench.steward._given.dossier = open_or_not
    bench.assign()
    bench.until("shadow")
    assert bench.steward.dossier is not None


def test_a_canary_that_a_person_ends_decides_nothing_more_though_the_disk_refuses(
    bench, monkeypatch
):
    monkeypatch.setattr(requests, "COMMIT_WITHIN_S", 0.0)
    bench.assign()
    bench.until("canary")
    bench.refuses = True
    assert "waits for the disk" in str(bench.ask("rollback"))
    assert bench.models.shared == 0.0


def test_a_candidate_is_compared_anew_where_the_model_beside_it_has_changed(bench):
    bench.assign()
    bench.until("active")
    bench.bring(TRIAL)
    bench.step()
    bench.step()
    bench.assign(letter="d", serial=2, strategy="shadow")
    bench.until("shadow", "d")
    bench.bring(100)
    bench.models.fell = DIED
    bench.step()
    bench.step()
    candidate = bench.steward.standing.candidate
    assert (candidate.digest, bench.models.active.digest) == (digest("d"), digest("f"))
    assert candidate.base == bench.parts


def test_a_station_without_a_model_takes_one_that_nothing_can_be_compared_with(bench):
    bench.factory, bench.disk = NOTHING, {"factory": ""}
    bench.models.cuts_in_force = False
    bench.restart()
    bench.assign()
    for _ in range(20):
        bench.step()  # no part is compared
    assert (bench.state, bench.models.active.digest) == ("active", digest("c"))


def test_where_no_model_is_asked_it_says_why_it_waits(bench):
    bench.models.asked = False
    bench.assign()
    bench.until("shadow")
    for _ in range(5):
        bench.step()
    assert "human_only" in bench.shown()["candidate"]["why"]
    bench.models.asked = True
    bench.step()
    bench.step()
    assert "of at least" in bench.shown()["candidate"]["why"]


def test_since_when_the_configured_bundle_runs_outlives_a_restart(bench):
    bench.assign()
    bench.until("active")
    bench.models.fell = DIED
    bench.step()
    bench.step()
    before = bench.steward.standing.active
    bench.restart()
    assert bench.steward.standing.active.since == before.since > 0


@pytest.mark.parametrize("state", ["assigned", "downloading"])
@pytest.mark.parametrize("action", ["rollback", "cancel", "pause"])
def test_nobody_waits_for_a_file_that_nobody_fetches_any_more(bench, state, action):
    bench.assign(state)
    bench.until(state)
    bench.assign("none", letter="d", serial=2, action=action)
    bench.until("superseded")


def test_what_a_later_version_wrote_beside_it_does_not_lose_the_active_model(bench):
    bench.assign()
    bench.until("active")
    bench.dossier.breach = DIED
    bench.step()
    bench.step()
    take(bench, "d", 2)
    known = {}
    for key in ("rollout.active", "rollout.refused"):
        content = json.loads(bench.journal.state(key))
        inner = content if key == "rollout.active" else content[digest("c")]
        inner["of_a_later_version"] = 1
        known[key] = json.dumps(content)
    bench.journal.append([], state=known)
    bench.restart()
    assert bench.models.active.digest == digest("d")
    assert list(bench.steward.standing.refused) == [digest("c")]


def test_a_canary_that_breaks_while_the_disk_takes_nothing_decides_nothing_more(bench):
    bench.assign()
    bench.until("canary")
    bench.refuses = True
    while bench.steward.ledger.waiting is None:
        bench.step()
        bench.bring(4)
    assert bench.models.shared == 0.05
    bench.dossier.breach = Breach("permissive", "it accepts too much")
    bench.step()
    assert bench.models.shared == 0.0
    bench.recover()
    bench.step()
    bench.step()
    assert bench.state == "rolled_back"


@pytest.mark.parametrize("how", ["fell", "broken"])
def test_one_on_trial_that_has_to_go_goes_though_another_change_waits_for_the_disk(bench, how):
    take(bench, "c", 1)
    before = bench.steward.standing.back.digest
    bench.refuses = True
    bench.assign(serial=2, steps=(10.0,))
    bench.step()
    bench.step()
    assert bench.steward.ledger.waiting is not None
    if how == "fell":
        bench.models.fell = DIED
    else:
        bench.dossier.breach = Breach("permissive", "it accepts too much")
    bench.step(PATIENCE_NS / 1e9)
    bench.step()
    assert bench.models.active.digest == before
    bench.models.fell = None  # the one that is back is well
    bench.recover()
    bench.step()
    assert bench.models.active.digest == before  # the other change is stored: it does not return
    for _ in range(3):
        bench.step()
    assert bench.steward.standing.active.digest == bench.models.active.digest == before
    last = bench.steward.standing.last
    assert (last.state, last.code) == ("rolled_back", "died" if how == "fell" else "permissive")


def test_a_canary_that_nobody_can_look_after_decides_nothing(bench, monkeypatch):
    bench.assign()
    bench.until("canary")

    def lost(now_ns):
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as broken:
        broken.setattr(bench.dossier, "step", lost)
        bench.step()
        assert bench.models.shared == 0.0
        assert "a mistake of ours" in bench.steward.trouble
    bench.step()
    assert bench.models.shared == 0.05
    assert bench.steward.failing is None


def test_new_cuts_have_to_be_compared_anew(bench):
    bench.assign()
    bench.until("canary")
    bench.bring(10 * LEAST)
    bench.restart()
    bench.models.fits = False  # another camera
    bench.until("needs_calibration")
    bench.models.fits, bench.pinned = True, 2
    bench.until("shadow")
    for _ in range(5):
        bench.step()
    assert bench.state == "shadow"
    bench.until("canary")


def test_who_gets_other_limits_is_judged_by_these(bench):
    judged = []
    opened = bench.steward._given.dossier

    def dossier(candidate):
        judged.append(candidate.orders.limits.max_permissive)
        return opened(candidate)

    bench.steward._given.dossier = dossier
    bench.assign()
    bench.until("shadow")
    before = bench.dossier
    bench.assign(serial=2, limits=replace(LIMITS, max_permissive=0.001))
    for _ in range(3):
        bench.step()
    assert judged == [LIMITS.max_permissive, 0.001]
    assert before.closed


YEARS = 50 * 365 * 86400


@pytest.mark.parametrize("jump", [YEARS, -YEARS])
def test_a_clock_that_is_set_makes_nobody_wait_for_labels_longer_or_less(bench, jump, monkeypatch):
    bench.ends["calibrate"] = LACKS
    bench.assign()
    bench.until("needs_calibration")
    wait = LIMITS.wait_calibration_s
    right = bench.clock.wall
    monkeypatch.setattr(bench.clock, "wall", lambda: right() + jump)
    for _ in range(4):
        bench.step(wait / 5)
        bench.step()
    assert bench.state == "needs_calibration"
    for _ in range(4):
        bench.step(wait / 5)
    assert bench.state == "rejected"


def test_a_step_that_this_station_cannot_do_is_not_the_bundles_fault(bench):
    well = bench.ends["install"]
    bench.ends["install"] = Installed(False, "task_failed", "slots is read-only", again=True)
    bench.assign()
    bench.until("verified")
    for _ in range(3 * TRIES):
        bench.step(AGAIN_NS / 1e9)
    assert bench.state == "rejected"
    assert bench.shown()["last"]["code"] == "task_failed"
    bench.ends["install"] = well
    bench.assign(serial=2)
    bench.until("shadow")
