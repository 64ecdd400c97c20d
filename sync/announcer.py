"""A retained word of a station: said when something turns, and now and then."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from sync.link import Trouble
from sync.transport import Acknowledged, Connected, Disconnected, Event, Refused, Transport


class Announcer:
    """Publishes one topic: at once on a new connection or when `turns` changes, else at most
    every `every_s`, and never twice the same. At most one message is under way. `stamp` is what
    each message also says, and what is no reason to say it again."""

    def __init__(
        self,
        transport: Transport,
        topic: str,
        every_s: float,
        stamp: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        self.trouble: Trouble | None = None
        self._transport = transport
        self._topic = topic
        self._name = topic.split("/", 5)[-1]
        self._every_s = every_s
        self._stamp = stamp
        self._retain = True
        self._token: int | None = None
        self._said: tuple[Mapping[str, object], Mapping[str, object]] | None = None
        self._say_at = 0.0

    @property
    def in_flight(self) -> int:
        """Messages under way: 0 or 1."""
        return int(self._token is not None)

    def take(self, event: Event) -> None:
        """An event of the transport; those of other messages change nothing."""
        if isinstance(event, Connected | Disconnected):
            self._token = self._said = None
            self._retain = getattr(event, "keeps_retained", True)
        elif isinstance(event, Acknowledged | Refused) and event.token == self._token:
            self._token = self.trouble = None
            if isinstance(event, Refused):
                self.trouble = Trouble(f"{self._name}: {event.what}", event.mend)

    def step(self, now: float, turns: Mapping[str, object], rest: Mapping[str, object]) -> None:
        """Say `turns` and `rest` if it is time. Only with a connection."""
        if self._token is not None or self._said == (turns, rest):
            return
        if self._said is None or self._said[0] != turns or now >= self._say_at:
            self._said = (turns, rest)
            self._say_at = now + self._every_s
            self.say({**turns, **rest})

    def say(self, content: Mapping[str, object]) -> None:
        """Publish now."""
        payload = json.dumps({**content, **self._stamp()}, sort_keys=True).encode()
        self._token = self._transport.publish(self._topic, payload, retain=self._retain)


def will(named: Mapping[str, object]) -> bytes:
    """What the broker says in our place when the connection breaks: only that sync is gone."""
    return json.dumps({**named, "sync": "down"}, sort_keys=True).encode()
