"""A signed bundle from the fleet to the inbox of a real sync, over a real broker, and what cuts
cost: bytes are counted where they are sent."""

from __future__ import annotations

import json
import time
from random import Random

import pytest

from sync.topics import Station
from sync.want import piece_size
from tests.appliance.station import config_of, start, station
from tests.simulators.broker import Broker
from tests.simulators.fleet import Fleet
from tests.simulators.patience import until
from tests.simulators.signer import Signer, assignment_of, bundle_file

pytestmark = [pytest.mark.broker, pytest.mark.slow]
HERE = Station("plant", "line", "station")
SIZE = 5_000_000
DATA = Random(1).randbytes(SIZE)
EXTRA = 0.02


class Plant:
    """A broker, a fleet with keys, and a station of which only sync runs."""

    def __init__(self, folder):
        self.broker = Broker(folder / "broker")
        self.broker.start()
        self.fleet = Fleet(self.broker.url)
        self.signer = Signer(at=time.time() - 60)
        (folder / "root.json").write_bytes(self.signer.roots[0])
        sync = {"broker": self.broker.url, "trust_root_file": "root.json"}
        sync["models_bytes_per_s"] = "5MB"
        self.settings = station(folder, {"source": "synthetic"}, sync=sync)
        self.inbox = config_of(self.settings).state_dir / "inbox"
        self.sync = None
        until(lambda: self.fleet.subscribed, self.step)

    def begin(self):
        self.sync = start(self.settings, "sync")

    def kill(self):
        self.sync.kill()
        self.sync.communicate()
        self.sync = None

    def step(self):
        self.fleet.step(time.monotonic())
        self.fleet.transport.wait(0.01)

    def assign(self, data=DATA, serial=1, **changes):
        bundle = bundle_file(data, piece=piece_size(len(data)))
        self.fleet.files[bundle.sha256] = data
        word = assignment_of(str(HERE), serial, bundle, self.signer.at, **changes)
        self.signer.assign(word)
        self.fleet.assign(HERE, self.signer.pack(str(HERE)))
        return bundle

    def until_sent(self, share):
        """Go on until the fleet has sent this share of the bytes."""
        until(lambda: self.fleet.sent >= share * SIZE, self.step)

    def entry(self):
        path = self.inbox / "assignment.json"
        return json.loads(path.read_bytes()) if path.exists() else {"state": "none"}

    def until_verified(self):
        until(lambda: self.entry()["state"] == "verified", self.step)
        assert (self.inbox / self.entry()["file"]).read_bytes() == DATA

    def close(self):
        if self.sync is not None:
            self.kill()
        self.fleet.close()
        if self.broker.running:
            self.broker.kill()


@pytest.fixture
def plant(tmp_path):
    plant = Plant(tmp_path)
    yield plant
    plant.close()


def test_what_is_sent_without_a_cut_is_the_file_once(plant):
    plant.assign()
    plant.begin()
    plant.until_verified()
    assert plant.fleet.sent == SIZE
    said = lambda: json.loads(plant.fleet.states[str(HERE)])  # noqa: E731
    until(lambda: said()["delivery"]["state"] == "verified", plant.step)
    assert said()["desired"]["serial"] == 1
    assert said()["station"] == str(HERE)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_killed_in_the_middle(plant, share):
    plant.begin()
    plant.assign()
    plant.until_sent(share)
    plant.kill()
    plant.begin()
    plant.until_verified()
    assert plant.fleet.sent <= SIZE * (1 + EXTRA)


def test_killed_again_and_again(plant):
    plant.assign()
    kills = 4
    for turn in range(1, kills + 1):
        plant.begin()
        plant.until_sent(turn / (kills + 1))
        plant.kill()
    plant.begin()
    plant.until_verified()
    assert plant.fleet.sent <= SIZE * (1 + kills * EXTRA)


def test_the_broker_ends_in_the_middle(plant):
    plant.begin()
    plant.assign()
    for share in (0.3, 0.6):
        plant.until_sent(share)
        plant.broker.kill()
        plant.broker.start()
    plant.until_verified()
    assert plant.fleet.sent <= SIZE * (1 + 2 * EXTRA)


def test_superseded_in_the_middle(plant):
    plant.begin()
    old = plant.assign(Random(2).randbytes(4 * SIZE))
    plant.until_sent(0.4)
    plant.assign(serial=2)
    plant.until_verified()
    assert [path.name for path in plant.inbox.iterdir() if old.sha256 in path.name] == []
    assert plant.entry()["assignment"]["serial"] == 2
