"""What collectors say, and what anybody else says on their topics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sync.acknowledgement import (
    Acknowledgement,
    Rewind,
    WordError,
    decode_acknowledgement,
    decode_rewind,
)
from sync.link import Trouble
from sync.topics import Station
from sync.transport import Message


class Hearing:
    """Reads what comes on `ack/<stream>` and `rewind`. What is not a collector's word is counted
    and has no effect.

    `key` gives the shared key, None where none is configured, and raises OSError or ValueError
    where it cannot be had: then nothing is believed. `tell` is told the topic and why.
    """

    def __init__(
        self,
        station: Station,
        streams: Sequence[str],
        key: Callable[[], bytes | None],
        tell: Callable[[str, str], None],
    ) -> None:
        self.ignored = 0
        self.trouble: Trouble | None = None
        self._streams = {station.ack(stream): stream for stream in streams}
        self._rewind = station.rewind
        self._read_key = key
        self._key: bytes | None = None
        self._tell = tell

    @property
    def topics(self) -> tuple[str, ...]:
        """What to subscribe to after every connect."""
        return (*self._streams, self._rewind)

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

    def take(self, message: Message) -> tuple[str, Acknowledgement] | Rewind | None:
        """A stream and what a collector holds of it, or what it needs again; None for all else."""
        stream = self._streams.get(message.topic)
        try:
            if self.trouble is not None:
                raise WordError("the key cannot be read")
            if stream is not None:
                said = decode_acknowledgement(message.topic, message.payload, self._key)
                return stream, said
            if message.topic != self._rewind:
                raise WordError("nobody asked for this")
            if message.retained:
                raise WordError("a retained rewind may be years old")
            return decode_rewind(message.topic, message.payload, self._key)
        except WordError as error:
            self.ignore(message.topic, str(error))
        return None
