"""A fleet that publishes packs and answers what stations ask for, and counts what that costs."""

from __future__ import annotations

import random

from sync import topics
from sync.backoff import Backoff
from sync.broker import Address
from sync.link import Link
from sync.mqtt import MqttTransport, Settings
from sync.topics import ROOT, Station
from sync.transport import Acknowledged, Connected, Message
from sync.want import WantError, decode_want

WANTS = f"{ROOT}/+/+/+/model/want"
STATES = f"{ROOT}/+/+/+/model/state"


class Fleet:
    """What it holds is in `files`, by the sha256 of each. `sent` are the bytes of pieces that were
    handed to the broker, `pieces` which they were; `spoil` may change a piece, or leave it out with
    None. `states` is what stations said last, by name."""

    def __init__(self, url: str) -> None:
        self.files: dict[str, bytes] = {}
        self.sent = 0
        self.pieces: list[tuple[str, int]] = []
        self.packs: dict[str, bytes] = {}
        self.states: dict[str, bytes] = {}
        self.spoil = lambda number, data: data
        self.wants = self.strange = 0
        self.subscribed = False
        self._tokens: set[int] = set()
        self.transport = MqttTransport(
            Settings(Address.parse(url), f"fleet-{random.getrandbits(32)}")
        )
        self._link = Link(self.transport, Backoff(random.random, 0.05, 0.3), 1e9)

    def step(self, now: float) -> None:
        """Take in what came and answer it, without waiting."""
        for event in self.transport.events():
            self._link.take(event, now)
            if isinstance(event, Connected):
                self._tokens = {self.transport.subscribe(name) for name in (WANTS, STATES)}
                for station, pack in self.packs.items():
                    self._publish(station, pack)
            elif isinstance(event, Acknowledged):
                self._tokens.discard(event.token)
                self.subscribed = not self._tokens
            elif isinstance(event, Message):
                self._hear(event)
        self.subscribed = self.subscribed and self._link.up
        self._link.step(now)

    def assign(self, station: Station, pack: bytes) -> None:
        """Publish a pack, retained; and again at each connection."""
        self.packs[str(station)] = pack
        if self._link.up:
            self._publish(str(station), pack)

    def close(self) -> None:
        """Leave."""
        self.transport.close()

    def _publish(self, station: str, pack: bytes) -> None:
        topic = Station.parse(station).model_assignment
        self.transport.publish(topic, pack, retain=True)

    def _hear(self, message: Message) -> None:
        station, leaf = topics.parse(message.topic)
        if leaf == "model/state":
            self.states[str(station)] = message.payload
            return
        try:
            want = decode_want(message.payload)
            data = self.files[want.sha256]
        except (WantError, KeyError):
            self.strange += 1
            return
        self.wants += 1
        for number in want.numbers:
            piece = self.spoil(number, data[number * want.piece : (number + 1) * want.piece])
            if piece is not None:
                self.transport.publish(station.model_chunk(want.sha256, number), piece)
                self.sent += len(piece)
                self.pieces.append((want.sha256, number))
