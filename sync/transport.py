"""The contract of everything that carries messages to a broker."""

from __future__ import annotations

import queue
from abc import ABC, abstractmethod
from dataclasses import dataclass

NO_LIMIT = 268_435_455
"""The largest MQTT packet there can be, in bytes."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker has taken us; its announced limits.

    `session_s` and `keep_alive_s` are the broker's own values where it does not take ours.
    """

    largest_packet: int = NO_LIMIT
    receive_maximum: int = 65_535
    keeps_retained: bool = True
    most_qos: int = 2
    shares: bool = True
    wildcards: bool = True
    session_s: int | None = None
    keep_alive_s: int | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has taken the message, or granted the subscription, of this token."""

    token: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker has read the message or subscription of this token and does not take it."""

    token: int
    what: str
    mend: str
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class Disconnected:
    """There is no connection (any more); why, and what a person can do."""

    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Message:
    """Something published on a subscribed topic. Anyone may have written it.

    `token` is for `Transport.release`; 0 where nothing is held back.
    """

    topic: str
    payload: bytes
    retained: bool
    token: int = 0


Event = Connected | Acknowledged | Refused | Disconnected | Message


class Transport(ABC):
    """A connection to a broker that is made, lost and made again.

    Used from one thread. No method but `wait` and `close` waits for the network. After `connect`
    there comes `Connected` or `Disconnected`, and after `Connected` one day `Disconnected`; then
    everything unacknowledged is forgotten here, and nothing is sent until the next `connect`.
    Events of an earlier connection never appear after a later `connect`, and no two messages under
    way have the same token.
    """

    def __init__(self) -> None:
        self._generation = 0
        self._queue: queue.SimpleQueue[tuple[int, Event]] = queue.SimpleQueue()
        self._waiting: list[tuple[int, Event]] = []

    def connect(self) -> None:
        """Begin a new connection; an older one is given up."""
        self._generation += 1
        self._connect(self._generation)

    def drop(self) -> None:
        """Give the connection up at once, without a word; no event of it comes after this."""
        self._generation += 1
        self._drop()

    def events(self) -> list[Event]:
        """What happened since the last call, in order; does not wait."""
        found, self._waiting = self._waiting, []
        while True:
            try:
                found.append(self._queue.get_nowait())
            except queue.Empty:
                return [event for generation, event in found if generation == self._generation]

    def wait(self, timeout_s: float) -> None:
        """Return when there is an event, or after `timeout_s`."""
        if self._waiting:
            return
        try:
            self._waiting.append(self._queue.get(timeout=max(timeout_s, 0.0)))
        except queue.Empty:
            return

    @property
    def alive(self) -> bool:
        """Whether whatever reports events still works, as far as the current connection goes."""
        return True

    def _report(self, generation: int, event: Event) -> None:
        """For implementations, from any thread: hand over an event. Never waits, never raises."""
        self._queue.put((generation, event))

    @abstractmethod
    def _connect(self, generation: int) -> None: ...

    @abstractmethod
    def _drop(self) -> None: ...

    @abstractmethod
    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Send with QoS 1; the token comes back with `Acknowledged` or `Refused`.

        Without a connection the message is dropped; `Disconnected` says so.
        """

    @abstractmethod
    def subscribe(self, topic: str) -> int:
        """Ask for messages with QoS 1; to be called again after every `Connected`. The token comes
        back as with `publish`."""

    def release(self, token: int) -> None:  # noqa: B027 (most hold nothing back)
        """The message of this token is dealt with: the broker may forget it and send another.

        Only where messages are held back (`sync.mqtt.Settings.hold`); otherwise nothing happens.
        """

    @abstractmethod
    def close(self) -> None:
        """Say good-bye (no will is sent) and end; waits at most about two seconds. May be called
        twice, and `connect` may follow."""
