"""What the collector says to stations: how far it holds them, go back, a picture arrived."""

from __future__ import annotations

from sync.acknowledgement import (
    Acknowledgement,
    Rewind,
    encode_acknowledgement,
    encode_rewind,
)
from sync.link import Trouble
from sync.picture import STREAM, Received, encode_received
from sync.topics import Station
from sync.transport import Acknowledged, Event, Refused, Transport

EVERY_S = 0.05
MOST_UNDER_WAY = 32
MEND = "let collectors write `ack/#` and `rewind`: edge-inspect fleet acl"
Stream = tuple[str, str]


class Speaker:
    """Of each stream only the newest acknowledgement is said, at most every `EVERY_S`; requests to
    go back, and that a picture is held, at once. Never more than `MOST_UNDER_WAY` messages that the
    broker has not taken."""

    def __init__(self, transport: Transport, key: bytes | None) -> None:
        self.trouble: Trouble | None = None
        self._transport = transport
        self._key = key
        self._news: dict[Stream, Acknowledgement] = {}
        self._words: list[tuple[str, bytes]] = []
        self._said_at: dict[Stream, float] = {}
        self._under_way: set[int] = set()

    @property
    def under_way(self) -> int:
        """Messages that the broker has not taken yet."""
        return len(self._under_way)

    @property
    def silent(self) -> bool:
        """Whether everything was said and taken."""
        return not (self._news or self._words or self._under_way)

    def forget(self) -> None:
        """The connection is gone: what was not said is no use on the next one."""
        self._news.clear()
        self._words.clear()
        self._under_way.clear()
        self._said_at.clear()

    def acknowledge(self, stream: Stream, held: Acknowledgement) -> None:
        """Say how far a stream is held, as soon as it is its turn."""
        self._news[stream] = held

    def rewind(self, station: str, wanted: Rewind) -> None:
        """Ask a station to send an epoch again."""
        topic = Station.parse(station).rewind
        self._words.append((topic, encode_rewind(topic, wanted, self._key)))

    def received(self, station: str, said: Received) -> None:
        """Say that a whole picture is held."""
        topic = Station.parse(station).ack(STREAM)
        self._words.append((topic, encode_received(topic, said, self._key)))

    def take(self, event: Event) -> bool:
        """An event of the transport; whether it was about a message of ours."""
        if not isinstance(event, Acknowledged | Refused) or event.token not in self._under_way:
            return False
        self._under_way.discard(event.token)
        self.trouble = None
        if isinstance(event, Refused):
            self.trouble = Trouble(f"an acknowledgement was refused: {event.what}", MEND)
        return True

    def step(self, now: float, room: int, retain: bool) -> float:
        """Say what is due; seconds until something is due again. Only with a connection."""
        room = min(room, MOST_UNDER_WAY) - len(self._under_way)
        while self._words and room > 0:
            self._publish(*self._words.pop(0), retain=False)
            room -= 1
        wait = EVERY_S if room < 1 and self._news else float("inf")
        for stream in list(self._news):
            due = self._said_at.get(stream, float("-inf")) + EVERY_S
            if room < 1 or due > now:
                wait = min(wait, max(due - now, 0.001))
                continue
            self._said_at[stream] = now
            topic = Station.parse(stream[0]).ack(stream[1])
            held = self._news.pop(stream)
            self._publish(topic, encode_acknowledgement(topic, held, self._key), retain)
            room -= 1
        return wait

    def _publish(self, topic: str, payload: bytes, retain: bool) -> None:
        self._under_way.add(self._transport.publish(topic, payload, retain=retain))
