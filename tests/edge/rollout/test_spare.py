"""line.db is lost between two runs: what ran here comes again by itself, and nothing else does."""

import pytest

from edge.rollout.spare import FILE, trouble
from tests.edge.rollout.bench import Bench
from tests.edge.rollout.candidates import digest

HOW = ("damaged", "deleted")


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.steward.close()
    made.journal.close()


def idle(bench, steps=10):
    """Nothing begins meanwhile: no candidate, the configured bundle decides."""
    for _ in range(steps):
        bench.step()
        bench.bring(4)
    assert bench.steward.standing.candidate is None
    assert bench.models.active.digest == digest("f")


def settle(bench, **said):
    """A bundle that came by the fleet's word is active, its trial over."""
    bench.assign(**said)
    bench.until("active", most=90)
    for _ in range(30):
        bench.step()
        bench.bring(4)
    assert not bench.steward.standing.on_trial


@pytest.mark.parametrize("how", HOW)
def test_what_was_active_goes_through_its_whole_probation_again(bench, how):
    settle(bench)
    before = bench.steward.standing.active
    bench.lose(how)
    assert bench.steward.standing.active.digest == digest("f")
    assert trouble(bench.steward.standing) == (
        "line.db was lost, and what it knew of models with it: rings 1.0.0, as configured, decides"
        " instead of rings 1.1.0"
    )
    assert bench.shown()["lost"]["bundle"] == digest("c")
    bench.until("canary")
    assert trouble(bench.steward.standing) is not None
    bench.until("active", most=90)
    assert trouble(bench.steward.standing) is None
    assert bench.shown()["lost"] is None
    assert bench.steward.standing.active.digest == before.digest
    assert [to for _, to in bench.story()][-8:] == [
        "verified", "proved", "shadow", "shadow", "canary", "canary", "canary", "active"
    ]  # fmt: skip


def test_what_was_on_its_way_begins_anew(bench):
    bench.assign()
    bench.until("canary")
    bench.lose()
    assert trouble(bench.steward.standing) is None
    assert bench.models.shared == 0.0
    bench.until("active", most=90)


def test_a_second_loss_before_it_is_back_forgets_nothing(bench):
    settle(bench)
    bench.lose()
    bench.until("shadow")
    bench.lose("deleted")
    assert bench.steward.standing.lost.digest == digest("c")
    bench.until("active", most=90)


@pytest.mark.parametrize("how", HOW)
def test_what_was_rolled_back_is_not_tried_again(bench, how):
    settle(bench)
    bench.assign(serial=2, action="rollback")
    bench.step()
    bench.step()
    assert bench.state == "rolled_back"
    bench.assign(serial=3)
    bench.step()
    bench.step()
    assert bench.steward.standing.last.code == "rolled_back_before"
    bench.lose(how)
    idle(bench)
    assert bench.steward.standing.refused[digest("c")].code == "ordered"
    bench.assign(serial=4)
    bench.step()
    bench.step()
    assert bench.steward.standing.last.code == "rolled_back_before"


def test_what_a_person_ended_does_not_begin_again(bench):
    bench.assign()
    bench.until("shadow")
    bench.ask("cancel")
    bench.lose()
    idle(bench)


def test_what_a_person_installed_is_told_and_left_to_persons(bench):
    bench.assign(letter="d")
    bench.until("shadow")
    bench.install(strategy="blue-green")
    bench.until("active", most=90)
    bench.lose()
    idle(bench)
    assert "instead of rings 1.1.0" in trouble(bench.steward.standing)
    assert bench.ask("cancel")["ok"]
    assert trouble(bench.steward.standing) is None


def test_an_assignment_of_what_runs_already_brings_it_again_too(bench):
    settle(bench)
    bench.assign(serial=2)
    bench.step()
    bench.step()
    bench.lose()
    bench.until("active", most=90)
    assert bench.steward.standing.active.rollout == "r2"


def test_a_newer_word_is_about_something_else(bench):
    settle(bench)
    bench.lose()
    bench.assign(letter="d", serial=2)
    bench.until("shadow", letter="d")
    assert trouble(bench.steward.standing) is None


def test_one_that_fails_this_time_is_refused_for_that(bench):
    settle(bench)
    bench.lose()
    bench.until("shadow")
    bench.models.fault = bench.models.lost
    bench.dossier.breach = type("Breach", (), {"code": "permissive", "words": "too much"})()
    bench.step()
    bench.step()
    assert bench.state == "rejected"
    assert trouble(bench.steward.standing) is None
    idle(bench)


@pytest.mark.parametrize("left", [None, b"", b"{}", b"nonsense", "flipped"])
def test_without_its_copy_nothing_begins_and_the_station_says_so(bench, left):
    settle(bench)
    copy = bench.folder / FILE
    if left == "flipped":
        left = copy.read_bytes().replace(b"rings", b"rinks")
    copy.unlink()
    if left is not None:
        copy.write_bytes(left)
    bench.lose()
    idle(bench)
    assert bench.steward.standing.seen == 1
    assert "instead of rings 1.1.0" in trouble(bench.steward.standing)
    bench.assign(serial=2)
    bench.until("shadow")
    assert bench.steward.standing.active.digest == digest("f")


def test_a_first_start_is_no_loss(bench):
    assert trouble(bench.steward.standing) is None
    bench.assign()
    bench.until("active", most=90)


def test_a_copy_that_cannot_be_written_holds_nothing_up(bench):
    (bench.folder / "rollout").write_text("no folder")
    bench.assign()
    bench.until("active", most=90)
