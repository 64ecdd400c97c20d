"""Messages are released in the order in which they came, as MQTT wants it (4.6.0-2). Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Receipts:
    """Between those who are done with a message and the broker that waits for its PUBACK.

    `release` may be called in any order; what came earlier and is not done holds back the rest.
    """

    def __init__(self, send: Callable[[int], None]) -> None:
        self._send = send
        self._came: deque[int] = deque()
        self._done: set[int] = set()

    def came(self, token: int) -> None:
        """A message arrived. Without a token (QoS 0) nobody waits for its PUBACK."""
        if token:
            self._came.append(token)

    def release(self, token: int) -> None:
        """It is dealt with."""
        if not token:
            return
        self._done.add(token)
        while self._came and self._came[0] in self._done:
            first = self._came.popleft()
            self._done.discard(first)
            self._send(first)
        if not self._came:
            self._done.clear()

    def forget(self) -> None:
        """The connection is gone, and its tokens with it."""
        self._came.clear()
        self._done.clear()
