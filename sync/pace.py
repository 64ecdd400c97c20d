"""How many rows a message may have, and when to send again what nobody acknowledged. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sync.backoff import Backoff
from sync.window import Flight

GROW_EVERY_S = 10.0
LAG_S = 1.0
"""A collector that says something and is silent about what the broker took this long ago did not
get it."""
AGAIN_EVERY_S = 5.0
PROBE_ROWS = 10


class Rows:
    """Halved when the broker finds a message too large; then grows again, an eighth at a time."""

    def __init__(self, most: int) -> None:
        self._most = self._rows = most
        self._grow_at = 0.0

    def at(self, now: float) -> int:
        """Rows for the next message."""
        if self._rows < self._most and now >= self._grow_at:
            self._rows = min(self._most, self._rows + max(1, self._rows // 8))
            self._grow_at = now + GROW_EVERY_S
        return self._rows

    def refused(self, now: float) -> None:
        """A message was too large."""
        self._rows = max(1, self._rows // 2)
        self._grow_at = now + GROW_EVERY_S


class Patience:
    """When a message that the broker took, and no collector acknowledged, is sent again.

    Later and later while there is no progress; and while no collector speaks only a small one
    (`probing`), so that a broker that keeps messages for an absent one is not filled with the same.
    """

    def __init__(self, backoff: Backoff) -> None:
        self.probing = False
        self._backoff = backoff
        self._wait_s = backoff.next_s()
        self._again_at = self._spoken_at = float("-inf")

    def overdue(self, flights: Iterable[Flight], now: float) -> list[int]:
        """The tokens of messages that have waited long enough: with one, all that should have
        arrived. The next wait is longer."""
        ages = [(one.token, now - one.taken_at) for one in flights if one.taken_at is not None]
        if not any(age >= self._wait_s for _, age in ages):
            return []
        self.probing = now - self._spoken_at >= self._wait_s
        self._wait_s = self._backoff.next_s()
        return [token for token, age in ages if age >= LAG_S]

    def spoken(
        self, flights: Iterable[Flight], ahead: int | None, moved: bool, now: float
    ) -> list[int]:
        """A collector has spoken: what it should have by now and has not. It holds records from
        `ahead` on behind a gap."""
        self.probing = False
        self._spoken_at = now
        if now < self._again_at:
            return []
        found = [
            one.token
            for one in flights
            if one.taken_at is not None
            and now - one.taken_at >= LAG_S
            and (not moved or (ahead is not None and one.last < ahead))
        ]
        if found:
            self._again_at = now + AGAIN_EVERY_S
        return found

    def progress(self) -> None:
        """The position moved."""
        self.probing = False
        self._backoff.reset()
        self._wait_s = self._backoff.next_s()
