from __future__ import annotations

import pytest
import sqlalchemy as sa

from edge.records import utc
from sync.fleet import metadata
from sync.fleet.advance import Advance
from sync.fleet.database import Database, DatabaseError
from sync.fleet.following import PATIENCE_S
from sync.fleet.giving import AGAIN_S
from sync.fleet.order import Order
from sync.fleet.orders import Orders
from sync.fleet.plan import Plan, Thresholds
from sync.fleet.rollout import decide
from sync.fleet.rollout_tables import bundles, members, model_states
from sync.fleet.tables import METADATA
from tests.sync.fleet.depot import AT, NOON, add_bundle, bundle, state, trial

THREE = [f"a/b/{number}" for number in range(3)]
WAVES = Plan(("a/b/*",), waves=("1", "100%"), thresholds=Thresholds(offline_s=1e15))


class Fleet:
    """Turns, each a second after the other."""

    def __init__(self, depot, database, clock):
        self.depot, self.clock = depot, clock
        self.advance = Advance(database, depot.repository, clock, utc)

    def turn(self, taken=None, **said):
        self.clock.now += 1
        heard = {name.replace("_", "/"): text for name, text in said.items()}
        return self.advance.turn(heard, taken or {})

    def hear(self, heard):
        self.clock.now += 1
        return self.advance.turn(heard, {})


@pytest.fixture
def fleet(depot, database, clock):
    return Fleet(depot, database, clock)


def test_a_wave_is_assigned_signed_and_may_be_fetched(depot, fleet):
    waves = depot.begin("r1", THREE, WAVES)
    turn = fleet.turn()
    first = next(name for name, wave in waves.items() if wave == 0)
    assert list(depot.assigned()) == [first]
    word = depot.assigned()[first]
    assert (word.action, word.bundle, word.rollout) == ("run", depot.file, "r1")
    assert turn.mine == {first}
    assert turn.allowed[first].sha256 == depot.file.sha256
    assert turn.stamps[first] > 0
    assert depot.members("r1")[first].serial == word.serial
    with depot.database.transaction() as connection:
        assert depot.repository.pack(connection, first)


def test_what_stations_say_carries_it_on_to_the_end(depot, fleet):
    depot.begin("r1", THREE, WAVES)
    for _ in range(4):
        fleet.turn()
        words = depot.assigned()
        digest = depot.file.digest
        fleet.hear(
            {
                name: state(name, word, running=digest, last=trial(word, "active"))
                for name, word in words.items()
            }
        )
    assert depot.rollout("r1").state == "done"
    assert {one.state for one in depot.members("r1").values()} == {"active"}


def test_a_failure_pauses_and_the_word_reaches_who_is_under_way(depot, fleet):
    plan = Plan(("a/b/*",), thresholds=Thresholds(max_failed=0.1))
    depot.begin("r1", THREE, plan)
    fleet.turn()
    word = depot.assigned()["a/b/1"]
    last = trial(word, "rolled_back", code="nonsense", why="NaN")
    turn = fleet.hear({"a/b/1": state("a/b/1", word, last=last)})
    assert depot.rollout("r1").state == "paused"
    assert "a/b/1 (nonsense: NaN)" in depot.rollout("r1").why
    assert {name: one.action for name, one in depot.assigned().items()} == {
        "a/b/0": "pause", "a/b/1": "run", "a/b/2": "pause",
    }  # fmt: skip
    assert "r1 is paused" in turn.news[0]
    member = depot.members("r1")["a/b/1"]
    assert (member.state, member.code, member.why) == ("rolled_back", "nonsense", "NaN")


def figures(parts, more):
    escalated = {"candidate": more, "other": 0}
    return {"parts": parts, "compared": parts, "escalated": escalated, "deaths": {"candidate": 0}}


def test_what_was_accepted_by_resuming_is_known_after_a_restart_and_to_every_serve(
    depot, fleet, database, clock
):
    depot.begin("r1", THREE[:1], Plan(("a/b/*",)))
    fleet.turn()

    def tell(who, parts, more):
        word = depot.assigned()["a/b/0"]
        one = trial(word, "canary", share=0.05, parts=parts, evidence=figures(parts, more))
        who.hear({"a/b/0": state("a/b/0", word, candidate=one)})
        return depot.rollout("r1").state

    assert tell(fleet, 300, 100) == "paused"
    with database.transaction() as connection:
        order = Order("1", "resume", "ann", {"rollout": "r1", "reason": "known"})
        Orders(depot.repository, lambda name: b"").apply(connection, order)
    again = Fleet(depot, database, clock)
    again.turn()
    assert depot.rollout("r1").state == "running"
    assert tell(Fleet(depot, database, clock), 600, 100) == "running"
    assert tell(fleet, 900, 100) == "running"
    assert tell(again, 1200, 300) == "paused"
    # another attempt begins with nothing accepted
    depot.set("r1", state="running")
    with database.transaction() as connection:
        connection.execute(sa.update(members).values(state="waiting"))
    again.turn()
    assert tell(again, 300, 100) == "paused"


def test_what_a_station_has_shown_is_known_to_a_serve_that_never_heard_it(
    depot, fleet, database, clock
):
    """A station does not always repeat the figures of a candidate that has ended."""
    limits = Thresholds(max_failed=1.0, max_escalation_rise=0.2)
    depot.begin("r1", THREE[:2], Plan(("a/b/*",), thresholds=limits))
    fleet.turn()
    words = depot.assigned()
    one = trial(words["a/b/0"], "canary", share=0.05, parts=150, evidence=figures(150, 100))
    fleet.hear({"a/b/0": state("a/b/0", words["a/b/0"], candidate=one)})
    last = trial(words["a/b/0"], "rolled_back", code="escalation")
    fleet.hear({"a/b/0": state("a/b/0", words["a/b/0"], last=last)})
    assert depot.rollout("r1").state == "running"
    one = trial(words["a/b/1"], "canary", share=0.05, parts=150, evidence=figures(150, 100))
    second = Fleet(depot, database, clock)
    second.hear({"a/b/1": state("a/b/1", words["a/b/1"], candidate=one)})
    assert "200 of 300 parts" in depot.rollout("r1").why


def test_what_is_said_in_the_name_of_a_station_that_is_no_member_changes_nothing(
    depot, fleet, database
):
    depot.begin("r1", THREE)
    fleet.turn()
    word = depot.assigned()["a/b/0"]

    def everything():
        with database.transaction() as connection:
            tables = [one for one in METADATA.sorted_tables if one is not model_states]
            return {one.name: connection.execute(sa.select(one)).all() for one in tables}

    was = everything()
    bad = figures(10**6, 10**6) | {"deaths": {"candidate": 99}, "permissive": {"against": 10**6}}
    last = trial(word, "rolled_back", code="died", rollout="r1", evidence=bad)
    refusal = {"code": "unlisted", "why": "forged", "mend": "", "at": AT}
    turn = fleet.hear(
        {
            "a/b/stranger": state("a/b/stranger", word, last=last),
            "a/b/other": state("a/b/other", word, candidate=last | {"state": "canary"}),
            "a/b/third": state("a/b/third", word, refusal=refusal, running=word.bundle.digest),
        }
    )
    assert everything() == was
    assert (turn.news, turn.mine, set(turn.allowed)) == ((), frozenset(), set(THREE))


def test_serials_rise_also_where_the_clock_went_back(depot, fleet, clock):
    depot.begin("r1", THREE)
    fleet.turn()
    first = {name: one.serial for name, one in depot.assigned().items()}
    clock.now -= 1e6
    depot.set("r1", state="rolled_back")
    fleet.turn()
    second = {name: one.serial for name, one in depot.assigned().items()}
    assert {one.action for one in depot.assigned().values()} == {"rollback"}
    assert all(second[name] > first[name] for name in THREE)


def test_a_finished_roll_out_goes_back_where_a_later_one_has_failed(depot, fleet):
    depot.begin("r1", THREE, at="2026-11-20T11:00:00.000Z")
    fleet.turn()
    old = depot.file.digest
    words = depot.assigned()
    fleet.hear({name: state(name, words[name], running=old) for name in THREE})
    newer = depot.add(bundle(seed=2))
    depot.begin("r2", THREE)
    fleet.turn()
    words = depot.assigned()
    failed = trial(words["a/b/0"], "rolled_back", code="permissive")
    fleet.hear(
        {
            "a/b/0": state("a/b/0", words["a/b/0"], running=old, last=failed),
            "a/b/1": state("a/b/1", words["a/b/1"], running=newer.digest),
            "a/b/2": state("a/b/2", words["a/b/2"], running=old,
                           candidate=trial(words["a/b/2"], "shadow")),
        }
    )  # fmt: skip
    depot.set("r1", state="rolled_back")
    for _ in range(3):
        fleet.turn()
    words = depot.assigned()
    said = {name: (one.action, one.bundle.digest == old) for name, one in words.items()}
    assert said["a/b/0"] == ("rollback", True)  # the later one is over there
    assert said["a/b/1"][1] is False  # it decides by the later one
    assert said["a/b/2"][1] is False  # the later one is under way there
    serial = words["a/b/0"].serial
    fleet.turn()
    assert depot.assigned()["a/b/0"].serial == serial


def test_the_newer_roll_out_has_the_station(depot, fleet):
    depot.begin("r1", THREE, at="2026-11-20T11:00:00.000Z")
    fleet.turn()
    newer = depot.add(bundle(seed=2))
    depot.begin("r2", THREE[:2])
    fleet.turn()
    fleet.turn()
    words = depot.assigned()
    assert [words[name].bundle.digest for name in THREE[:2]] == [newer.digest] * 2
    assert words["a/b/2"].rollout == "r1"
    assert [depot.members("r1")[name].state for name in THREE] == [
        "superseded", "superseded", "assigned",
    ]  # fmt: skip


def test_two_who_share_a_database_assign_each_station_once(depot, fleet, database_url, clock):
    other = Database(database_url)
    second = Fleet(depot, other, clock)
    depot.begin("r1", THREE)
    assert fleet.turn().mine == set(THREE)
    turn = second.turn()
    assert not turn.mine
    assert set(turn.allowed) == set(THREE)
    other.close()


def test_a_thousand_are_assigned_in_pieces(depot, fleet):
    stations = [f"a/b/{number}" for number in range(250)]
    depot.begin("r1", stations)
    turns = [fleet.turn(), fleet.turn(), fleet.turn()]
    assert [len(turn.mine) for turn in turns] == [100, 100, 50]
    assert [turn.more for turn in turns] == [True, True, False]
    assert all(one.serial for one in depot.members("r1").values())


def test_what_a_broker_repeats_is_no_news(depot, fleet):
    depot.begin("r1", THREE)
    said = state("a/b/0", refusal={"code": "expired", "why": "old", "mend": "wait", "at": "then"})
    fleet.hear({"a/b/0": said})
    fleet.turn()
    fleet.hear({"a/b/0": said})
    assert depot.members("r1")["a/b/0"].state == "assigned"
    fleet.hear({"a/b/0": said.replace("then", "now")})
    assert depot.members("r1")["a/b/0"].code == "expired"


def test_what_the_broker_has_taken_is_kept(depot, fleet):
    depot.begin("r1", THREE)
    stamps = fleet.turn().stamps
    fleet.turn(taken={"a/b/0": stamps["a/b/0"]})
    assert depot.published() == {"a/b/0": stamps["a/b/0"], "a/b/1": 0, "a/b/2": 0}


def test_all_is_signed_anew_when_it_is_a_day_old(depot, fleet, clock):
    depot.begin("r1", THREE)
    before = fleet.turn().stamps
    assert fleet.turn().stamps == before
    clock.now += 86400 + 3600
    after = fleet.turn().stamps
    assert all(after[name] > before[name] for name in THREE)


def test_nothing_counts_where_signing_failed(depot, fleet, monkeypatch):
    def fail(connection, words):
        raise DatabaseError("no", "mend")

    depot.begin("r1", THREE)
    with monkeypatch.context() as patch:
        patch.setattr(depot.repository, "assign", fail)
        with pytest.raises(DatabaseError):
            fleet.hear({"a/b/0": state("a/b/0")})
    assert {one.state for one in depot.members("r1").values()} == {"waiting"}
    assert fleet.turn().mine == set(THREE)


def test_a_plan_of_a_later_version_is_left_alone(depot, fleet):
    depot.begin("r1", THREE)
    depot.set("r1", plan='{"waves": "by moonlight"}')
    depot.begin("r2", ["a/b/9"])
    assert fleet.turn().mine == {"a/b/9"}


def unlist(depot):
    """As when the signed list was struck behind the roll-out's back."""
    with depot.database.transaction() as connection:
        repository = depot.repository
        roles = repository.open(connection)
        targets = metadata.without_bundle(repository.document(roles, "targets"), DIGEST, NOON)
        keys = repository.document(roles, "root").signed.roles["targets"].keyids
        metadata.sign(targets, repository.ring.signers(keys))
        repository.seal(roles, {"targets": targets})


def lose(depot):
    """As after a restore that was none."""
    with depot.database.transaction() as connection:
        connection.execute(sa.delete(bundles).where(bundles.c.digest == DIGEST))


DIGEST = bundle().digest


@pytest.mark.parametrize("spoil", [unlist, lose])
def test_a_roll_out_that_nobody_could_sign_holds_up_no_other(depot, fleet, clock, spoil):
    depot.begin("r1", [f"a/a/{number}" for number in range(150)], at="2026-11-20T11:00:00.000Z")
    depot.add(bundle(seed=2))
    depot.begin("r2", THREE)
    spoil(depot)
    first, second = fleet.turn(), fleet.turn()
    assert first.mine | second.mine == set(THREE)
    assert not second.more
    assert [one.what.split()[0] for one in second.faults] == ["r1"]
    fleet.hear({"a/b/0": state("a/b/0", depot.assigned()["a/b/0"], running=depot.file.digest)})
    assert depot.members("r2")["a/b/0"].state == "active"
    with depot.database.transaction() as connection:
        add_bundle(depot.repository, connection, bundle())
    clock.now += AGAIN_S
    turn = fleet.turn()
    assert len(turn.mine) == 100
    assert not turn.faults


def test_a_decision_that_cannot_be_made_holds_up_no_other(depot, fleet, clock, monkeypatch):
    def broken(rollout, members, seen):
        if rollout.id == "r1":
            raise ZeroDivisionError("whatever")
        return decide(rollout, members, seen)

    depot.begin("r1", ["a/b/9"])
    depot.begin("r2", THREE)
    with monkeypatch.context() as patch:
        patch.setattr("sync.fleet.advance.decide", broken)
        turn = fleet.turn()
        assert turn.mine == set(THREE)
        assert "r1 does not go on" in turn.faults[0].what
        clock.now -= 1e6  # a clock that was set back is no reason to wait for a week
        assert fleet.turn().faults
    clock.now += 2 * AGAIN_S
    assert fleet.turn().mine == {"a/b/9"}


def test_a_fault_ends_with_its_roll_out(depot, fleet):
    depot.begin("r1", THREE)
    lose(depot)
    assert fleet.turn().faults
    depot.set("r1", state="done")
    with depot.database.transaction() as connection:
        connection.execute(sa.update(members).values(state="cancelled"))
    assert not fleet.turn().faults


def test_a_station_that_was_away_is_tried_again_also_after_a_pause(depot, fleet):
    """Of three assignments it hears the newest alone: that must let in what was refused here."""
    depot.begin("r1", THREE, Plan(("a/b/*",), again=True))
    fleet.turn()
    for state_, action in (("paused", "pause"), ("running", "run")):
        depot.set("r1", state=state_)
        fleet.turn()
        words = depot.assigned().values()
        assert {(one.action, one.again) for one in words} == {(action, True)}


def test_again_is_only_said_where_it_was(depot, fleet):
    depot.begin("r1", THREE)
    fleet.turn()
    for state_ in ("paused", "running"):
        depot.set("r1", state=state_)
        fleet.turn()
    assert {(one.action, one.again) for one in depot.assigned().values()} == {("run", False)}


@pytest.mark.parametrize("at", ["2026-11-20T11:59:59.000Z", "0001-01-01", "nonsense"])
def test_a_forged_pack_that_ours_replaces_within_seconds_stops_no_push(depot, fleet, clock, at):
    depot.begin("r1", THREE, Plan(("a/b/*",)))
    fleet.turn()
    refusal = {"code": "wrong_key", "why": "no signature", "mend": "look", "at": at}
    fleet.hear({"a/b/1": state("a/b/1", refusal=refusal, at=at)})
    fleet.turn()
    assert depot.rollout("r1").state == "running"
    word = depot.assigned()["a/b/1"]
    fleet.hear({"a/b/1": state("a/b/1", word, candidate=trial(word, "shadow"))})
    assert depot.members("r1")["a/b/1"].state == "shadow"
    clock.now += 2 * PATIENCE_S
    fleet.turn()
    assert depot.rollout("r1").state == "running"


def test_a_station_that_goes_on_refusing_ours_is_a_failure(depot, fleet, clock):
    depot.begin("r1", THREE, Plan(("a/b/*",)))
    fleet.turn()
    refusal = {"code": "wrong_key", "why": "no signature", "mend": "look", "at": AT}
    fleet.hear({"a/b/1": state("a/b/1", refusal=refusal)})
    clock.now += PATIENCE_S
    fleet.turn()
    assert depot.rollout("r1").state == "paused"
    assert "wrong_key: no signature" in depot.rollout("r1").why
    assert depot.members("r1")["a/b/1"].state == "refused"


def test_how_long_it_refuses_is_counted_also_while_it_says_other_things(depot, fleet, clock):
    depot.begin("r1", THREE, Plan(("a/b/*",)))
    fleet.turn()
    refusal = {"code": "wrong_key", "why": "no signature", "mend": "look", "at": AT}
    for minute in range(3):
        clock.now += PATIENCE_S / 2
        at = f"2026-11-20T12:0{minute}:00.000Z"
        fleet.hear({"a/b/1": state("a/b/1", refusal=refusal, at=at)})
    assert depot.rollout("r1").state == "paused"
