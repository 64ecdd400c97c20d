"""Who has a bundle, or gets it, by the same plan; and the file of what was pushed."""

import pytest
import sqlalchemy as sa

from edge.records import utc
from sync.fleet.advance import Advance
from sync.fleet.order import OrderRefused
from sync.fleet.plan import Plan
from sync.fleet.pushed import parcel, taking
from sync.fleet.rollout_tables import bundle_pieces
from tests.sync.fleet.depot import bundle, state

TWO = ("a/b/0", "a/b/1")
PLAN = Plan(("a/b/*",), waves=("1", "100%"))


@pytest.fixture
def turn(depot, database, clock):
    advance = Advance(database, depot.repository, clock, utc)

    def take(running=None):
        clock.now += 1
        said = {}
        if running is not None:
            words = depot.assigned()
            said = {one: state(one, words[one], running=running) for one in words}
        advance.turn(said, {})

    return take


def asked(depot, digest, plan=PLAN):
    with depot.database.transaction() as connection:
        return taking(connection, digest, plan)


def test_who_waits_for_a_wave_who_has_begun_and_who_has_it(depot, turn):
    digest = depot.file.digest
    depot.begin("r1", TWO, PLAN)
    for running in (None, digest, None, digest, None):
        turn(running)
        assert asked(depot, digest) == dict.fromkeys(TWO, "r1")
    assert depot.rollout("r1").state == "done"
    assert asked(depot, digest, Plan(("a/b/*",))) == {}
    assert asked(depot, "9" * 64) == {}


def test_who_has_gone_on_to_another_bundle_has_it_no_more(depot, turn):
    first = depot.file.digest
    depot.begin("r1", TWO, PLAN, at="2026-11-20T11:00:00.000Z")
    for running in (None, first, None, first):
        turn(running)
    second = depot.add(bundle(seed=2)).digest
    depot.begin("r2", TWO[:1])
    turn()
    assert asked(depot, first) == {TWO[1]: "r1"}
    assert asked(depot, second, Plan(("*/*/*",))) == {TWO[0]: "r2"}


@pytest.mark.parametrize("state", ["cancelled", "rolled_back"])
def test_nobody_gets_what_was_called_off(depot, turn, state):
    depot.begin("r1", TWO, PLAN)
    turn()
    depot.set("r1", state=state)
    assert asked(depot, depot.file.digest) == {}


def test_the_file_as_it_was_pushed(depot):
    with depot.database.transaction() as connection:
        assert parcel(connection, depot.file.digest[:8]) == bundle()
        with pytest.raises(OrderRefused, match="0 bundles"):
            parcel(connection, "%")
        last = bundle_pieces.c.number == len(depot.file.pieces) - 1
        connection.execute(sa.delete(bundle_pieces).where(last))
        with pytest.raises(OrderRefused, match="not in the database any more"):
            parcel(connection, depot.file.digest)
