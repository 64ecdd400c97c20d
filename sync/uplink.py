"""From the journals to the broker: one connection, the station's status, and turns for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sync.announcer import Announcer
from sync.backoff import Backoff
from sync.gap import Why
from sync.hearing import Hearing
from sync.journal import Shelf
from sync.link import Link, Trouble
from sync.position import PositionFile
from sync.sharing import Sharing
from sync.stream import Bounds, Stream
from sync.streams import Streams
from sync.topics import Station
from sync.transport import Acknowledged, Connected, Event, Message, Refused, Transport

PACKET_OVERHEAD = 32
"""Bytes of a PUBLISH besides topic and payload, rounded up."""
STREAMS = ("line", "queue")


@dataclass(frozen=True, slots=True)
class Settings:
    """Intervals, and the bounds of each stream. With `collector` a collector's word counts, and no
    PUBACK. `settle_s` is the time that retained words have to come in before anything is sent."""

    collector: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    no_progress_s: float = 15.0
    save_every_s: float = 0.5
    status_every_s: float = 5.0
    settle_s: float = 0.2
    leave_within_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did, in records. Without `busy`, wait for an event or `wait_s`."""

    sent: int
    acknowledged: int
    busy: bool
    wait_s: float


class Uplink:
    """Delivers all streams, at least once, and what is new before what is old.

    A position moves over acknowledged records only, and is never ahead of what the journal holds.
    Whatever broker and collectors do, nothing unacknowledged is forgotten. `describe` gives the
    lasting part of the station's status, `key` the key of collectors (see `Hearing`), `tell` hears
    of messages without effect, and `chance` gives numbers from 0 to below 1.
    """

    def __init__(
        self,
        shelf: Shelf,
        transport: Transport,
        station: Station,
        positions: PositionFile,
        backoff: Backoff,
        describe: Callable[[], Mapping[str, object]] = dict,
        settings: Settings | None = None,
        *,
        chance: Callable[[], float] = lambda: 0.5,
        key: Callable[[], bytes | None] = lambda: None,
        tell: Callable[[str, str], None] = lambda topic, why: None,
        sharing: Sharing | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.stopped = False
        self.sharing = sharing or Sharing()
        bounds, collector = self.settings.bounds, self.settings.collector
        self.streams = Streams(
            shelf, positions, chance, collector, bounds, self.settings.save_every_s
        )
        if self.sharing.pictures is not None:
            self.streams.with_pictures(self.sharing.pictures.as_json)
        self._transport = transport
        self._station = station
        self._describe = describe
        self.hearing = Hearing(station, STREAMS, self.streams, key, tell)
        self._link = Link(transport, backoff, self.settings.no_progress_s)
        self._announcer = Announcer(transport, station.status, self.settings.status_every_s)
        self._flying: dict[int, tuple[Stream, Why | None]] = {}
        self._asked: dict[int, str] = {}
        self._send_at = 0.0
        self._up = False
        self._refusal: Trouble | None = None
        self._leave_by: float | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker has taken us, and we have not left."""
        return self._link.up and not self.stopped

    @property
    def moving(self) -> bool:
        """Whether every thread that delivery needs lives."""
        return not self._link.dead

    @property
    def ignored(self) -> int:
        """Messages without effect: nobody asked for them, or no collector wrote them."""
        return self.hearing.ignored + self.sharing.ignored

    @property
    def drained(self) -> bool:
        """Whether everything in the journals was acknowledged when they were last read, and the
        pictures that may still go out today."""
        return self.streams.drained and self.sharing.drained

    def troubles(self, now: float) -> list[Trouble]:
        """What is not as it should be, now."""
        found = [trouble for one in self.streams.all for trouble in one.troubles(now)]
        others = (
            self._link.trouble,
            self._refusal,
            self.hearing.trouble,
            self.streams.trouble,
            self._announcer.trouble,
        )
        found += [trouble for trouble in others if trouble is not None]
        return found + self.sharing.troubles

    def step(self, now: float) -> Step:
        """Take in what happened and send at most one message. Never waits for the network.

        `now` is monotonic, in seconds.
        """
        poll_s = self.settings.bounds.poll_s
        acknowledged = self._take_events(now)
        if self._leave_by is not None:
            self._leave(now)
            return Step(0, acknowledged, False, poll_s)
        self._link.step(now)
        self._notice_loss()
        self.streams.step(now)
        sent = self._send(now) if self._may_send(now) else 0
        if self._free() > 0:
            self._announcer.step(now, {**self._describe(), "sync": "up"}, self.streams.progress())
        if self._free() > 0:
            self.sharing.announce(now)
        busy = self.sharing.work(now)
        return Step(sent, acknowledged, bool(sent or acknowledged or busy), poll_s)

    def stop(self, now: float) -> None:
        """Send nothing new; the following steps wait shortly for what the broker has not taken,
        say good-bye and write the positions; then `stopped` is true."""
        if self._leave_by is None:
            self._leave_by = now + self.settings.leave_within_s

    def _take_events(self, now: float) -> int:
        moved = 0
        for event in self._transport.events():
            self._link.take(event, now)
            self._announcer.take(event)
            if self.sharing.take(event, now):
                self._others_moved(event, now)
            elif isinstance(event, Connected):
                self._connected(now)
            elif isinstance(event, Acknowledged):
                moved += self._acknowledged(event.token, now)
            elif isinstance(event, Refused):
                self._refused(event, now)
            elif isinstance(event, Message):
                moved += self._hear(event, now)
        return moved

    def _others_moved(self, event: Event, now: float) -> None:
        if isinstance(event, Acknowledged):
            self._link.progress(now, len(self._flying))
        elif isinstance(event, Refused) and not self._flying:
            self._link.idle()

    def _connected(self, now: float) -> None:
        self._lost()
        self._up = True
        self.sharing.connected()
        self._send_at = now
        if not self.settings.collector:
            return
        self.hearing.connected()
        self._asked = {self._transport.subscribe(name): name for name in self.hearing.topics}
        self._link.sent(now)

    def _acknowledged(self, token: int, now: float) -> int:
        if token in self._asked:
            self._answered(token, now)
        flying = self._flying.pop(token, None)
        if flying is None:
            return 0
        moved = flying[0].taken(token, now)
        self._link.progress(now, len(self._flying))
        return moved

    def _answered(self, token: int, now: float) -> None:
        del self._asked[token]
        if not self._asked:
            self._send_at = now + self.settings.settle_s
            if not self._flying:
                self._link.idle()

    def _refused(self, event: Refused, now: float) -> None:
        if event.token in self._asked:
            topic = self._asked[event.token]
            self._answered(event.token, now)
            self._refusal = Trouble(f"no word of a collector: {topic}: {event.what}", event.mend)
            return
        stream, why = self._flying.pop(event.token, (None, None))
        if stream is None:
            return
        if event.too_large and why is None:
            stream.refused(event.token, now)
            if not self._flying:
                self._link.idle()
        else:
            self._link.give_up(Trouble(event.what, event.mend), now)

    def _hear(self, message: Message, now: float) -> int:
        if self.settings.collector:
            return self.hearing.take(message, now)
        self.hearing.ignore(message.topic, "nothing is subscribed")
        return 0

    def _notice_loss(self) -> None:
        if self._up and not self._link.up:
            self._up = False
            self._lost()

    def _lost(self) -> None:
        self._flying.clear()
        self._asked.clear()
        self._refusal = None
        self.streams.lost()
        self.sharing.lost()

    def _free(self) -> int:
        """How many more messages the broker would take now."""
        if not self._link.up:
            return 0
        others = self._announcer.in_flight + self.sharing.in_flight
        return self._link.limits.receive_maximum - len(self._flying) - others

    def _may_send(self, now: float) -> bool:
        return self._free() > 0 and not self._asked and now >= self._send_at

    def _send(self, now: float) -> int:
        if self.sharing.first(now):
            self._link.sent(now)
            return 0
        found = self.streams.next(now, self._most)
        if found is None:
            if self.sharing.step(now, self._link.limits.largest_packet, self.streams.full):
                self._link.sent(now)
            return 0
        stream, piece = found
        topic = self._station.results(stream.source.stream)
        token = self._transport.publish(topic, piece.payload)
        stream.sent(token, piece, now)
        self._flying[token] = (stream, piece.why)
        self._link.sent(now)
        return piece.records

    def _most(self, stream: str) -> int:
        """Bytes of a payload that the broker takes."""
        topic = self._station.results(stream)
        return self._link.limits.largest_packet - len(topic) - PACKET_OVERHEAD

    def _leave(self, now: float) -> None:
        late = self._leave_by is not None and now >= self._leave_by
        if self._flying and self._link.up and not late:
            return
        if self._link.up:
            self._announcer.say({**self._describe(), "sync": "down", **self.streams.progress()})
        self._transport.close()
        self.sharing.close()
        self.stopped = True
        self.streams.save()
