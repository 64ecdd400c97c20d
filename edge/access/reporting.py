"""What an audit asks about persons goes into the chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Protocol

from edge.access.record import Access
from edge.log import log
from edge.records import Moment, Origin
from edge.store.errors import StoreError


class Clock(Protocol):
    """What this package needs of `edge.clock.Clock`."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since boot."""
        ...

    def wall(self) -> float:
        """Seconds since 1970."""
        ...

    def moment(self) -> Moment:
        """Both."""
        ...

    def new_id(self) -> str:
        """A fresh version 7 UUID."""
        ...


class Reporting:
    """Makes `access/1` and hands it to whoever writes queue.db."""

    def __init__(self, record: Callable[[Access], None], origin: Origin, clock: Clock) -> None:
        self._record = record
        self._origin = origin
        self._clock = clock

    def report(
        self, action: str, by: str | None, about: str | None = None, **details: object
    ) -> None:
        """Durable on return. Raises what the writer raises: then the change is not made."""
        moment = self._clock.moment()
        made = Access(self._clock.new_id(), self._origin, moment, action, by, about, details)
        self._record(made)

    def mention(
        self, action: str, by: str | None, about: str | None = None, **details: object
    ) -> None:
        """The same for what happens anyway: a full disk keeps nobody from signing in."""
        try:
            self.report(action, by, about, **details)
        except (StoreError, sqlite3.Error, OSError) as error:
            log.error("access.unrecorded", action=action, why=error)
