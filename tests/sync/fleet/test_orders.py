"""What persons order: each order once, all of it or nothing."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from sync.assignment import Limits
from sync.fleet import orders as ordering
from sync.fleet.order import OrderRefused, read
from sync.fleet.orders import matching
from sync.fleet.plan import Plan
from sync.fleet.rollout_tables import bundle_pieces, members, orders, rollouts
from sync.fleet.tables import METADATA, stations
from tests.sync.fleet.ceremonies import Plant
from tests.sync.fleet.depot import bundle

NAMES = [f"a/b/{number}" for number in range(10)]


@pytest.fixture
def plant(tmp_path, database):
    return Plant(tmp_path, database)


def everything(plant):
    """All rows of all tables, but for the times at which documents were stored."""
    with plant.database.transaction() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table)).all()))
            for table in METADATA.sorted_tables
        }


def state(plant, rollout="r1"):
    with plant.database.transaction() as connection:
        row = connection.execute(sa.select(rollouts).where(rollouts.c.id == rollout)).one()
    return row.state, row.why


def states(plant):
    with plant.database.transaction() as connection:
        return {row.station: row.state for row in connection.execute(sa.select(members))}


def read_members(plant):
    with plant.database.transaction() as connection:
        return connection.execute(sa.select(members)).all()


def put(plant, station, **values):
    with plant.database.transaction() as connection:
        own = sa.update(members).where(members.c.station == station)
        connection.execute(own.values(**values))


def word(plant, kind, **more):
    return plant.give(plant.order(kind, {"rollout": "r1", "reason": "odd scores", **more}))


def test_a_push_is_in_the_tables_and_signed(plant):
    plan = Plan(("a/*/*",), waves=("2", "100%"))
    answer = plant.give(plant.push(stations=NAMES, plan=plan), bundle())
    assert answer["state"] == "running"
    assert answer["waves"] == [2, 8]
    assert state(plant) == ("running", None)
    assert states(plant) == dict.fromkeys(NAMES, "waiting")
    file = bundle().as_file()
    assert answer["file"] == file.path
    assert plant.trust().accept(plant.packed(1, file)).assignment.bundle == file


def test_the_same_order_again_changes_nothing_and_is_answered_the_same(plant):
    order = plant.push()
    first = plant.give(order, bundle())
    before = everything(plant)
    assert plant.give(order) == first  # even though its file is gone
    assert everything(plant) == before
    pause = plant.order("pause", {"rollout": "r1"})
    assert plant.give(pause) == plant.give(pause)
    assert state(plant) == ("paused", "ann")


@pytest.mark.parametrize(
    "wrong",
    [
        {"stations": []},
        {"stations": ["a/b"]},
        {"stations": ["a/b/#"]},
        {"stations": "a/b/c"},
        {"stations": [5]},
        {"plan": "{}"},
        {"plan": None},
        {"plan": Plan(("*/*/*",), limits=Limits(min_parts=0)).as_text()},
        {"plan": Plan(("*/*/*",), limits=Limits(max_permissive=float("nan"))).as_text()},
        {"bundle": None},
        {"bundle": {"sha256": "0" * 64}},
        {"targets": None},
        {"targets": "{}"},
        {"base": 1},
    ],
)
def test_a_push_that_is_refused_leaves_no_trace(plant, wrong):
    plant.give(plant.push(bundle(seed=2), rollout="r0"), bundle(seed=2))
    before = everything(plant)
    with pytest.raises(OrderRefused) as refused:
        plant.give(plant.push(but=wrong), bundle())
    assert refused.value.mend
    assert everything(plant) == before


def test_a_list_with_another_bundle_is_not_taken_for_this_one(plant):
    other = plant.push(bundle(seed=2))
    signed = {name: other.body[name] for name in ("root", "targets", "base")}
    before = everything(plant)
    with pytest.raises(OrderRefused, match="another bundle than this"):
        plant.give(plant.push(but=signed), bundle())
    assert everything(plant) == before


def test_a_bundle_that_changed_on_its_way(plant):
    order = plant.push()
    body = {**order.body, "bundle": {**order.body["bundle"]}}
    body["bundle"]["sha256"] = bundle(seed=2).as_file().sha256
    with pytest.raises(OrderRefused, match="not there"):
        plant.give(replace(order, body=body), bundle())
    with pytest.raises(OrderRefused, match="changed on its way"):
        ordering.Orders(plant.with_keys(), lambda name: b"else")._parcel(order.body)


def test_one_version_is_one_bundle(plant):
    plant.give(plant.push(), bundle())
    other = replace(bundle(seed=2), version=bundle().version)
    with pytest.raises(OrderRefused, match="another bundle was pushed"):
        plant.give(plant.push(other, rollout="r2"), other)


def test_pushing_a_signed_bundle_again_needs_no_signature(plant):
    plant.give(plant.push(), bundle())
    order = plant.push(rollout="r2")
    bare = {**order.body, "root": None, "targets": None, "base": None}
    assert plant.give(replace(order, body=bare), bundle())["missing"] == 0


def test_stations_that_are_here_go_first(plant):
    with plant.database.transaction() as connection:
        for name, sync in ((NAMES[7], "up"), (NAMES[3], "down")):
            said = json.dumps({"schema": "station-status/1", "sync": sync})
            row = {"station": name, "at": "2026", "status": said}
            connection.execute(sa.insert(stations), [row])
    plant.give(plant.push(stations=NAMES, plan=Plan(("a/*/*",), waves=("1", "100%"))), bundle())
    with plant.database.transaction() as connection:
        first = sa.select(members.c.station).where(members.c.wave == 0)
        assert connection.execute(first).scalars().all() == [NAMES[7]]


def test_pause_and_resume(plant):
    plant.give(plant.push(stations=NAMES), bundle())
    word(plant, "pause")
    assert state(plant) == ("paused", "ann: odd scores")
    with pytest.raises(OrderRefused, match="is paused"):
        word(plant, "pause")
    for number, one in enumerate(("rejected", "rolled_back", "refused", "active", "canary")):
        put(plant, NAMES[number], state=one, code="died", why="x", serial=5)
    assert word(plant, "resume")["again"] == 3
    assert state(plant) == ("running", None)
    after = states(plant)
    assert all(row.code is None for row in read_members(plant) if row.state == "waiting")
    assert [after[one] for one in NAMES[:6]] == ["waiting"] * 3 + ["active", "canary", "waiting"]


@pytest.mark.parametrize(("keep", "after"), [(False, "rolled_back"), (True, "cancelled")])
def test_rolling_back(plant, keep, after):
    plant.give(plant.push(), bundle())
    assert word(plant, "rollback", keep_active=keep)["state"] == after
    assert state(plant) == (after, "ann: odd scores")
    with pytest.raises(OrderRefused):
        word(plant, "resume")


def test_what_was_cancelled_can_still_be_rolled_back_but_not_the_other_way_round(plant):
    plant.give(plant.push(), bundle())
    word(plant, "rollback", keep_active=True)
    word(plant, "rollback")
    with pytest.raises(OrderRefused, match="is rolled_back"):
        word(plant, "rollback", keep_active=True)


@pytest.mark.parametrize("kind", ["pause", "resume", "rollback"])
def test_a_roll_out_that_is_none(plant, kind):
    with pytest.raises(OrderRefused, match="no roll-out 'r1'"):
        word(plant, kind)


def test_an_order_that_this_version_does_not_know(plant):
    with pytest.raises(OrderRefused, match="knows no order 'fly'"):
        plant.give(plant.order("fly", {}))


class TestTwoSignatures:
    """A push of one person waits for another."""

    @pytest.fixture
    def plant(self, tmp_path, database):
        return Plant(tmp_path, database, targets_keys=3, targets_threshold=2)

    def test_it_begins_with_the_second(self, plant):
        answer = plant.give(plant.push(), bundle())
        assert (answer["state"], answer["missing"]) == ("pending", 1)
        assert state(plant) == ("pending", "signatures are missing: 1")
        signed = plant.signatures("targets-3")
        answer = plant.give(plant.order("sign", {"signatures": signed}, by="bob"))
        assert answer["begun"] == ["r1"]
        assert state(plant) == ("running", None)
        pack = plant.packed(1, bundle().as_file())
        assert plant.trust().accept(pack).assignment.serial == 1

    def test_both_keys_in_one_hand_are_enough(self, plant):
        assert plant.give(plant.push(None, "targets-1", "targets-2"), bundle())["missing"] == 0

    def test_a_second_push_waits_its_turn(self, plant):
        plant.give(plant.push(), bundle())
        with pytest.raises(OrderRefused, match="another change waits"):
            plant.give(plant.push(bundle(seed=2), rollout="r2"), bundle(seed=2))

    @pytest.mark.parametrize("kind", ["rollback", "discard"])
    def test_it_is_given_up(self, plant, kind):
        plant.give(plant.push(), bundle())
        plant.give(plant.order(kind, {"rollout": "r1"}))
        assert state(plant)[0] == "cancelled"
        assert plant.pending() == []
        assert plant.give(plant.push(rollout="r2"), bundle())["state"] == "pending"

    def test_what_waits_does_not_take_the_place_of_what_is_rolled_out(self, plant):
        """Else the roll-out could not even be stopped: the new file may not be assigned yet."""
        both = "targets-1", "targets-2"
        plant.give(plant.push(None, *both), bundle())
        confirmed = replace(bundle(), data=bundle().data + b"confirmed")
        with pytest.raises(OrderRefused, match="r1 still rolls out rings"):
            plant.give(plant.push(confirmed, rollout="r2"), confirmed)
        plant.give(plant.push(confirmed, *both, rollout="r2"), confirmed)
        assert state(plant, "r2")[0] == "running", "signed at once it is in nobody's way"
        plant.give(plant.order("rollback", {"rollout": "r1"}))
        plant.give(plant.order("rollback", {"rollout": "r2"}))
        again = replace(bundle(), data=bundle().data + b"confirmed again")
        assert plant.give(plant.push(again, rollout="r3"), again)["state"] == "pending"

    def test_the_last_signature_comes_twice(self, plant):
        plant.give(plant.push(), bundle())
        first, second = plant.signatures("targets-2"), plant.signatures("targets-3")
        plant.give(plant.order("sign", {"signatures": first}))
        with pytest.raises(OrderRefused, match="meanwhile"):
            plant.give(plant.order("sign", {"signatures": second}))
        assert state(plant) == ("running", None)


def test_roll_outs_are_found_by_how_they_begin(plant):
    for name in ("rings-1.1.0-aa", "rings-1.1.0-ab", "rings-1.1.0-a"):
        plant.give(plant.push(rollout=name), bundle())
    plant.give(plant.order("pause", {"rollout": "rings-1.1.0-ab"}))

    def ask(begin, *wanted):
        with plant.database.transaction() as connection:
            return matching(connection, begin, wanted)

    assert ask("rings-1.1.0-a") == ["rings-1.1.0-a"]
    assert len(ask("rings")) == 3
    assert ask("", "paused") == ["rings-1.1.0-ab"]
    assert ask("", "done") == []
    for name in ("rings-1.1.0-ab", "rings-1.1.0-a"):
        plant.give(plant.order("rollback", {"rollout": name}))
    assert ask("rings") == ["rings-1.1.0-aa"]
    assert ask("rings-1.1.0-a") == ["rings-1.1.0-a"]


def test_orders_are_kept_with_who_gave_them(plant):
    plant.give(plant.push(), bundle())
    pause = plant.order("pause", {"rollout": "r1", "reason": "odd scores"}, by="bob")
    plant.give(replace(pause, account="ops"))
    with plant.database.transaction() as connection:
        rows = connection.execute(sa.select(orders).order_by(orders.c.at, orders.c.id)).all()
        assert connection.execute(sa.select(sa.func.count()).select_from(bundle_pieces)).scalar()
    assert sorted((row.kind, row.by) for row in rows) == [("pause", "bob"), ("push", "ann")]
    answer = next(json.loads(row.answer) for row in rows if row.kind == "pause")
    assert (answer["reason"], answer["account"]) == ("odd scores", "ops")


def test_an_order_comes_back_as_it_was_written(plant):
    order = replace(plant.push(), account="ops")
    assert read(order.as_text()) == order


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"id": 1, "kind": "x", "by": "a", "body": {}}', "[" * 100_000,
     '{"id": "1", "kind": "x", "by": "", "body": {}}',
     '{"id": "1", "kind": "x", "by": "a", "body": 1}',
     '{"id": "1", "kind": "x", "by": "a", "body": {}, "account": 5}'],
)  # fmt: skip
def test_texts_that_are_no_order(text):
    with pytest.raises(OrderRefused):
        read(text)


@given(st.text(max_size=60))
def test_no_text_is_an_order_by_chance(text):
    with pytest.raises(OrderRefused):
        read(text)
