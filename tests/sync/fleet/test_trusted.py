"""What the fleet's repository signs is what a station takes."""

import pytest

from sync.refusals import TrustRefused
from sync.trust import Trust
from tests.simulators.signer import assignment_of
from tests.sync.fleet.depot import NOON, Depot, bundle

STATION = "plant-a/line-3/caps"
AT = {"at": NOON}


@pytest.fixture
def depot(tmp_path, database):
    made = Depot(tmp_path / "fleet", database)
    made.add(bundle())
    return made


def station(folder, depot):
    root = folder / "root.json"
    root.write_bytes(depot.repository.folder.roots()[1])
    return Trust(folder / "trust", root, STATION, now=lambda: NOON, clock_synced=lambda: True)


def packed(depot, *serials, **changes):
    """Assign, and the pack of the last."""
    with depot.database.transaction() as connection:
        for serial in serials:
            word = assignment_of(STATION, serial, depot.file, **AT, **changes)
            depot.repository.assign(connection, {STATION: word})
        return depot.repository.pack(connection, STATION)


def test_an_assignment(tmp_path, depot):
    trust = station(tmp_path, depot)
    first = packed(depot, 1)
    assert trust.accept(first).assignment == assignment_of(STATION, 1, depot.file, **AT)
    assert trust.accept(packed(depot, 2, 3)).assignment.serial == 3
    with pytest.raises(TrustRefused) as refused:
        trust.accept(first)
    assert refused.value.code == "rollback"


def test_a_renewed_pack(tmp_path, depot):
    trust = station(tmp_path, depot)
    assert trust.accept(packed(depot, 1)).assignment.serial == 1
    with depot.database.transaction() as connection:
        assert depot.repository.renew(connection, NOON + 2 * 86400)
        pack = depot.repository.pack(connection, STATION)
    assert trust.accept(pack).assignment.serial == 1
