"""The steward with a real journal: from an assignment to being active, and every way back."""

from itertools import pairwise

import pytest

from edge.rollout.ahead import PATIENCE_NS
from edge.rollout.breach import Breach
from edge.rollout.outcome import Calibrated, Installed, Proved
from edge.rollout.preparing import TRIES
from tests.edge.rollout.bench import TRIAL, Bench
from tests.edge.rollout.candidates import digest, place
from tests.edge.rollout.fakes import all_well

LACKS = Calibrated(False, "not_calibrated", "labels are missing", needed={"good": 3, "defect": 40})
STATES = ("verified", "proved", "shadow", "canary", "active")


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.steward.close()
    made.journal.close()


def test_from_an_assignment_to_being_active(bench):
    bench.assign()
    bench.until("active")
    assert bench.story() == [
        ("assign", "assigned"),
        ("arrive", "verified"),
        ("prove", "proved"),
        ("shadow", "shadow"),
        ("calibrate", "shadow"),
        ("share", "canary"),
        ("share", "canary"),
        ("share", "canary"),
        ("promote", "active"),
    ]
    assert [call for call in bench.models.calls if call[0] != "calibrate"] == [
        ("load", "a"),
        ("share", 0.05),
        ("share", 0.25),
        ("share", 1.0),
        ("promote", "a"),
    ]
    assert bench.models.active.calibration == "cal-c"
    assert bench.journal.state("calibration.applied") == "cal-c"
    assert bench.journal.state("calibration.applied_sha256") == "1" * 64
    first = bench.records()[0]
    assert (first["by"], first["serial"], first["rollout"], first["from"]) == (
        "k.ito",
        1,
        "r1",
        None,
    )
    assert bench.records()[-1]["evidence"]["parts"] >= 30


def test_nothing_is_done_before_it_is_on_the_disk(bench):
    bench.assign()
    bench.until("canary")
    while bench.steward.standing.candidate.step < 2:
        bench.step()
        bench.bring(4)
    bench.refuses = True
    bench.bring(20)
    for _ in range(50):
        bench.step()
    assert ("promote", "a") not in bench.models.calls
    assert bench.models.active.digest == digest("f")
    bench.recover()
    bench.step()
    assert bench.models.active.digest == digest("c")


def test_a_trial_that_ends_well_leaves_the_previous_bundle_in_its_slot(bench):
    bench.assign()
    bench.until("active")
    assert bench.models.beside.digest == digest("f")
    assert bench.shown()["running"]["trial"] == TRIAL
    bench.bring(TRIAL)
    bench.step()
    bench.step()
    assert bench.models.beside is None
    assert bench.shown()["running"]["trial"] is None
    assert bench.shown()["last"]["state"] == "active"
    assert bench.shown()["previous"]["bundle"] == digest("f")
    assert bench.story()[-1] == ("settle", "active")


@pytest.mark.parametrize("how", ["fell", "broken"])
def test_a_trial_that_goes_wrong_gives_bundle_and_calibration_back(bench, how):
    bench.step()
    bench.models.applied = "cal-f"
    bench.step()
    bench.assign()
    bench.until("active")
    fault = Breach("permissive", "it accepts too much")
    if how == "fell":
        bench.models.fell = fault
    else:
        bench.dossier.breach = fault
    bench.step()
    bench.step()
    assert ("restore", "factory") in bench.models.calls
    assert bench.models.active.digest == digest("f")
    assert bench.journal.state("calibration.applied") == "cal-f"
    assert bench.state == "rolled_back"
    assert bench.shown()["refused"][0]["code"] == "permissive"
    assert "permissive" in bench.steward.trouble
    bench.assign(serial=2)
    for _ in range(5):
        bench.step()
    assert bench.shown()["last"]["code"] == "rolled_back_before"
    bench.assign(serial=3, again=True)
    bench.until("shadow")
    assert bench.steward.trouble is None


def test_a_canary_that_breaks_a_guard_decides_nothing_more_though_the_disk_refuses(bench):
    bench.assign()
    bench.until("canary")
    bench.refuses = True
    bench.dossier.breach = Breach("late", "too late")
    bench.step()
    bench.step()
    assert bench.models.shared == 0.0
    assert bench.models.beside is not None
    bench.recover()
    bench.step()
    assert bench.models.beside is None
    assert bench.state == "rolled_back"


def test_an_active_model_that_has_to_go_goes_though_the_disk_refuses(bench):
    bench.assign()
    bench.until("active")
    bench.refuses = True
    bench.models.fell = Breach("died", "three times")
    bench.step()
    assert bench.models.active.digest == digest("c")
    bench.step(PATIENCE_NS / 1e9)
    assert bench.models.active.digest == digest("f")
    assert bench.models.calls.count(("restore", "factory")) == 1
    bench.recover()
    bench.step()
    assert bench.models.calls.count(("restore", "factory")) == 1
    assert bench.state == "rolled_back"


@pytest.mark.parametrize("state", ["proved", "shadow"])
def test_a_candidate_that_cannot_run_is_rejected(bench, state):
    bench.models.warm = state == "shadow"
    bench.assign()
    bench.until(state)
    bench.models.fault = Breach("died", "on every picture")
    bench.until("rejected")
    assert bench.models.beside is None
    assert bench.check().active == place(since=bench.check().active.since)


def test_one_that_fails_its_proof_keeps_its_reason(bench):
    bench.ends["prove"] = Proved(False, "golden_differs", "two scores differ")
    bench.assign()
    bench.until("rejected")
    last = bench.shown()["last"]
    assert (last["code"], last["why"]) == ("golden_differs", "two scores differ")
    assert bench.records()[-1]["why"] == "two scores differ"
    assert ("load", "a") not in bench.models.calls


def test_a_step_that_could_not_be_done_is_tried_again(bench):
    bench.ends["prove"] = Proved(False, "task_failed", "killed", again=True)
    bench.assign()
    bench.until("verified")
    for _ in range(20):
        bench.step()
    assert [kind for kind, _ in bench.work.started] == ["install", "prove"]
    bench.step(11)
    bench.ends["prove"] = Proved(True)
    bench.until("shadow")


FULL = "[Errno 28] No space left on device"
KINDS = {"install": Installed, "prove": Proved, "calibrate": Calibrated}


def fill(bench, kind):
    """A candidate whose next step has no room, for a day."""
    bench.ends[kind] = KINDS[kind](False, "no_space", FULL, again=True)
    bench.assign()
    for _ in range(24 * 12):
        bench.step(300)
        bench.bring(1)
    assert bench.state == ("shadow" if kind == "calibrate" else "verified")
    said = bench.shown()["candidate"]
    assert said["code"] == "no_space"
    assert said["why"].startswith(FULL)


@pytest.mark.parametrize("kind", KINDS)
def test_room_on_the_disk_is_waited_for_as_long_as_it_takes(bench, kind):
    fill(bench, kind)
    bench.ends.update(all_well())
    bench.step(301)
    bench.until("canary")
    assert bench.shown()["candidate"]["code"] is None


def test_room_is_looked_for_less_and_less_often(bench):
    bench.ends["install"] = Installed(False, "no_space", FULL, again=True)
    bench.assign()
    bench.until("verified")
    at = []
    for second in range(7200):
        before = len(bench.work.started)
        bench.step(1)
        at += [second] * (len(bench.work.started) - before)
    pauses = [then - now for now, then in pairwise(at)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (21, 301)


@pytest.mark.parametrize("kind", KINDS)
def test_who_waits_for_room_can_be_ended_at_any_point(bench, kind):
    fill(bench, kind)
    bench.ends.update(all_well())
    bench.assign(letter="d", serial=2)
    bench.step()
    bench.step()
    bench.until("canary", letter="d")
    assert bench.shown()["candidate"]["bundle"] == digest("d")
    assert bench.shown()["candidate"]["code"] is None
    assert ("supersede", "superseded") in bench.story()
    assert bench.steward.standing.refused == {}


def test_a_person_ends_one_that_waits_for_room(bench):
    fill(bench, "install")
    assert bench.ask("cancel")["state"] == "cancelled"
    bench.step()
    assert bench.shown()["candidate"] is None
    assert bench.steward.standing.refused == {}


def test_labels_are_not_missing_for_want_of_room(bench):
    bench.ends["calibrate"] = LACKS
    bench.assign()
    bench.until("needs_calibration")
    bench.ends["calibrate"] = Calibrated(False, "no_space", FULL, again=True)
    bench.pinned = 2
    bench.step()
    bench.step()
    bench.step(2000)
    bench.step()
    assert bench.state == "needs_calibration"
    assert bench.shown()["candidate"]["code"] == "no_space"
    bench.ends["calibrate"] = Calibrated(True, calibration="cal-c")
    bench.step(301)
    bench.until("canary")


def test_want_of_room_uses_up_no_tries_of_another_kind(bench):
    bench.ends["install"] = Installed(False, "no_space", FULL, again=True)
    bench.assign()
    bench.until("verified")
    for _ in range(10):
        bench.step(301)
    bench.ends["install"] = Installed(False, "task_failed", "killed", again=True)
    tried = len(bench.work.started)
    while bench.state == "verified":
        bench.step(301)
    assert TRIES <= len(bench.work.started) - tried + 1 <= TRIES + 1
    assert bench.state == "rejected"


def test_missing_labels_are_said_and_waited_for(bench):
    bench.ends["calibrate"] = LACKS
    bench.assign()
    bench.until("needs_calibration")
    bench.step()
    said = bench.shown()["candidate"]
    assert said["needed"] == {"good": 3, "defect": 40}
    assert said["until"].startswith("20")
    assert said["why"] == "labels are missing"
    tried = len(bench.work.started)
    for _ in range(20):
        bench.step()
        bench.bring(5)
    assert (bench.state, len(bench.work.started)) == ("needs_calibration", tried)
    bench.pinned = 2
    bench.ends["calibrate"] = Calibrated(True, calibration="cal-c")
    bench.until("canary")
    assert bench.story()[4:7] == [
        ("lack", "needs_calibration"),
        ("calibrate", "shadow"),
        ("share", "canary"),
    ]


def test_labels_that_never_come_end_it_and_a_newer_assignment_may_try_again(bench):
    bench.ends["calibrate"] = LACKS
    bench.assign()
    bench.until("needs_calibration")
    bench.step(1001)
    bench.until("rejected")
    assert bench.shown()["last"]["code"] == "not_calibrated"
    bench.assign(serial=2)
    bench.until("shadow")


def test_what_one_candidate_lacked_holds_up_no_other(bench):
    """The same bundle once more, by hand, with the word that was missing: it is tried at once."""
    bench.ends["calibrate"] = LACKS
    bench.step()
    bench.install()
    bench.until("needs_calibration")
    bench.ends["calibrate"] = Calibrated(True, calibration="cal-c")
    bench.install(not_trained_on_yours=True, strategy="canary")
    assert bench.state == "verified"
    bench.until("canary")


def test_without_cuts_in_force_a_candidate_needs_none(bench):
    bench.models.cuts_in_force = False
    bench.assign()
    bench.until("active")
    assert "calibrate" not in [kind for kind, _ in bench.work.started]
    assert bench.models.active.calibration is None
    assert bench.journal.state("calibration.applied") is None


def test_cuts_that_hold_no_more_are_still_a_reason_to_need_some(bench):
    """Another camera: the model in force decides nothing any more, and no newcomer does so without
    cuts of its own."""
    bench.step()
    bench.step()
    bench.steward.ledger.calibrated("cal-f", "f" * 64)
    bench.models.cuts_in_force, bench.models.applied = False, None
    bench.ends["calibrate"] = LACKS
    bench.assign()
    bench.until("needs_calibration")
    assert bench.models.shared == 0.0


def test_cuts_that_come_into_force_meanwhile_end_a_canary_without(bench):
    bench.models.cuts_in_force = False
    bench.ends["calibrate"] = LACKS
    bench.assign()
    bench.until("canary")
    bench.models.cuts_in_force = True
    bench.step()
    bench.step()
    assert bench.state == "needs_calibration"
    assert bench.models.shared == 0.0


def test_cuts_for_another_view_are_worked_out_anew(bench):
    bench.assign()
    bench.until("canary")
    bench.models.fits = False
    bench.step()
    bench.step()
    assert (bench.state, bench.models.shared) == ("needs_calibration", 0.0)
    assert bench.steward.standing.candidate.calibration is None


def test_the_strategies(bench):
    bench.assign(strategy="shadow")
    bench.until("shadow")
    for _ in range(30):
        bench.step()
        bench.bring(10)
    assert bench.state == "shadow"
    assert "promotes" in bench.shown()["candidate"]["why"]
    bench.assign(serial=2, strategy="blue-green")
    bench.until("active")
    assert "share" not in [event for event, _ in bench.story()]


def test_it_is_promoted_only_where_the_assignment_says_so(bench):
    bench.assign(promote=False)
    bench.until("canary")
    for _ in range(40):
        bench.step()
        bench.bring(10)
    assert (bench.state, bench.models.shared) == ("canary", 1.0)
    assert "person" in bench.shown()["candidate"]["why"]
    assert bench.ask("promote")["state"] == "active"


def test_a_pause_leaves_it_where_it_is_and_guards_it_all_the_same(bench):
    bench.assign()
    bench.until("canary")
    bench.assign(serial=2, action="pause")
    for _ in range(30):
        bench.step()
        bench.bring(10)
    assert (bench.state, bench.models.shared) == ("canary", 0.05)
    assert bench.shown()["candidate"]["paused"]
    bench.assign(serial=3)
    bench.until("active")


@pytest.mark.parametrize("state", ["downloading", "verified", "proved"])
def test_a_pause_before_it_runs(bench, state):
    if state == "verified":
        del bench.ends["install"]
    bench.models.warm = state != "proved"
    bench.assign("downloading" if state == "downloading" else "verified")
    bench.until(state)
    bench.assign(serial=2, action="pause")
    bench.models.warm = True
    for _ in range(10):
        bench.step()
    assert bench.state == state


@pytest.mark.parametrize("state", STATES[:4])
@pytest.mark.parametrize(
    ("action", "ends"), [("cancel", "cancelled"), ("rollback", None), ("other", "superseded")]
)
def test_the_fleet_ends_it_at_any_point(bench, state, action, ends):
    if state == "verified":
        del bench.ends["install"]
    bench.models.warm = state != "proved"
    bench.assign()
    bench.until(state)
    if action == "other":
        bench.assign("assigned", letter="d", serial=2)
    else:
        bench.assign(serial=2, action=action)
    bench.step()
    bench.step()
    last = bench.steward.standing.last
    assert last.digest == digest("c")
    assert last.state == (ends or ("rolled_back" if state == "canary" else "cancelled"))
    assert bench.models.beside is None
    assert not bench.work.busy
    assert bench.models.active.digest == digest("f")


def test_the_fleet_rolls_an_active_model_back(bench):
    bench.assign()
    bench.until("active")
    bench.bring(TRIAL)
    bench.step()
    bench.step()
    bench.assign(serial=2, action="rollback")
    bench.step()
    bench.step()
    assert bench.models.active.digest == digest("f")
    assert bench.shown()["last"]["code"] == "ordered"
    assert bench.steward.trouble is None


def test_a_newer_assignment_waits_for_the_trial(bench):
    bench.assign()
    bench.until("active")
    bench.assign(letter="d", serial=2)
    for _ in range(5):
        bench.step()
    assert bench.steward.standing.seen == 1
    bench.bring(TRIAL)
    bench.until("shadow")
    assert bench.steward.standing.candidate.digest == digest("d")
    assert bench.steward.standing.active.digest == digest("c")


def test_deaths_long_after_the_trial_bring_the_previous_model_back(bench):
    bench.assign()
    bench.until("active")
    bench.bring(TRIAL)
    bench.step()
    bench.step()
    bench.models.fell = Breach("died", "three times in a minute")
    bench.step()
    bench.step()
    assert bench.models.active.digest == digest("f")
    assert bench.records()[-1]["from"] == "active"


def test_a_factory_bundle_that_dies_has_nothing_to_go_back_to(bench):
    bench.models.fell = Breach("died", "three times in a minute")
    for _ in range(5):
        bench.step()
    assert bench.models.calls == []
    assert bench.steward.failing is None


def test_a_refused_transfer_rejects_it(bench):
    bench.assign("refused")
    bench.until("rejected")
    assert bench.shown()["last"]["code"] == "no_space"
    bench.assign(serial=2)
    bench.until("shadow")


def test_a_file_that_is_gone_is_waited_for_and_is_not_its_fault(bench):
    bench.assign()
    for file in (bench.folder / "inbox").glob("*.zip"):
        file.unlink()
    bench.until("verified")
    for _ in range(5):
        bench.step()
    assert bench.state == "verified"
    bench.assign()  # sync has fetched it again
    bench.until("shadow")


@pytest.mark.parametrize("restarts", [False, True])
def test_one_whose_file_nobody_fetches_any_more_is_superseded_and_may_come_again(bench, restarts):
    del bench.ends["install"]
    bench.assign()
    bench.until("verified")
    for file in (bench.folder / "inbox").glob("*.zip"):
        file.unlink()
    bench.assign("none", letter="d", serial=2, action="rollback")
    if restarts:
        bench.restart()
    else:
        bench.preparing.stop()  # a disk without room, say
    bench.until("superseded")
    bench.ends["install"] = all_well()["install"]
    bench.assign(serial=3)
    bench.until("shadow")


def test_what_is_spoilt_in_its_slot_is_installed_anew_once(bench):
    bench.assign(strategy="shadow")
    bench.until("shadow")
    bench.models.fault = Breach("unusable", "a file has changed")
    bench.until("verified")
    bench.models.fault = None
    bench.until("shadow")
    assert bench.story().count(("lose", "verified")) == 1
    assert [kind for kind, _ in bench.work.started].count("install") == 2
    bench.models.fault = Breach("unusable", "a file has changed")
    bench.until("rejected")


def test_guessed_fields_keep_it_in_shadow(bench):
    bench.models.unconfirmed = True
    bench.assign()
    bench.until("shadow")
    for _ in range(20):
        bench.step()
        bench.bring(10)
    assert bench.state == "shadow"
    assert "model confirm STATE_DIR/slots/a" in bench.shown()["candidate"]["why"]
    assert "confirm" in bench.ask("promote")["message"]
    calls = len(bench.models.calls)
    bench.models.vouched = True
    bench.step()
    assert ("calibrate", "cal-c") in bench.models.calls[calls:]  # looked at anew


def test_another_station_s_assignment_is_nothing(bench):
    bench.assign(station="plant-b/line-1/caps")
    for _ in range(5):
        bench.step()
    assert (bench.state, bench.steward.standing.seen) == (None, 0)


def test_nonsense_in_the_inbox_is_nothing(bench):
    (bench.folder / "inbox").mkdir()
    for text in ("", "{", "[]", '{"schema":"inbox/1","assignment":7}', "null", "[" * 9000):
        (bench.folder / "inbox" / "assignment.json").write_text(text)
        bench.step()
    assert (bench.state, bench.steward.failing) == (None, None)


def test_a_fault_of_its_own_never_reaches_the_tend_thread(bench, monkeypatch):
    bench.step()
    monkeypatch.setattr(type(bench.inbox), "look", lambda self: 1 / 0)
    bench.step()
    assert "division" in bench.steward.trouble


@pytest.mark.parametrize("state", STATES)
def test_a_restart_in_every_state_goes_on_where_it_was(bench, state):
    if state == "verified":
        del bench.ends["install"]
    bench.models.warm = state != "proved"
    bench.assign()
    bench.until(state)
    before = bench.steward.standing
    bench.restart()
    assert bench.steward.standing == before
    bench.check()
    bench.ends.update(all_well())
    bench.until("active")
    bench.step()
    assert bench.models.active.digest == digest("c")
    bench.bring(TRIAL)
    bench.step()
    bench.step()
    assert bench.steward.standing.candidate is None


def test_a_power_cut_before_the_record_is_there_leaves_the_old_model(bench):
    bench.assign(strategy="blue-green")
    bench.until("shadow")
    while bench.steward.standing.candidate.calibration is None:
        bench.step()
    bench.refuses = True
    bench.bring(50)
    for _ in range(5):
        bench.step()
    assert bench.waiting[0].records[0].step.event == "promote"
    bench.restart()
    assert bench.check().active.digest == digest("f")
    bench.refuses = False
    bench.until("active")


def test_a_damaged_slot_falls_back_at_the_start(bench):
    bench.assign()
    bench.until("active")
    bench.disk["a"] = digest("0")
    bench.restart()
    bench.step()
    assert bench.models.active.digest == digest("f")
    assert bench.state == "rolled_back"
    assert bench.check().refused[digest("c")].code == "unusable"


def test_another_configured_bundle_comes_first(bench):
    bench.assign()
    bench.until("active")
    bench.factory = place("g")
    bench.disk["factory"] = digest("g")
    bench.restart()
    bench.step()
    assert bench.check().active.digest == digest("g")
    assert bench.check().candidate is None


def test_a_calibration_that_a_person_applies_belongs_to_the_active_model(bench):
    bench.step()
    bench.models.applied = "cal-f"
    bench.step()
    bench.step()
    assert bench.check().active.calibration == "cal-f"
    assert bench.check().factory.calibration == "cal-f"
