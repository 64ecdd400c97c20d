"""How long one connection may keep us waiting. Pure.

A client that sends a byte a minute, or reads one, holds a place that a tablet needs.
"""

from __future__ import annotations

from dataclasses import dataclass

REQUEST_S = 10.0
"""For the head of a request, and once more for its body."""
READ_S = 30.0
"""So long bytes of ours may lie unread before they have all gone."""
WAITS_FOR_CLIENT = ("IDLE", "SEND_BODY")
"""States of h11 in which it is the client's turn."""


@dataclass(slots=True)
class Patience:
    """What was seen of one connection, and since when."""

    began: float
    _mark: tuple[object, int] | None = None
    _unread_since: float | None = None

    def over(self, now: float, mark: tuple[object, int], unread: int, idle: bool) -> bool:
        """Look at it: whether it has taken too long.

        `mark` is the state in which the client is and which request it is about; `unread` how many
        bytes it has not taken; `idle` that it is between two requests, which has its own limit.
        """
        if mark != self._mark:
            self._mark, self.began = mark, now
        self._unread_since = None if unread == 0 else (self._unread_since or now)
        if self._unread_since is not None and now - self._unread_since > READ_S:
            return True
        return not idle and str(mark[0]) in WAITS_FOR_CLIENT and now - self.began > REQUEST_S
