"""`fleet serve --repository` as a process: stations fetch what they are assigned, whatever dies."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from sync.fleet.database import Database
from sync.fleet.plan import Plan, Thresholds
from sync.topics import Station
from tests.edge.test_collecting import Service
from tests.simulators.broker import running_broker
from tests.simulators.patience import until
from tests.simulators.stations import Fetching, breaks_down
from tests.sync.fleet.depot import Depot, bundle

pytestmark = pytest.mark.broker


class Serve(Service):
    """`edge-inspect fleet serve --repository DIR`, and what it says on standard error."""

    def __init__(self, folder, broker, url, repository):
        self.log = folder / f"log-{len(list(folder.glob('log-*')))}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "edge", "fleet", "serve", "--broker", broker),
                    *("--database", url, "--repository", str(repository)),
                ],
                stderr=log,
                stdout=subprocess.PIPE,
            )


class Plant:
    """A broker, a repository, services, and stations that all move in `step`."""

    def __init__(self, folder, broker, url):
        self.folder, self.broker, self.url = folder, broker, url
        self.depot = Depot(folder / "repository", Database(url), time.time)
        self.reader = Depot.reading(url)
        self.stations, self.services = {}, []

    def station(self, name, **how):
        root = next((self.folder / "repository" / "root").glob("1.root.json"))
        station = Station.parse(name)
        folder = self.folder / name.replace("/", "-")
        folder.mkdir(exist_ok=True)
        self.stations[name] = Fetching(self.broker.url, station, folder, root, **how)
        return self.stations[name]

    def serve(self):
        self.depot.database.close()
        service = Serve(self.folder, self.broker.url, self.url, self.depot.folder)
        self.services.append(service)
        service.until_said("fleet.well")
        return service

    def step(self):
        now = time.monotonic()
        if not any([one.step(now) for one in self.stations.values()]):
            threading.Event().wait(0.01)

    def until(self, condition):
        until(condition, self.step)

    def all_run(self, digest):
        return all(one.running == digest for one in self.stations.values())

    def until_all_have_fetched(self, digest):
        """Patient as long as anything arrives: a wave ends as one, and a busy machine is slow."""
        while not self.all_run(digest):
            held = self.held(digest)
            self.until(lambda known=held: self.held(digest) != known)

    def held(self, digest):
        """How much has arrived, and how many run it."""
        stations = self.stations.values()
        return sum(one.bytes for one in stations), sum(one.running == digest for one in stations)

    def state(self, name="r1"):
        return self.reader.rollout(name).state

    def end(self):
        for one in self.services:
            if not one.ended:
                one.process.kill()
                one.process.wait()
            one.process.stdout.close()
        for one in self.stations.values():
            one.transport.close()
        self.reader.database.close()


@pytest.fixture
def broker(tmp_path):
    with running_broker(tmp_path / "broker") as one:
        yield one


@pytest.fixture
def plant(tmp_path, broker):
    one = Plant(tmp_path, broker, f"sqlite:///{tmp_path}/fleet.db")
    yield one
    one.end()


@pytest.fixture
def shared(tmp_path, broker, postgres):
    one = Plant(tmp_path, broker, postgres.create())
    yield one
    one.end()


def names(count):
    return [f"a/b/{number}" for number in range(count)]


def test_a_push_reaches_everybody_wave_by_wave(plant):
    file = plant.depot.add(bundle(200_000))
    plant.depot.begin("r1", names(3), Plan(("a/b/*",), waves=("1", "100%")))
    for name in names(3):
        plant.station(name)
    service = plant.serve()
    plant.until(lambda: plant.all_run(file.digest))
    plant.until(lambda: plant.state() == "done")
    assert sum(one.bytes for one in plant.stations.values()) <= 3 * 200_000 * 1.02
    assert service.end() == 0
    assert "fleet.rollout" in service.said
    for one in plant.stations.values():
        zipped = one.folder / "inbox" / f"{file.sha256}.zip"
        assert zipped.read_bytes() == bundle(200_000).data


def test_a_breach_pauses_and_the_station_hears_it(plant):
    plant.depot.add(bundle())
    plan = Plan(("a/b/*",), waves=("1", "100%"), thresholds=Thresholds())
    waves = plant.depot.begin("r1", names(3), plan)
    first = next(name for name, wave in waves.items() if wave == 0)
    for name in names(3):
        plant.station(name, **({"line": breaks_down} if name == first else {}))
    plant.serve()
    plant.until(lambda: plant.state() == "paused")
    assert f"{first} (died: 3 times)" in plant.reader.rollout("r1").why
    others = [one for name, one in plant.stations.items() if name != first]
    assert not any(one.pieces for one in others)


@pytest.mark.slow
def test_a_broker_that_forgot_gets_the_packs_again(plant, broker):
    file = plant.depot.add(bundle())
    plant.depot.begin("r1", names(1))
    plant.serve()
    plant.until(lambda: plant.reader.published().get("a/b/0", 0) > 0)
    broker.kill()
    broker.wipe()
    broker.start()
    plant.station("a/b/0")
    plant.until(lambda: plant.all_run(file.digest))


@pytest.mark.slow
def test_a_reconnection_costs_stations_nothing(plant):
    file = plant.depot.add(bundle())
    plant.depot.begin("r1", names(1))
    station = plant.station("a/b/0")
    first = plant.serve()
    plant.until(lambda: plant.all_run(file.digest))
    plant.until(lambda: plant.state() == "done")
    packs = station.packs
    first.end()
    second = plant.serve()
    plant.depot.begin("r2", ["a/b/9"])
    plant.until(lambda: plant.reader.published().get("a/b/9", 0) > 0)
    assert station.packs == packs
    assert second.end() == 0


def test_wants_for_what_is_not_assigned_are_counted_and_ignored(plant):
    from sync.want import Want, encode_want

    file = plant.depot.add(bundle())
    plant.depot.begin("r1", names(1))
    thief, owner = plant.station("a/b/9"), plant.station("a/b/0")
    service = plant.serve()
    plant.until(lambda: owner.running == file.digest)
    want = encode_want(Want(file.sha256, file.size, file.piece, ((0, 0),), 1))
    thief.transport.publish(thief.station.model_want, want)
    thief.transport.publish(thief.station.model_want, b"{")
    thief.transport.publish(thief.station.model_state, b"nonsense")
    plant.until(lambda: "fleet.nonsense" in service.said)
    assert thief.pieces == 0
    assert not service.ended


@pytest.mark.slow
@pytest.mark.postgres
def test_two_share_the_work_and_one_may_die(shared):
    file = shared.depot.add(bundle(1_500_000))
    shared.depot.begin("r1", names(6))
    first, second = shared.serve(), shared.serve()
    for name in names(6):
        shared.station(name)
    pieces = -(-file.size // file.piece)
    shared.until(lambda: sum(one.pieces for one in shared.stations.values()) > pieces)
    first.end(signal.SIGKILL)
    shared.until(lambda: shared.all_run(file.digest))
    shared.until(lambda: shared.state() == "done")
    assert {one.serial for one in shared.reader.members("r1").values()} == {
        one.serial for one in shared.reader.assigned().values()
    }
    assert second.end() == 0


@pytest.mark.slow
def test_five_megabytes_reach_a_hundred_stations(plant):
    file = plant.depot.add(bundle(5_000_000))
    plant.depot.begin("r1", names(100), Plan(("a/b/*",), waves=("1", "10%", "100%")))
    for name in names(100):
        plant.station(name)
    service = plant.serve()
    plant.until_all_have_fetched(file.digest)
    plant.until(lambda: plant.state() == "done")
    assert sum(one.bytes for one in plant.stations.values()) <= 100 * file.size * 1.02
    assert service.end() == 0


@pytest.mark.slow
def test_records_are_collected_while_models_go_out(plant):
    from tests.edge.test_collecting import Talk
    from tests.sync.fleet.plant import Chain

    file = plant.depot.add(bundle(3_000_000))
    plant.depot.begin("r1", names(4))
    for name in names(4):
        plant.station(name)
    plant.serve()
    talk, chain = Talk(plant.broker.url), Chain(2000)
    plant.until(lambda: plant.stations["a/b/0"].pieces > 3)
    stop = threading.Event()
    moving = threading.Thread(target=lambda: [plant.step() for _ in iter(stop.is_set, True)])
    moving.start()
    try:
        talk.send(chain, 1, 2000)
    finally:
        stop.set()
        moving.join()
        talk.transport.close()
    assert talk.through == 2000
    plant.until(lambda: plant.all_run(file.digest))


def test_a_folder_that_is_no_repository_ends_the_start(tmp_path, broker):
    service = Serve(tmp_path, broker.url, f"sqlite:///{tmp_path}/fleet.db", tmp_path)
    assert service.process.wait(30) == 2
    assert "fleet init" in service.said
    service.process.stdout.close()


def test_without_its_key_records_are_collected_all_the_same(plant):
    plant.depot.add(bundle())
    plant.depot.begin("r1", names(1))
    for key in (plant.depot.folder / "keys").glob("assignments*"):
        key.unlink()
    service = plant.serve()
    service.until_said("r1 does not go on: the key that signs assignments")
    assert not service.ended
    assert plant.reader.members("r1")["a/b/0"].state == "waiting"
