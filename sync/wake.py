"""Waking a thread that waits in `select`."""

from __future__ import annotations

import contextlib
import socket


class Wake:
    """Something to select on; `ring` makes it readable. May be rung from any thread, at any time,
    also after its end."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def fileno(self) -> int:
        """For `select`."""
        return self._read.fileno()

    def ring(self) -> None:
        """Wake whoever waits, or will wait next."""
        # Full means that the thread wakes anyway, closed that it has ended.
        with contextlib.suppress(OSError):
            self._write.send(b"w")

    def clear(self) -> None:
        """Forget all rings so far."""
        with contextlib.suppress(OSError):
            self._read.recv(4096)

    def close(self) -> None:
        """Nobody waits any more."""
        self._read.close()
        self._write.close()
