"""What was sent and what is acknowledged. Pure.

The window counts in segments, and each ends at a mark. The position is the end of the gapless
acknowledged beginning: an acknowledgement behind a missing one waits for it. Whose acknowledgement
counts (the broker's or a collector's) is the caller's affair.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between two records of a chain: behind `seq`, whose hash is `hash`."""

    epoch: str
    seq: int
    hash: str


@dataclass(slots=True)
class _Sent:
    token: int
    end: Mark
    acknowledged: bool = False


class Window:
    """At most `limit` unacknowledged segments behind `position`."""

    def __init__(self, position: Mark, limit: int) -> None:
        if limit < 1:
            raise ValueError("a window holds at least one segment")
        self._position = position
        self._sent: deque[_Sent] = deque()
        self.limit = limit

    @property
    def position(self) -> Mark:
        """Everything up to here is acknowledged, without a gap. Never goes back."""
        return self._position

    @property
    def end(self) -> Mark:
        """Where the next segment starts: behind the last one sent."""
        return self._sent[-1].end if self._sent else self._position

    @property
    def has_room(self) -> bool:
        """Whether another segment may be sent."""
        return len(self._sent) < self.limit

    @property
    def in_flight(self) -> int:
        """Segments behind the position."""
        return len(self._sent)

    def knows(self, token: int) -> bool:
        """Whether a segment under way has this token."""
        return any(sent.token == token for sent in self._sent)

    def sent(self, token: int, end: Mark) -> None:
        """A segment from the current `end` to the new `end` is under way.

        Raises ValueError when there is no room, or when the segment is empty or of another epoch.
        """
        if not self.has_room:
            raise ValueError("the window is full")
        if end.epoch != self.end.epoch or end.seq <= self.end.seq:
            raise ValueError(f"a segment up to {end.seq} does not follow {self.end.seq}")
        self._sent.append(_Sent(token, end))

    def acknowledged(self, token: int) -> int:
        """How many records the position moved; 0 for a token that is not (or no longer) known."""
        for sent in self._sent:
            if sent.token == token:
                sent.acknowledged = True
                break
        before = self._position.seq
        while self._sent and self._sent[0].acknowledged:
            self._position = self._sent.popleft().end
        return self._position.seq - before

    def rewind(self) -> None:
        """Forget what is under way: everything behind the position is sent again."""
        self._sent.clear()
