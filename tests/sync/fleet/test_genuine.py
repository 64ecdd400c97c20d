import json

import pytest

from sync.fleet.genuine import AHEAD_S, NONE, version
from sync.fleet.repository import Repository
from sync.fleet.roles import Roles
from sync.pack import pack, unpack
from tests.simulators.signer import assignment_of
from tests.sync.fleet.depot import NOON, Depot, bundle

ONE, TWO = "a/b/one", "a/b/two"


class Bench:
    """Two stations with assignments, in the same bin or not."""

    def __init__(self, folder, database):
        self.depot = Depot(folder, database)
        self.database, self.file = database, self.depot.add(bundle())
        self.assign(1)

    def assign(self, serial):
        words = {
            one: assignment_of(station=one, serial=serial, bundle=self.file) for one in (ONE, TWO)
        }
        with self.database.transaction() as connection:
            self.depot.repository.assign(connection, words)

    def renew(self):
        with self.database.transaction() as connection:
            self.depot.repository.reseal(Roles(connection, ""))

    def files(self, station=ONE):
        return dict(unpack(self.pack(station)).files)

    def pack(self, station=ONE):
        with self.database.transaction() as connection:
            return self.depot.repository.pack(connection, station)

    @property
    def roots(self):
        with self.database.transaction() as connection:
            return Roles(connection, "").history("root")

    def stamp(self):
        return json.loads(self.files()["timestamp.json"])["signed"]["version"]

    def judged(self, files, at="2026-11-20T12:00:00.000Z"):
        return version(pack(files, at), ONE, self.roots, NOON)


@pytest.fixture
def bench(tmp_path, database):
    return Bench(tmp_path / "repository", database)


def test_ours_is_ours_also_an_older_one(bench):
    old, stamp = bench.files(), bench.stamp()
    assert version(bench.pack(), ONE, bench.roots, NOON) == stamp
    bench.assign(2)
    assert bench.judged(old) == stamp
    assert bench.judged(bench.files()) == bench.stamp() > stamp
    bench.renew()
    assert bench.judged(bench.files()) == bench.stamp()


def test_no_file_of_it_can_be_another_or_missing_or_one_more(bench):
    """With a right timestamp alone it would be left at the broker, and refused by the station."""
    files = bench.files()
    for name, text in files.items():
        spoilt = text.replace("a", "b", 1)
        assert bench.judged({**files, name: spoilt}) == NONE, name
        assert bench.judged({one: files[one] for one in files if one != name}) == NONE, name
    assert bench.judged({**files, "2.root.json": files["1.root.json"]}) == NONE
    stamp = json.dumps({"signed": {"version": bench.stamp()}})
    assert bench.judged({"timestamp.json": stamp}) == NONE


def test_that_of_another_station_is_none(bench):
    assert bench.judged(bench.files(TWO)) == NONE
    assert bench.judged({}) == NONE
    assert version(b"noise", ONE, bench.roots, NOON) == NONE
    assert version(bench.pack(), ONE, {}, NOON) == NONE


def test_a_pack_from_the_future_is_none(bench):
    """A station without a clock would refuse it."""
    files = bench.files()
    assert bench.judged(files, "2026-11-20T12:30:00.000Z") == bench.stamp()
    assert version(pack(files, "2026-11-20T14:00:00Z"), ONE, bench.roots, NOON + AHEAD_S) > NONE
    assert bench.judged(files, "2026-11-22T12:00:00.000Z") == NONE


def test_another_repository_signs_nothing_here(bench, tmp_path):
    other = Repository.create(tmp_path / "other", wall=lambda: NOON)
    roots = other.folder.roots()
    assert version(bench.pack(), ONE, roots, NOON) == NONE
