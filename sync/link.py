"""The connection's life: when to connect, when to give up, and why it is down."""

from __future__ import annotations

from dataclasses import dataclass

from sync.backoff import Backoff
from sync.transport import Connected, Disconnected, Event, Transport

CONNECT_WITHIN_S = 20.0
STEADY_AFTER_S = 30.0
"""A connection that lasted this long was a good one: the next attempt comes soon."""
ENDED_FOR_S = 1.0
"""A connection whose thread ended says so at once; if it has not by now, it never will."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is not as it should be, and what a person can do."""

    what: str
    mend: str


class Link:
    """Down, connecting or up. Everything that goes wrong ends in a new connection, later and
    later, until an acknowledgement shows that the broker takes what we send."""

    def __init__(self, transport: Transport, backoff: Backoff, no_progress_s: float) -> None:
        self.trouble: Trouble | None = None
        self.limits = Connected()
        self._transport = transport
        self._backoff = backoff
        self._no_progress_s = no_progress_s
        self._up_since: float | None = None
        self._connecting_since: float | None = None
        self._try_at: float | None = None
        self._waiting_since: float | None = None
        self._ended_since: float | None = None
        self._troubled_until_progress = False

    @property
    def up(self) -> bool:
        """Whether messages can be sent."""
        return self._up_since is not None

    @property
    def dead(self) -> bool:
        """Whether the connection's thread has ended and nobody was told."""
        return self._ended_since is not None

    def take(self, event: Event, now: float) -> None:
        """An event of the transport; those that are not about the connection change nothing."""
        if isinstance(event, Connected):
            self.limits = event
            self._up_since, self._connecting_since = now, None
            if not self._troubled_until_progress:
                self.trouble = None
        elif isinstance(event, Disconnected):
            self._down(Trouble(event.what, event.mend), now)

    def step(self, now: float) -> None:
        """Connect when it is time; give up on a broker that says nothing."""
        connecting, waiting = self._connecting_since, self._waiting_since
        if self._has_ended(now):
            self.give_up(Trouble("the connection's thread has ended", "it is begun again"), now)
        elif connecting is not None and now - connecting > CONNECT_WITHIN_S:
            self.give_up(Trouble("the broker does not answer", "check the network"), now)
        elif waiting is not None and now - waiting > self._no_progress_s:
            what = f"the broker has acknowledged nothing for {self._no_progress_s:.0f} s"
            self.give_up(Trouble(what, "check the network and the broker's log"), now)
        elif not self.up and connecting is None and (self._try_at is None or now >= self._try_at):
            self._connecting_since = now
            self._transport.connect()

    def sent(self, now: float) -> None:
        """Something is under way: from now on there must be progress."""
        if self._waiting_since is None:
            self._waiting_since = now

    def progress(self, now: float, in_flight: int) -> None:
        """Something was acknowledged; `in_flight` others are still under way."""
        self._waiting_since = now if in_flight else None
        self._troubled_until_progress = False
        self.trouble = None
        self._backoff.reset()

    def idle(self) -> None:
        """Nothing is under way any more."""
        self._waiting_since = None

    def give_up(self, trouble: Trouble, now: float) -> None:
        """Drop a connection on which it does not go on."""
        self._transport.drop()
        self._down(trouble, now)
        self._troubled_until_progress = True

    def _has_ended(self, now: float) -> bool:
        if self._transport.alive or not (self.up or self._connecting_since is not None):
            self._ended_since = None
        elif self._ended_since is None:
            self._ended_since = now
        return self._ended_since is not None and now - self._ended_since >= ENDED_FOR_S

    def _down(self, trouble: Trouble, now: float) -> None:
        if self._up_since is not None and now - self._up_since > STEADY_AFTER_S:
            self._backoff.reset()
        self.trouble = trouble
        self._up_since = self._connecting_since = self._waiting_since = self._ended_since = None
        self._try_at = now + self._backoff.next_s()
