import pytest
import sqlalchemy as sa

from sync.fleet import metadata, shelf
from sync.fleet.rollout_tables import bundle_pieces
from tests.sync.fleet.depot import NOON, Depot, bundle

FIRST, SECOND = bundle(), bundle(seed=2)


@pytest.fixture
def depot(tmp_path, database):
    depot = Depot(tmp_path / "repository", database)
    for parcel in (FIRST, SECOND):
        depot.add(parcel)
    return depot


def strike(depot, parcel):
    with depot.database.transaction() as connection:
        repository = depot.repository
        roles = repository.open(connection)
        targets = repository.document(roles, "targets")
        struck = metadata.without_bundle(targets, parcel.digest, NOON)
        keys = repository.document(roles, "root").signed.roles["targets"].keyids
        metadata.sign(struck, repository.ring.signers(keys))
        repository.seal(roles, {"targets": struck})


def renew(depot, times=3):
    for _ in range(times):
        with depot.database.transaction() as connection:
            depot.repository.renew(connection)


def held(depot):
    with depot.database.transaction() as connection:
        query = sa.select(bundle_pieces.c.sha256, sa.func.count()).group_by(bundle_pieces.c.sha256)
        return {str(sha256): count for sha256, count in connection.execute(query)}


def test_what_is_listed_stays(depot):
    before = held(depot)
    assert len(before) == 2
    renew(depot)
    assert held(depot) == before


def test_what_was_struck_goes_and_comes_back_with_the_next_push(depot):
    before = held(depot)
    strike(depot, SECOND)
    renew(depot)
    assert held(depot).keys() == before.keys() - {SECOND.as_file().sha256}
    depot.add(SECOND)
    renew(depot)
    assert held(depot) == before


@pytest.mark.parametrize(
    ("state", "stays"),
    [("pending", True), ("running", True), ("paused", True), ("done", False), ("cancelled", False)],
)
def test_while_a_roll_out_may_still_ask_for_it_it_stays(depot, state, stays):
    """One that waits for signatures is not listed yet."""
    strike(depot, SECOND)
    depot.begin("r1", ["a/b/c"], digest=SECOND.digest)
    depot.set("r1", state=state)
    renew(depot)
    assert (SECOND.as_file().sha256 in held(depot)) is stays


def test_one_file_goes_at_a_time(depot):
    """Records wait for no longer."""
    for parcel in (FIRST, SECOND):
        strike(depot, parcel)
    renew(depot, 1)
    assert len(held(depot)) == 1
    with depot.database.transaction() as connection:
        assert shelf.read(connection, FIRST.digest) == FIRST.as_file(), "what it was is still known"
