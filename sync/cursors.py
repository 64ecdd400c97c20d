"""Where a stream is read: one cursor, or after a long absence two. Pure."""

from __future__ import annotations

from sync.window import UNKNOWN, Mark, Window


class Cursors:
    """One cursor works from the position. While `live` is set, that one ends there (the backlog),
    and a second one works from there on (what is new)."""

    def __init__(self) -> None:
        self.live: Mark | None = None

    def forget(self) -> None:
        """One cursor again: what is new may be something else now."""
        self.live = None

    def wanted(self, window: Window) -> bool:
        """Whether a long backlog asks for a second cursor: there is none, or it is reached."""
        if self.live is not None and window.position.seq >= self.live.seq:
            self.live = None
        return self.live is None

    def begin(self, newest: Mark) -> None:
        """What follows `newest` goes first."""
        if newest.hash != UNKNOWN:
            self.live = newest

    def place(self, window: Window, live: bool) -> tuple[Mark | None, int | None]:
        """Behind which mark to read next, and the last record to read; None for no limit. No mark
        where this cursor has nothing to do."""
        if live:
            return window.hole(self.live)
        if self.live is None:
            return None, None
        start, until = window.hole()
        if start.seq >= self.live.seq:
            return None, None
        return start, min(until or self.live.seq, self.live.seq)

    def has_room(self, window: Window, live: bool, limit: int) -> bool:
        """Whether this cursor may send another message when `limit` may be under way.

        Neither cursor can take all the room, so that none waits for the other.
        """
        if window.in_flight >= limit:
            return False
        if self.live is None:
            return True
        border = self.live.seq
        same = sum((flight.first > border) == live for flight in window.flights)
        return same < max(1, limit // 2 if live else limit - 1)
