"""What persons order about models: carried out once, stored with their name, refused with words."""

import pytest

from edge.rollout.breach import Breach
from tests.edge.rollout.bench import TRIAL, Bench
from tests.edge.rollout.candidates import digest


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    made.step()
    yield made
    made.steward.close()
    made.journal.close()


def test_a_person_s_bundle_stays_in_shadow_until_it_is_promoted(bench):
    answer = bench.install()
    assert (answer["ok"], answer["state"]) == (True, "verified")
    bench.until("shadow")
    for _ in range(20):
        bench.step()
        bench.bring(10)
    assert bench.state == "shadow"
    assert bench.ask("promote")["state"] == "active"
    assert bench.models.active.digest == digest("c")
    promoted = bench.records()[-1]
    assert (promoted["by"], promoted["account"], promoted["event"]) == ("m.roth", "root", "promote")
    assert promoted["request"]


def test_a_canary_by_command_goes_all_the_way(bench):
    bench.install(strategy="canary", steps=[50, 100])
    bench.until("active")
    assert ("share", 0.5) in bench.models.calls


def test_promote_during_a_trial_says_that_it_is_good(bench):
    bench.assign()
    bench.until("active")
    assert "on trial" in bench.install("d")["message"]
    assert bench.ask("promote")["state"] == "active"
    assert bench.shown()["running"]["trial"] is None
    assert bench.install("d")["ok"]


def test_rollback_stops_a_canary_or_brings_the_previous_model_back(bench):
    bench.assign()
    bench.until("canary")
    assert bench.ask("rollback")["state"] == "rolled_back"
    assert bench.models.beside is None
    bench.assign(serial=2, again=True)
    bench.until("active")
    bench.bring(TRIAL)
    bench.step()
    bench.step()
    assert bench.ask("rollback")["active"]["bundle"] == digest("f")
    assert bench.models.active.digest == digest("f")
    assert "no other model" in bench.ask("rollback")["message"]


def test_a_candidate_stays_when_a_person_rolls_the_active_model_back(bench):
    bench.assign()
    bench.until("active")
    bench.bring(TRIAL)
    bench.step()
    bench.step()
    bench.install("d")
    bench.until("shadow")
    bench.ask("rollback")
    bench.step()
    assert bench.models.active.digest == digest("f")
    assert bench.models.beside.digest == digest("d")


def test_cancel_drops_a_candidate_or_notes_how_the_last_one_ended(bench):
    assert "no candidate" in bench.ask("cancel")["message"]
    bench.install()
    bench.until("shadow")
    assert bench.ask("cancel")["state"] == "cancelled"
    bench.install("d")
    bench.until("shadow")
    bench.models.fault = Breach("died", "words")
    bench.until("rejected")
    assert "died" in bench.steward.trouble
    assert bench.ask("cancel")["ok"]
    assert bench.steward.trouble is None
    bench.restart()
    assert bench.steward.trouble is None


def test_a_refused_bundle_comes_again_only_where_a_person_says_so(bench):
    bench.install()
    bench.until("shadow")
    bench.models.fault = Breach("died", "words")
    bench.until("rejected")
    bench.models.fault = None
    assert "--again" in bench.install()["message"]
    assert bench.install(again=True)["ok"]
    bench.until("shadow")


def test_what_cannot_be_promoted_says_why(bench):
    assert "no candidate" in bench.ask("promote")["message"]
    del bench.ends["calibrate"]
    del bench.ends["install"]
    bench.install()
    assert "verified" in bench.ask("promote")["message"]
    bench.ends["install"] = Bench(bench.folder / "other").ends["install"]
    bench.until("shadow")
    assert "no cuts" in bench.ask("promote")["message"]
    bench.models.cuts_in_force = False
    bench.models.warm = bench.models.prepared = False
    assert "starting" in bench.ask("promote")["message"]
    bench.models.warm = bench.models.prepared = True
    bench.dossier.breach = Breach("late", "always late")
    assert "always late" in bench.ask("promote")["message"]
    assert bench.models.active.digest == digest("f")


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": None},
        {"source": "relative.zip"},
        {"source": "/nowhere/x.zip"},
        {"digest": "c" * 63},
        {"name": ""},
        {"version": 7},
        {"strategy": "hope"},
        {"steps": []},
        {"steps": [50, 20]},
        {"steps": [0]},
        {"steps": ["a"]},
        {"steps": 5},
        {"promote": "yes"},
        {"again": 1},
        {"reason": ""},
    ],
)
def test_nonsense_is_refused(bench, wrong):
    path = bench.folder / "c.zip"
    path.write_bytes(b"bundle")
    asked = {"source": str(path), "digest": digest("c"), "name": "rings", "version": "1.1.0"}
    assert not bench.ask("install", **{**asked, **wrong})["ok"]
    assert bench.state is None


def test_every_order_needs_a_person(bench):
    for kind in ("install", "promote", "rollback", "cancel"):
        assert "person" in bench.ask(kind, by=None)["message"]


def test_the_active_bundle_is_not_installed_beside_itself(bench):
    assert "active already" in bench.install("f")["message"]


def test_an_order_that_was_carried_out_before_a_crash_is_only_answered_again(bench):
    bench.assign()
    bench.until("active")
    bench.bring(TRIAL)
    bench.step()
    bench.step()
    request = bench.clock.new_id()
    first = bench.ask("rollback", request=request)
    bench.restart()
    bench.step()
    again = bench.ask("rollback", request=request)
    assert again["active"] == first["active"]
    assert bench.story().count(("rollback", "rolled_back")) == 1


def test_while_the_line_is_stopped_orders_are_stored_and_carried_out_at_the_start(bench):
    bench.assign(strategy="shadow")
    bench.until("shadow")
    bench.step()
    bench.step()
    bench.restart()  # nobody has stepped yet, as when a command applies it by itself
    bench.models.prepared = bench.models.warm = True
    assert bench.ask("cancel")["state"] == "cancelled"
    assert bench.models.calls == []
    bench.restart()
    bench.step()
    assert bench.state == "cancelled"


def test_a_disk_that_refuses_is_said(bench, monkeypatch):
    monkeypatch.setattr("edge.rollout.requests.COMMIT_WITHIN_S", 0.01)
    bench.refuses = True
    assert "waits for the disk" in bench.install()["message"]
    assert "nothing was done" in bench.install("d")["message"]
    bench.recover()
    bench.until("shadow")
    assert bench.steward.standing.candidate.digest == digest("c")


@pytest.mark.parametrize("state", ["shadow", "canary", "active"])
@pytest.mark.parametrize("kind", ["promote", "rollback", "cancel", "install"])
def test_a_dry_run_says_what_the_order_would_and_changes_nothing(bench, state, kind):
    bench.assign(promote=state == "active")
    bench.until(state)
    before, records = bench.steward.standing, bench.records()

    def order(kind):
        return bench.install(kind=kind) if "install" in kind else bench.ask(kind)

    dry = order(f"{kind}_dry_run")
    assert bench.steward.standing == before
    assert bench.records() == records
    real = order(kind)
    assert (dry["ok"], dry.get("message")) == (real["ok"], real.get("message"))
    assert real["ok"] is (bench.records() != records)
