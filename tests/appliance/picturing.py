"""A station with pictures, a real broker, and collectors, stepped by the test."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from edge.gallery import StationGallery
from edge.outbox import Outboxes
from edge.store.images import ImagePolicy, ImageStore
from edge.store.journal import Journal
from sync.allowance import Allowance
from sync.backoff import Backoff
from sync.broker import Address
from sync.fleet.central import Central
from sync.fleet.collector import Collector
from sync.fleet.database import Database
from sync.fleet.gallery import Gallery
from sync.fleet.pictures import data, find, per_station
from sync.fleet.tables import pieces, records
from sync.gallery import read_places
from sync.mqtt import MqttTransport, Settings
from sync.pictures import Pictures
from sync.position import PositionFile
from sync.sharing import Sharing
from sync.topics import Station
from sync.uplink import Settings as Delivery
from sync.uplink import Uplink
from tests.edge.store.builders import NOON, due, inspection, sure

NAME = Station("plant-a", "line-3", "caps")
PLENTY = 10**9


def quick() -> Backoff:
    """Tests do not wait as long as stations do."""
    return Backoff(random.random, 0.05, 0.5)


class Studio:
    """A line that keeps pictures, and delivery of records and pictures as the service does it."""

    def __init__(
        self, folder: Path, broker: str, cap: int = PLENTY, collector: bool = True
    ) -> None:
        self.folder = folder
        self.broker = broker
        self.cap = cap
        self.collector = collector
        self.day = "2026-11-23"
        self.recorded = 0
        self.pictures: dict[str, bytes] = {}
        self.paths: dict[str, Path] = {}
        self._journal = Journal.open(folder / "line.db", "boot", 0)
        self._images = ImageStore(folder)
        self.start()

    def start(self) -> None:
        """As the service starts: only its files are left."""
        file = PositionFile(self.folder / "sync.json")
        kept = file.read().pictures
        self._outboxes = Outboxes(self.folder)
        self._gallery = StationGallery(
            self.folder, True, ImagePolicy(frozenset()), read_places(kept)
        )
        client = f"ei/{NAME}/sync/{random.getrandbits(32)}"
        self.transport = MqttTransport(Settings(Address.parse(self.broker), client))
        self.sender = Pictures(
            self._gallery,
            self.transport,
            NAME,
            Allowance(self.cap, kept.get("day"), kept.get("bytes")),
            lambda: self.day,
            Backoff(random.random, 0.3, 1.0),
            self.collector,
        )
        self.uplink = Uplink(
            self._outboxes,
            self.transport,
            NAME,
            file,
            quick(),
            lambda: {"schema": "station-status/1", "station": str(NAME), "line": "up"},
            Delivery(collector=self.collector, status_every_s=0.2),
            chance=random.random,
            sharing=Sharing(self.sender),
        )

    def stop(self) -> None:
        """As the service ends."""
        self.uplink.stop(time.monotonic())
        while not self.uplink.stopped:
            self.step()
        self._outboxes.close()
        self._gallery.close()

    def escalate(self, content: bytes) -> str:
        """A part that a person is asked about, with its picture."""
        record = inspection(len(self.pictures), "escalate", True)
        image = self._images.keep(record.id, NOON, content)
        record = replace(record, image=image)
        self._journal.append([record], deadlines=due(record))
        self.recorded += 1
        self.pictures[record.id] = content
        self.paths[record.id] = self.folder / image.path
        return record.id

    def record(self, parts: int) -> None:
        """Parts that nobody needs to see."""
        self._journal.append(sure(parts))
        self.recorded += 2 * parts

    def step(self) -> None:
        """One step of delivery, or a short wait."""
        done = self.uplink.step(time.monotonic())
        if not done.busy:
            self.transport.wait(min(done.wait_s, 0.01))

    def close(self) -> None:
        """The service dies, the line ends."""
        self.transport.close()
        self._outboxes.close()
        self._gallery.close()
        self._journal.close()


class Fleet:
    """Collectors on one database, and what is in it."""

    def __init__(self, url: str, broker: str, count: int = 1) -> None:
        self._members: list[tuple[Collector, MqttTransport, Database]] = []
        self._reader = Database(url)
        self.galleries: list[Gallery] = []
        for _ in range(count):
            self.join(url, broker)

    def join(self, url: str, broker: str) -> None:
        """One more."""
        database = Database(url)
        gallery = Gallery(database, lambda: "now")
        settings = Settings(Address.parse(broker), f"collector-{random.getrandbits(32)}", hold=64)
        transport = MqttTransport(settings)
        central = Central(database, lambda: "now")
        collector = Collector(transport, central, quick, "collectors", None, gallery)
        self.galleries.append(gallery)
        self._members.append((collector, transport, database))

    @property
    def listening(self) -> bool:
        """Whether all of them hear everything from now on."""
        return all(collector.listening for collector, _, _ in self._members)

    @property
    def nonsense(self) -> int:
        """Messages that were none."""
        return sum(collector.counters.nonsense for collector, _, _ in self._members)

    def step(self) -> None:
        """One step of each."""
        for collector, _, _ in self._members:
            collector.step(time.monotonic())

    def held(self) -> dict[str, int]:
        """Records, pieces that wait for others, whole pictures."""
        with self._reader.transaction() as connection:
            counts = [
                connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() or 0
                for table in (records, pieces)
            ]
        whole = per_station(self._reader).get(str(NAME), 0)
        return {"records": counts[0], "pieces": counts[1], "pictures": whole}

    def bytes_of(self, inspection: str) -> bytes | None:
        """The picture that came for it."""
        found = find(self._reader, inspection)
        return data(self._reader, found[0]) if found else None

    def leave(self) -> None:
        """All of them die."""
        for _, transport, database in self._members:
            transport.close()
            database.close()
        self._members.clear()

    def close(self) -> None:
        """And nobody looks any more."""
        self.leave()
        self._reader.close()
