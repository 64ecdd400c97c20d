"""A real journal, a real broker, and a collector that verifies: nothing recorded is lost."""

from __future__ import annotations

import random
import time

import pytest

from edge.outbox import Outbox, Outboxes
from edge.store.journal import Journal
from sync.backoff import Backoff
from sync.broker import Address
from sync.mqtt import MqttTransport, Settings, Will
from sync.position import PositionFile
from sync.stream import Bounds
from sync.topics import Station
from sync.uplink import Settings as Delivery
from sync.uplink import Uplink
from tests.edge.store.builders import sure
from tests.simulators.broker import Broker
from tests.simulators.collector import Collector
from tests.simulators.patience import until

pytestmark = pytest.mark.broker
STATION = Station("plant-a", "line-3", "caps")


class Plant:
    """Line, sync and collector around one broker; everything moves in `step`."""

    collects = False

    def __init__(self, folder):
        self.folder = folder
        self.broker = Broker(folder / "broker")
        self.journal = Journal.open(folder / "line.db", "boot-1", 0)
        self.outbox = Outbox(folder / "line.db")
        self.collector = self.begin_collector()
        self.transport = self.uplink = None
        self.start_sync()

    def start_sync(self):
        address = Address.parse(self.broker.url)
        will = Will(STATION.status, b'{"sync": "down"}')
        self.transport = MqttTransport(Settings(address, "sync", will=will))
        self.uplink = Uplink(
            Outboxes(self.folder),
            self.transport,
            STATION,
            PositionFile(self.folder / "sync.json"),
            Backoff(random.random, 0.05, 0.3),
            settings=Delivery(
                self.collects,
                Bounds(max_rows=20, poll_s=0.01, look_every_s=0.05),
                no_progress_s=3.0,
                settle_s=0.05,
            ),
            chance=random.random,
        )

    def begin_collector(self):
        return Collector(self.broker.url, STATION)

    @property
    def troubles(self):
        return self.uplink.troubles(time.monotonic())

    @property
    def position(self):
        return self.uplink.streams.current["line"].position

    def record(self, count):
        self.journal.append(sure(count // 2))

    def step(self):
        now = time.monotonic()
        busy = self.uplink.step(now).busy
        self.collector.step(now)
        if not busy:
            self.transport.wait(0.005)

    def step_sync(self):
        if not self.uplink.step(time.monotonic()).busy:
            self.transport.wait(0.005)

    def subscribe(self):
        """First the collector: what the broker takes while nobody listens is gone for us."""
        self.collector.subscribed = False  # it may not have seen yet that the broker went
        until(lambda: self.collector.subscribed, self.step_collector)

    def step_collector(self):
        self.collector.step(time.monotonic())
        self.transport.wait(0.005)

    def arrived(self):
        return self.collector.joined(self.journal.head[0])

    def close(self):
        self.transport.close()
        self.collector.close()
        self.outbox.close()
        self.journal.close()
        if self.broker.running:
            self.broker.kill()


@pytest.fixture
def plant(tmp_path):
    plant = Plant(tmp_path)
    yield plant
    plant.close()


def test_2000_records_over_three_broker_restarts(plant):
    plant.broker.start()
    plant.subscribe()
    for part in range(4):
        for _ in range(25):
            plant.record(20)
            plant.step()
        if part < 3:
            plant.broker.stop()
            plant.record(2)
            until(lambda: not plant.uplink.connected, plant.step)
            plant.broker.start()
            plant.subscribe()
    total = plant.journal.head[1]
    assert total == 2006
    until(lambda: plant.uplink.drained and plant.arrived() == total, plant.step)
    assert plant.collector.nonsense == 0
    stored = [row.body for row in plant.outbox.rows(0, 5000, 1 << 30, plant.journal.head[0])]
    assert [plant.collector.records[plant.journal.head[0]][n + 1] for n in range(total)] == stored


def test_kill_minus_9_of_the_broker_with_its_store_wiped(plant):
    """What was not acknowledged arrives; what was, is the broker's word and may be lost with it."""
    plant.broker.start()
    plant.subscribe()
    acknowledged = set()
    for _ in range(4):
        plant.record(100)
        for _ in range(6):
            plant.step()
        plant.broker.kill()
        plant.broker.wipe()
        until(lambda: not plant.uplink.connected, plant.step)
        acknowledged |= set(range(1, plant.position.seq + 1))
        plant.broker.start()
        plant.subscribe()
    plant.record(100)
    total, epoch = plant.journal.head[1], plant.journal.head[0]
    wanted = set(range(1, total + 1)) - acknowledged

    def whole():
        return plant.uplink.drained and wanted <= set(plant.collector.records[epoch])

    until(whole, plant.step)
    assert plant.position.seq == total
    assert plant.collector.nonsense == 0
    assert len(wanted) >= 100


def test_no_broker_at_start(plant):
    plant.record(40)
    until(lambda: plant.troubles and plant.uplink.streams.backlog == 40, plant.step)
    assert "nobody listens" in plant.troubles[0].what
    plant.broker.start()
    plant.subscribe()
    until(lambda: plant.uplink.drained and plant.arrived() == 40, plant.step)
    assert plant.troubles == []


def test_sync_killed_and_started_again_sends_the_rest(plant):
    plant.broker.start()
    plant.subscribe()
    for _ in range(5):
        plant.record(200)
        for _ in range(5):
            plant.step()
        plant.transport.drop()  # as after kill -9: no good-bye, no last position
        plant.start_sync()
    total = plant.journal.head[1]
    until(lambda: plant.uplink.drained and plant.arrived() == total, plant.step)
    assert plant.collector.duplicates < total
    until(lambda: b'"sync": "up"' in plant.collector.status["status"], plant.step)


def test_the_will_says_that_sync_is_gone(plant):
    plant.broker.start()
    plant.subscribe()
    until(lambda: "status" in plant.collector.status, plant.step)
    plant.transport.drop()

    def gone():
        return plant.collector.status["status"] == b'{"sync": "down"}'

    until(gone, plant.step_collector)


def test_nonsense_on_every_topic_changes_nothing(plant):
    plant.broker.start()
    plant.subscribe()
    stranger = MqttTransport(Settings(Address.parse(plant.broker.url), "stranger"))
    stranger.connect()
    leaves = ("status", "results/line", "ack/line", "rewind", "alarms", "model/assignment", "x/y")
    plant.record(200)
    draw = random.Random(3)
    for _ in range(40):
        for leaf in leaves:
            stranger.publish(STATION.topic(leaf), draw.randbytes(draw.randrange(200)), retain=True)
        plant.step()
    total = plant.journal.head[1]
    until(lambda: plant.uplink.drained and plant.arrived() == total, plant.step)
    until(lambda: plant.collector.nonsense == 40, plant.step)
    stranger.close()


def test_a_journal_begun_anew_is_followed(plant, tmp_path):
    plant.broker.start()
    plant.subscribe()
    plant.record(100)
    until(lambda: plant.uplink.drained and plant.arrived() == 100, plant.step)
    plant.journal.close()
    for name in ("line.db", "line.db-wal", "line.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    plant.journal = Journal.open(tmp_path / "line.db", "boot-2", 0)
    plant.record(60)
    until(lambda: plant.uplink.drained and plant.arrived() == 60, plant.step)
    assert len(plant.collector.records) == 2
    assert plant.position.epoch == plant.journal.head[0]
