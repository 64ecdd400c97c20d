"""Collectors that believe nothing: they verify every segment and join the chain.

`Collector` only listens; `Acknowledging` holds everything in memory and says so, as one with a
database does.
"""

from __future__ import annotations

import random

from sync import chain, gap, topics
from sync.acknowledgement import (
    Acknowledgement,
    Rewind,
    Span,
    Through,
    encode_acknowledgement,
    encode_rewind,
)
from sync.backoff import Backoff
from sync.broker import Address
from sync.gap import Gap
from sync.link import Link
from sync.mqtt import MqttTransport, Settings
from sync.segment import Segment, SegmentError
from sync.topics import Station
from sync.transport import Acknowledged, Connected, Message


class Collector:
    """What arrived of one station's streams, by epoch and number.

    It asks the broker to keep its session, so that what is acknowledged to the station while the
    collector is away arrives later, as long as the broker does not lose it.
    """

    def __init__(self, url: str, station: Station, *streams: str, session_s: int = 600) -> None:
        self.records: dict[str, dict[int, bytes]] = {}
        self.ends: dict[str, dict[int, str]] = {}
        self.gaps: list[Gap] = []
        self.duplicates = 0
        self.nonsense = 0
        self.bytes = 0
        self.status: dict[str, bytes] = {}
        self.subscribed = False
        self.station = station
        self._filters = (*map(station.results, streams or ("line",)), station.status)
        self._tokens: set[int] = set()
        settings = Settings(
            Address.parse(url), f"collector-{random.getrandbits(32)}", session_s=session_s
        )
        self.transport = MqttTransport(settings)
        self._link = Link(self.transport, Backoff(random.random, 0.05, 0.3), 1e9)

    def step(self, now: float) -> None:
        """Take in what came, without waiting."""
        for event in self.transport.events():
            self._link.take(event, now)
            if isinstance(event, Connected):
                self._tokens = {self.transport.subscribe(name) for name in self._filters}
            elif isinstance(event, Acknowledged):
                self._tokens.discard(event.token)
                self.subscribed = not self._tokens
            elif isinstance(event, Message):
                self._take(event)
        if not self._link.up:
            self.subscribed = False
        self._link.step(now)

    def close(self) -> None:
        """Leave; the broker keeps the session."""
        self.transport.close()

    def joined(self, epoch: str) -> int:
        """How far the records of an epoch go on from number 1 without a gap. Raises
        AssertionError where a segment's end does not fit the chain."""
        records, last, seq = self.records.get(epoch, {}), chain.GENESIS, 0
        while seq + 1 in records:
            seq += 1
            last = chain.link(last, records[seq])
            assert self.ends[epoch].get(seq, last) == last, f"the chain breaks at {seq}"
        return seq

    def collected(self, found: Segment | Gap) -> None:
        """Something sound arrived."""

    def _take(self, message: Message) -> None:
        _, leaf = topics.parse(message.topic)
        if leaf == "status":
            self.status[leaf] = message.payload
            return
        self.bytes += len(message.payload)
        try:
            found = gap.decode(message.payload)
        except SegmentError:
            self.nonsense += 1
            return
        self.ends.setdefault(found.epoch, {})[found.last] = found.hash or ""
        if isinstance(found, Gap):
            self.gaps.append(found)
        else:
            records = self.records.setdefault(found.epoch, {})
            for seq, record in enumerate(found.records, found.first):
                assert records.get(seq, record) == record, f"two records say that they are {seq}"
                self.duplicates += seq in records
                records[seq] = record
        self.collected(found)


class Acknowledging(Collector):
    """Says how far it holds each epoch, after every message and when it (re)connects."""

    def __init__(self, url: str, station: Station, *streams: str, key: bytes | None = None) -> None:
        super().__init__(url, station, *streams, session_s=0)
        self.store = f"store-{random.getrandbits(64):x}"
        self.key = key
        self.through: dict[tuple[str, str], Through] = {}
        self._ranges: dict[tuple[str, str], dict[int, tuple[int, str]]] = {}
        self._said_all = False

    def step(self, now: float) -> None:
        """Take in what came; after a new connection say how far everything is."""
        super().step(now)
        if not self.subscribed:
            self._said_all = False
        elif not self._said_all:
            self._said_all = True
            for stream, _ in self.through:
                self.say(stream)

    def collected(self, found: Segment | Gap) -> None:
        """Join it, and say so."""
        key = (found.stream, found.epoch)
        ranges = self._ranges.setdefault(key, {})
        if ranges.get(found.first, (0, ""))[0] < found.last:
            ranges[found.first] = (found.last, found.hash or "")
        self.through[key] = self._join(key)
        self.say(found.stream)

    def say(self, stream: str) -> None:
        """Publish how far every epoch of a stream is held."""
        topic = self.station.ack(stream)
        epochs = tuple(one for (name, _), one in self.through.items() if name == stream)
        said = Acknowledgement(epochs[-16:], self.store)
        self.transport.publish(topic, encode_acknowledgement(topic, said, self.key), retain=True)

    def forget_after(self, stream: str, epoch: str, seq: int) -> None:
        """As after the restore of a backup; and ask for the rest again."""
        ranges = self._ranges[stream, epoch]
        kept = {first: end for first, end in ranges.items() if end[0] <= seq}
        self._ranges[stream, epoch] = kept
        last = max((end for end, _ in kept.values()), default=0)
        for number in [n for n in self.records[epoch] if n > last]:
            del self.records[epoch][number]
        self.through[stream, epoch] = self._join((stream, epoch))
        topic = self.station.rewind
        word = Rewind(stream, epoch, self.through[stream, epoch].through + 1, self.store)
        self.transport.publish(topic, encode_rewind(topic, word, self.key))

    def _join(self, key: tuple[str, str]) -> Through:
        before = self.through.get(key)
        ranges = self._ranges[key]
        seq, last = (before.through, before.hash) if before else (0, chain.GENESIS)
        if seq > max((end for end, _ in ranges.values()), default=0):
            seq, last = 0, chain.GENESIS
        spans: list[Span] = []
        for first, (end, found) in sorted(ranges.items()):
            if end <= seq:
                continue
            if first <= seq + 1:
                seq, last = end, found
            elif spans and first <= spans[-1].last + 1:
                spans[-1] = Span(spans[-1].first, max(end, spans[-1].last), found)
            else:
                spans.append(Span(first, end, found))
        return Through(key[1], seq, last, tuple(spans[:16]))
