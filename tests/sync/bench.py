"""An uplink with a clock that the test turns."""

from __future__ import annotations

from sync.backoff import Backoff
from sync.position import PositionFile
from sync.segment import decode
from sync.topics import Station
from sync.uplink import Settings, Uplink
from tests.simulators.loopback import Loopback, MemoryJournal

STATION = Station("plant-a", "line-3", "caps")


class Bench:
    """Journal in memory, transport in the test, position in a file."""

    def __init__(self, folder, records=0, **bounds):
        self.path = folder / "sync.json"
        self.journal = MemoryJournal(records)
        self.settings = Settings(**bounds)
        self.now = 0.0
        self.start()

    def start(self):
        """As after a start of the service: only the position file is left."""
        self.transport = Loopback()
        self.uplink = Uplink(
            self.journal,
            self.transport,
            STATION,
            PositionFile(self.path),
            Backoff(lambda: 0.5, 0.5, 4.0),
            settings=self.settings,
        )

    def step(self, times=1):
        for _ in range(times):
            self.now += 0.1
            self.uplink.step(self.now)

    def connect(self, limits=None):
        before = self.transport.connects
        while self.transport.connects == before and not self.uplink.connected:
            self.step()
        self.transport.accept(limits)
        self.step()

    def drain(self):
        for _ in range(1000):
            self.step()
            self.transport.acknowledge_all()
            if self.uplink.drained:
                return
        raise AssertionError(self.uplink.troubles)

    def sent(self):
        return [decode(one.payload) for one in self.transport.segments()]

    def stored(self):
        return PositionFile(self.path).read().get("line")
