"""The socket on which browsers come in, and how many of one address may.

Counted where a connection is taken, before the TLS handshake: somebody who opens connections and
says nothing must not use up the file descriptors of this process.
"""

from __future__ import annotations

import socket
from typing import Any

from edge.access.attempts import place_of
from edge.log import log

MOST_OPEN = 640
"""Of all addresses: those that are served, and those that are in the handshake."""
MOST_OF_ONE_ADDRESS = 128
AT_ONCE = 100
"""Refused in one turn of the event loop: the others come first."""


class Listening(socket.socket):
    """A listening socket that lets go at once of whoever has too many connections."""

    def __init__(self, *how: Any) -> None:
        super().__init__(*how)
        self._taken: dict[str, list[socket.socket]] = {}

    def accept(self) -> tuple[socket.socket, Any]:
        """The next one that may come in. Raises as `socket.accept`, BlockingIOError for none."""
        for _ in range(AT_ONCE):
            taken, where = super().accept()
            place = place_of(str(where[0]))
            if self._may(place):
                self._taken.setdefault(place, []).append(taken)
                return taken, where
            taken.close()
            log.warning("web.connections", address=where[0], why="too many connections")
        raise BlockingIOError

    def _may(self, place: str) -> bool:
        full = self._count() >= MOST_OPEN
        for name in list(self._taken) if full else (place,):
            self._taken[name] = [one for one in self._taken.get(name, ()) if one.fileno() >= 0]
            if not self._taken[name]:
                del self._taken[name]
        own = len(self._taken.get(place, ()))
        return own < MOST_OF_ONE_ADDRESS and self._count() < MOST_OPEN

    def _count(self) -> int:
        return sum(len(kept) for kept in self._taken.values())


def listen(address: str) -> Listening:
    """A socket on `host:port`. Raises OSError with the address in its words."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Named in full: asyncio sets TCP_NODELAY only where it sees that this is TCP, and without
        # it an answer in two pieces waits 40 ms for the browser's acknowledgement.
        listening = Listening(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(128)
        listening.setblocking(False)
    except (OSError, OverflowError) as error:
        listening.close()
        raise OSError(f"cannot listen on {address}: {error}") from error
    return listening
