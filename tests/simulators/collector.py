"""A subscriber that believes nothing: it verifies every segment and joins the chain."""

from __future__ import annotations

import random

from sync import chain, segment, topics
from sync.backoff import Backoff
from sync.broker import Address
from sync.link import Link
from sync.mqtt import MqttTransport, Settings
from sync.segment import SegmentError
from sync.topics import Station
from sync.transport import Acknowledged, Connected, Message


class Collector:
    """What arrived of one station's stream, by epoch and number.

    It asks the broker to keep its session, so that what is acknowledged to the station while the
    collector is away arrives later, as long as the broker does not lose it.
    """

    def __init__(self, url: str, station: Station, stream: str = "line") -> None:
        self.records: dict[str, dict[int, bytes]] = {}
        self.ends: dict[str, dict[int, str]] = {}
        self.duplicates = 0
        self.nonsense = 0
        self.bytes = 0
        self.status: dict[str, bytes] = {}
        self.subscribed = False
        self._filters = (station.results(stream), station.status)
        self._tokens: set[int] = set()
        settings = Settings(
            Address.parse(url), f"collector-{random.getrandbits(32)}", session_s=600
        )
        self._transport = MqttTransport(settings)
        self._link = Link(self._transport, Backoff(random.random, 0.05, 0.3), 1e9)

    def step(self, now: float) -> None:
        """Take in what came, without waiting."""
        for event in self._transport.events():
            self._link.take(event, now)
            if isinstance(event, Connected):
                self._tokens = {self._transport.subscribe(name) for name in self._filters}
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
        self._transport.close()

    def joined(self, epoch: str) -> int:
        """How far the records of an epoch go on from number 1 without a gap. Raises
        AssertionError where a segment's end does not fit the chain."""
        records, last, seq = self.records.get(epoch, {}), chain.GENESIS, 0
        while seq + 1 in records:
            seq += 1
            last = chain.link(last, records[seq])
            assert self.ends[epoch].get(seq, last) == last, f"the chain breaks at {seq}"
        return seq

    def _take(self, message: Message) -> None:
        _, leaf = topics.parse(message.topic)
        if leaf == "status":
            self.status[leaf] = message.payload
            return
        self.bytes += len(message.payload)
        try:
            found = segment.decode(message.payload)
        except SegmentError:
            self.nonsense += 1
            return
        records = self.records.setdefault(found.epoch, {})
        self.ends.setdefault(found.epoch, {})[found.last] = found.hash
        for seq, record in enumerate(found.records, found.first):
            assert records.get(seq, record) == record, f"two records say that they are {seq}"
            self.duplicates += seq in records
            records[seq] = record
