"""What shares the connection with the records, and goes behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sync.announcer import Announcer
from sync.delivery import Delivery
from sync.link import Trouble
from sync.pictures import Pictures
from sync.topics import Station
from sync.transport import Event, Transport

STATE_EVERY_S = 1.0
EVERY = 8
"""Requests for models are asked one turn in so many even while records wait: they are small."""


class Sharing:
    """Pictures, bundles from the fleet, and the word on models, as one.

    The owner of the connection says when it begins and ends, hands every event to `take`, and
    calls the others when the broker takes another message. `state` gives the content of
    `model/state`, `stamp` what does not count as news of it.
    """

    def __init__(
        self,
        pictures: Pictures | None = None,
        delivery: Delivery | None = None,
        word: Announcer | None = None,
        state: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        self.pictures = pictures
        self.delivery = delivery
        self._word = word
        self._state = state
        self._turn = 0

    @property
    def in_flight(self) -> int:
        """Messages under way."""
        found = (self.pictures, self.delivery, self._word)
        return sum(one.in_flight for one in found if one is not None)

    @property
    def ignored(self) -> int:
        """Messages without effect."""
        return sum(one.ignored for one in (self.pictures, self.delivery) if one is not None)

    @property
    def drained(self) -> bool:
        """Whether the pictures that may go out today have gone."""
        return self.pictures is None or self.pictures.drained

    @property
    def troubles(self) -> list[Trouble]:
        """What is not as it should be, now."""
        found = list(self.delivery.troubles) if self.delivery else []
        if self._word is not None and self._word.trouble is not None:
            found.append(self._word.trouble)
        return found + (self.pictures.troubles if self.pictures else [])

    def connected(self) -> None:
        """A new connection."""
        for one in (self.pictures, self.delivery):
            if one is not None:
                one.connected()

    def lost(self) -> None:
        """The connection ended."""
        for one in (self.pictures, self.delivery):
            if one is not None:
                one.lost()

    def take(self, event: Event, now: float) -> bool:
        """Whether the event was for one of them; then it has been dealt with."""
        if self._word is not None:
            self._word.take(event)
        if self.delivery is not None and self.delivery.take(event, now):
            return True
        return self.pictures is not None and self.pictures.take(event, now)

    def work(self, now: float) -> bool:
        """Do a little of what needs no connection; whether there is more to do at once."""
        return self.delivery is not None and self.delivery.work(now)

    def announce(self, now: float) -> None:
        """Say how models are, when that has changed."""
        if self._word is not None:
            self._word.step(now, {}, self._state())

    def first(self, now: float) -> bool:
        """Before a record, one turn in a few: whether something went out."""
        self._turn += 1
        if self.delivery is None or self._turn % EVERY:
            return False
        return self.delivery.step(now)

    def step(self, now: float, largest_packet: int, full: bool) -> bool:
        """With no record to send: whether something went out. `full`: records wait for the words
        of others, so that nothing large may go."""
        if self.delivery is not None and self.delivery.step(now):
            return True
        if full or self.pictures is None:
            return False
        return self.pictures.step(now, largest_packet)

    def close(self) -> None:
        """Let files go."""
        for one in (self.pictures, self.delivery):
            if one is not None:
                one.close()


def word_on_models(
    transport: Transport, station: Station, stamp: Callable[[], Mapping[str, object]]
) -> Announcer:
    """Says `model/state`, retained: on change, at most once a second, and at each connection."""
    return Announcer(transport, station.model_state, STATE_EVERY_S, stamp)
