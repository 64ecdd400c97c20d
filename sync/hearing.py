"""What collectors say, and what anybody else says on their topics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.acknowledgement import (
    Acknowledgement,
    Rewind,
    WordError,
    decode_acknowledgement,
    decode_rewind,
)
from sync.journal import JournalError
from sync.link import Trouble
from sync.streams import Streams
from sync.topics import Station
from sync.transport import Message


@dataclass(frozen=True, slots=True)
class Word:
    """The last word of a collector that was believed: whose, and when (monotonic)."""

    store: str
    at: float


class Hearing:
    """Reads what comes on `ack/<stream>` and `rewind`, and lets the streams act on it. What is not
    a collector's word is counted and has no effect.

    `key` gives the shared key, None where none is configured, and raises OSError or ValueError
    where it cannot be had: then nothing is believed. `tell` is told the topic and why.
    """

    def __init__(
        self,
        station: Station,
        names: Sequence[str],
        streams: Streams,
        key: Callable[[], bytes | None],
        tell: Callable[[str, str], None],
    ) -> None:
        self.ignored = 0
        self.trouble: Trouble | None = None
        self.word: Word | None = None
        self._names = {station.ack(name): name for name in names}
        self._rewind = station.rewind
        self._streams = streams
        self._read_key = key
        self._key: bytes | None = None
        self._tell = tell

    @property
    def topics(self) -> tuple[str, ...]:
        """What to subscribe to after every connect."""
        return (*self._names, self._rewind)

    def connected(self) -> None:
        """Read the key again."""
        try:
            self._key, self.trouble = self._read_key(), None
        except (OSError, ValueError) as error:
            self._key = None
            self.trouble = Trouble(
                f"sync.ack_key_file cannot be used, so no collector is believed: {error}",
                "mend the file, then restart sync or wait for the next connection",
            )

    def ignore(self, topic: str, why: str) -> None:
        """Count a message without effect."""
        self.ignored += 1
        self._tell(topic, why)

    def take(self, message: Message, now: float) -> int:
        """Act on a message; how many records it acknowledges. Never raises."""
        try:
            said = self._read(message)
            if isinstance(said, Rewind):
                self._go_back(message, said, now)
                return 0
            return self._heard(message, *said, now)
        except WordError as error:
            self.ignore(message.topic, str(error))
        except JournalError as error:
            self.ignore(message.topic, f"it cannot be compared now: {error}")
        except Exception as error:
            # Whatever anybody publishes must not end delivery.
            self.ignore(message.topic, repr(error))
        return 0

    def _read(self, message: Message) -> tuple[str, Acknowledgement] | Rewind:
        """A stream and what a collector holds of it, or what it needs again. Raises WordError."""
        name = self._names.get(message.topic)
        if self.trouble is not None:
            raise WordError("the key cannot be read")
        if name is not None:
            return name, decode_acknowledgement(message.topic, message.payload, self._key)
        if message.topic != self._rewind:
            raise WordError("nobody asked for this")
        if message.retained:
            raise WordError("a retained rewind may be years old")
        return decode_rewind(message.topic, message.payload, self._key)

    def _heard(self, message: Message, name: str, said: Acknowledgement, now: float) -> int:
        moved, stale, believed = 0, False, False
        for one in said.epochs:
            for stream in self._streams.of(name, one.epoch):  # none for an epoch that is no more
                heard, records = stream.heard(one, said.store, now, message.retained)
                moved += records
                stale = stale or heard == "stale"
                believed = believed or heard in ("moved", "same")
        if believed:
            self.word = Word(said.store, now)
        elif stale:
            self.ignore(message.topic, "older than what was said before")
        return moved

    def _go_back(self, message: Message, said: Rewind, now: float) -> None:
        streams = self._streams.of(said.stream, said.epoch)
        if not [one for one in streams if one.rewind(said.first, said.store, now)]:
            self.ignore(message.topic, "a rewind to a place that is not behind us")
