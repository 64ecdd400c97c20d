"""An uplink with a clock that the test turns, and words of a collector."""

from __future__ import annotations

from sync.acknowledgement import (
    Acknowledgement,
    Rewind,
    Span,
    Through,
    encode_acknowledgement,
    encode_rewind,
)
from sync.backoff import Backoff
from sync.gap import Gap, decode
from sync.journal import Source
from sync.position import PositionFile
from sync.stream import Bounds
from sync.topics import Station
from sync.uplink import Settings, Uplink
from tests.simulators.loopback import Loopback, MemoryJournal

STATION = Station("plant-a", "line-3", "caps")
STORE = "store-1"


class Bench:
    """Journals in memory, transport in the test, positions in a file."""

    def __init__(self, folder, records=0, collector=False, key=lambda: None, **bounds):
        self.path = folder / "sync.json"
        self.journal = MemoryJournal(records)
        self.sources = [Source("line", "line", self.journal)]
        self.settings = Settings(collector=collector, bounds=Bounds(**bounds))
        self.key = key
        self.told = []
        self.claimed = {}
        self.now = 0.0
        self.start()

    def start(self):
        """As after a start of the service: only the position file is left."""
        self.transport = Loopback()
        self.uplink = Uplink(
            lambda: self.sources,
            self.transport,
            STATION,
            PositionFile(self.path),
            Backoff(lambda: 0.5, 0.5, 4.0),
            settings=self.settings,
            key=self.key,
            tell=lambda topic, why: self.told.append((topic, why)),
        )

    def step(self, times=1):
        for _ in range(times):
            self.now += 0.1
            self.uplink.step(self.now)

    def connect(self, limits=None):
        """With all subscriptions granted."""
        before = self.transport.connects
        while self.transport.connects == before and not self.uplink.connected:
            self.step()
        self.transport.accept(limits)
        self.step()
        if self.settings.collector:
            self.transport.acknowledge_all()
            self.step(3)

    def drain(self):
        """The broker takes everything at once; a collector says so at once."""
        for _ in range(1000):
            self.step()
            self.transport.acknowledge_all()
            if self.settings.collector:
                self.step()
                self.collect()
            if self.uplink.drained:
                return
        raise AssertionError(self.troubles)

    def collect(self):
        """A collector that holds all that was sent says so, stream by stream."""
        for stream in self.uplink.streams.all:
            sent = self.sent(stream.source.stream)
            held = {(s.first, s.last) for s in sent if s.epoch == stream.epoch}
            spans = joined(held | self.claimed.get(stream.epoch, set()))
            if spans:
                seq = spans.pop(0)[1] if spans[0][0] == 1 else 0
                word = through(stream.source.journal, seq, spans)
                self.say(word, stream=stream.source.stream)

    def say(self, *epochs, stream="line", retained=False, key=None, store=STORE):
        topic = STATION.ack(stream)
        for one in epochs:
            held = {(1, one.through)} | {(span.first, span.last) for span in one.ahead}
            self.claimed.setdefault(one.epoch, set()).update(held)
        said = Acknowledgement(epochs, store)
        self.transport.say(topic, encode_acknowledgement(topic, said, key), retained)

    def ask(self, first, stream="line", epoch="epoch-1", retained=False, key=None):
        topic = STATION.rewind
        payload = encode_rewind(topic, Rewind(stream, epoch, first, STORE), key)
        self.transport.say(topic, payload, retained)

    @property
    def troubles(self):
        return self.uplink.troubles(self.now)

    @property
    def position(self):
        return self.uplink.streams.current["line"].position

    def sent(self, stream=None):
        return [
            decode(one.payload)
            for one in self.transport.segments()
            if stream is None or one.topic == STATION.results(stream)
        ]

    def records(self):
        """Those that were sent as such, by (stream, epoch, seq)."""
        return {
            (one.stream, one.epoch, one.first + index): record
            for one in self.sent()
            if not isinstance(one, Gap)
            for index, record in enumerate(one.records)
        }

    def gaps(self):
        return [one for one in self.sent() if isinstance(one, Gap)]

    def stored(self):
        held = PositionFile(self.path).read().streams.get("line")
        return None if held is None else held.mark


def through(journal, seq, ahead=()):
    """What a collector says that holds a journal up to `seq`, and spans ahead of it."""
    spans = tuple(Span(first, last, journal.last_hash(last)) for first, last in ahead)
    return Through(journal._epoch, seq, journal.last_hash(seq), spans)


def joined(ranges):
    """First and last of what hangs together."""
    spans = []
    for first, last in sorted(ranges):
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    return spans
