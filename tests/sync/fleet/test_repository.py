import re
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from sync.assignment import parse
from sync.fleet import shelf
from sync.fleet.database import Database
from sync.fleet.folder import Founding, RepositoryError
from sync.fleet.metadata import bin_of, missing
from sync.fleet.repository import Repository
from sync.fleet.rollout_tables import assignments, bundle_pieces
from sync.pack import unpack
from sync.refusals import TrustRefused
from tests.simulators.signer import assignment_of
from tests.sync.fleet.ceremonies import STATION, Plant
from tests.sync.fleet.depot import NOON, add_bundle, bundle

DAY = 86400.0


@pytest.fixture
def plant(tmp_path, database):
    return Plant(tmp_path, database)


def add(plant, parcel=None):
    with plant.database.transaction() as connection:
        return add_bundle(plant.whole, connection, parcel or bundle())


def rows(plant, work):
    with plant.database.transaction() as connection:
        return work(connection)


def test_a_station_takes_what_was_assigned_to_it_and_nobody_else_does(plant):
    file = add(plant)
    others = {f"plant-a/line-3/{n}": n for n in range(40)}
    words = {one: assignment_of(one, 7, file, at=NOON) for one in others}
    rows(plant, lambda connection: plant.whole.assign(connection, words))
    pack = plant.packed(8, file)
    assert plant.trust().accept(pack).assignment.serial == 8
    foreign = rows(plant, lambda connection: plant.whole.pack(connection, "plant-a/line-3/1"))
    with pytest.raises(TrustRefused) as refused:
        plant.trust("other").accept(foreign)
    assert refused.value.code == "other_station"


def test_a_pack_holds_only_what_its_station_needs(plant):
    file = add(plant)
    names = {re.sub(r"^\d+\.", "", one) for one in unpack(plant.packed(1, file)).files}
    assert names == {
        "root.json", "targets.json", "snapshot.json", "timestamp.json",
        f"{bin_of(STATION)}.json", f"targets/assignments/{STATION}.json",
    }  # fmt: skip


def test_a_station_without_assignment_has_no_pack(plant):
    add(plant)
    assert rows(plant, lambda connection: plant.whole.pack(connection, STATION)) is None


@pytest.mark.parametrize("serial", [1, 2])
def test_no_assignment_is_older_than_the_one_before(plant, serial):
    file = add(plant)
    plant.packed(2, file)
    with pytest.raises(RepositoryError, match="older"):
        plant.packed(serial, file)


def test_one_wrong_assignment_and_none_counts(plant):
    file = add(plant)
    good = assignment_of(STATION, 5, file, at=NOON)
    wrong = {"a/b/c": replace(good, station="a/b/d")}
    with pytest.raises(RepositoryError, match=r"a/b/d for a/b/c"):
        rows(plant, lambda one: plant.whole.assign(one, {STATION: good, **wrong}))
    with pytest.raises(RepositoryError, match="no station would take"):
        rows(plant, lambda one: plant.whole.assign(one, {STATION: b"{}"}))
    assert rows(plant, lambda connection: plant.whole.pack(connection, STATION)) is None


def test_what_the_targets_keys_did_not_sign_is_not_assigned(plant):
    file = add(plant)
    swapped = replace(file, sha256="0" * 64)
    with pytest.raises(RepositoryError, match="not signed"):
        plant.packed(1, swapped)
    for action in ("cancel", "rollback"):
        word = replace(assignment_of(STATION, 5, swapped, at=NOON), action=action)
        with plant.database.transaction() as connection:
            plant.whole.assign(connection, {STATION: replace(word, serial=5 + len(action))})


def test_who_has_only_the_online_keys_lists_no_bundle(plant):
    add(plant)

    def lacking(connection):
        repository = plant.with_keys()
        roles = repository.open(connection)
        listing = repository.listing(roles, bundle(seed=2).as_file())
        return missing(listing, repository.document(roles, "root"))

    assert rows(plant, lacking) == 1


def test_without_the_online_keys_nothing_is_assigned(plant):
    file = add(plant)
    (plant.whole.folder.keys / "assignments.pem").unlink()
    fresh = Repository(plant.whole.folder.path, wall=lambda: NOON)
    word = assignment_of(STATION, 1, file, at=NOON)
    with pytest.raises(RepositoryError, match="the key that signs assignments"):
        rows(plant, lambda connection: fresh.assign(connection, {STATION: word}))


def test_renewing_once_a_day_keeps_packs_alive(plant):
    file = add(plant)
    plant.packed(1, file)
    plant.packed(1, file, "a/b/c")
    before = signed(plant)
    assert not rows(plant, plant.whole.renew)
    assert signed(plant) == before
    for day in range(1, 12):
        plant.now = NOON + day * DAY
        assert rows(plant, plant.whole.renew)
        assert not rows(plant, plant.whole.renew)
    after = signed(plant)
    assert all(after[one] > before[one] for one in (STATION, "a/b/c"))
    pack = rows(plant, lambda connection: plant.whole.pack(connection, STATION))
    assert plant.trust().accept(pack).assignment.serial == 1


def test_a_pack_that_nobody_renewed_expires(plant):
    file = add(plant)
    pack = plant.packed(1, file)
    plant.now = NOON + 8 * DAY
    with pytest.raises(TrustRefused) as refused:
        plant.trust().accept(pack)
    assert refused.value.code == "expired"


def test_the_pieces_are_those_of_the_file(plant):
    parcel = bundle(100_001)
    file = add(plant, parcel)
    assert add(plant, parcel) == file
    with plant.database.transaction() as connection:
        assert shelf.read(connection, parcel.digest) == file
        assert shelf.read(connection, "0" * 64) is None
        assert shelf.versions(connection, "rings") == {parcel.version: parcel.digest}
        found = list(pieces(connection, file))
    assert b"".join(found) == parcel.data
    assert [len(one) for one in found] == [file.length(n) for n in range(len(file.pieces))]


def test_a_bundle_that_was_confirmed_since_is_another_file_of_the_same_bundle(plant):
    parcel = bundle()
    first = add(plant, parcel)
    second = add(plant, replace(parcel, data=parcel.data + b"confirmed"))
    assert first.digest == second.digest
    assert first.path != second.path
    pack = plant.packed(1, first)  # both stay signed, and can be fetched
    assert plant.trust().accept(pack).assignment.bundle == first
    with plant.database.transaction() as connection:
        assert shelf.read(connection, parcel.digest) == second
        assert b"".join(pieces(connection, first)) == parcel.data


def test_a_database_of_another_repository_is_refused(plant, tmp_path):
    add(plant)
    other = Repository.create(tmp_path / "other", wall=lambda: NOON)
    with pytest.raises(RepositoryError, match="belongs to another repository"):
        rows(plant, other.renew)


def test_two_folders_of_the_same_keys_share_one_database(plant, tmp_path, database_url):
    file = add(plant)
    twin = Repository(plant.whole.folder.path, wall=lambda: NOON)
    second = Database(database_url)
    for serial, (repository, opened) in enumerate(
        [(plant.whole, plant.database), (twin, second)] * 3, 1
    ):
        with opened.transaction() as connection:
            word = assignment_of(STATION, serial, file, at=NOON)
            repository.assign(connection, {STATION: word})
    second.close()
    pack = rows(plant, lambda connection: twin.pack(connection, STATION))
    assert plant.trust().accept(pack).assignment.serial == 6


def test_several_at_once_lose_nothing(plant, database_url):
    file = add(plant)
    failed = []

    def work(name):
        opened = Database(database_url)
        try:
            for serial in range(1, 11):
                together.wait()
                with opened.transaction() as connection:
                    word = assignment_of(name, serial, file, at=NOON)
                    plant.whole.assign(connection, {name: word})
        except Exception as error:
            failed.append(error)
            together.abort()
        finally:
            opened.close()

    names = [STATION, "a/b/c", "a/b/d", "a/b/e"]
    together = threading.Barrier(len(names), timeout=60)
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for name in names:
        pack = rows(plant, lambda connection, name=name: plant.whole.pack(connection, name))
        trust = plant.trust(f"trust-{names.index(name)}", station=name)
        assert trust.accept(pack).assignment.serial == 10


def test_a_lost_database_is_begun_again_and_stations_follow(plant, tmp_path):
    """The folder's copy holds root and the list of bundles; versions never go back."""
    file = add(plant)
    for serial in range(1, 6):
        pack = plant.packed(serial, file)
    trust = plant.trust()
    trust.accept(pack)
    with plant.database.transaction() as connection:
        plant.whole.keep_copy(connection)
    plant.now = NOON + DAY
    plant.database = Database(f"sqlite:///{tmp_path}/new.db")
    with pytest.raises(RepositoryError, match="no repository yet"):
        rows(plant, plant.whole.look)
    again = plant.packed(6, file)
    assert trust.accept(again).assignment.serial == 6
    assert parse(unpack(again).files[f"targets/assignments/{STATION}.json"].encode()).serial == 6
    plant.database.close()


def test_founding(tmp_path):
    with pytest.raises(RepositoryError, match="would need 3"):
        Repository.create(tmp_path / "a", Founding(root_keys=2, root_threshold=3))
    with pytest.raises(RepositoryError, match="is no repository"):
        Repository(tmp_path / "a")  # what was left of it
    with pytest.raises(RepositoryError, match="not empty"):
        Repository.create(tmp_path / "a")
    with pytest.raises(RepositoryError, match="is no repository"):
        Repository(tmp_path / "nowhere")


def test_a_folder_with_a_missing_root(plant):
    add(plant)
    plant.whole.folder.path.joinpath("root", "1.root.json").unlink()
    with pytest.raises(RepositoryError, match="every root"):
        rows(plant, plant.whole.renew)


def signed(plant):
    """The version of the timestamp that vouches for each station's assignment."""
    with plant.database.transaction() as connection:
        found = connection.execute(sa.select(assignments))
        return {row.station: row.signed for row in found}


def pieces(connection, file):
    table = bundle_pieces
    query = sa.select(table.c.data).where(table.c.sha256 == file.sha256).order_by(table.c.number)
    return [bytes(one) for one in connection.execute(query).scalars()]
