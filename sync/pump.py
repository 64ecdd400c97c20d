"""The loop that moves bytes between one socket and an MQTT client that has no loop of its own."""

from __future__ import annotations

import select
import ssl
from collections.abc import Callable
from typing import Any, Protocol

from sync.wake import Wake

AT_LEAST_EVERY_S = 1.0


class Engine(Protocol):
    """A client; each step answers 0 while the connection stands."""

    def socket(self) -> Any:
        """The socket, or None without one."""

    def want_write(self) -> bool:
        """Whether something waits to be sent."""

    def loop_read(self) -> int:
        """Take in what can be read."""

    def loop_write(self) -> int:
        """Send what can be sent."""

    def loop_misc(self) -> int:
        """Keep the connection alive; end it when the peer is gone."""


def pump(engine: Engine, wake: Wake, look: Callable[[Any, bool], bool]) -> None:
    """Run until the connection ends, or `look` says so.

    `look` is called at least every second with the socket, and whether it can be read now; it
    answers whether to go on.
    """
    state = 0
    while state == 0 and (connection := engine.socket()) is not None:
        # What OpenSSL has decrypted already does not make the socket readable.
        pending = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        writers = [connection] if engine.want_write() else []
        wait_s = 0.0 if pending else AT_LEAST_EVERY_S
        readable, _, _ = select.select([connection, wake], writers, [], wait_s)
        if wake in readable:
            wake.clear()
        can_read = pending or connection in readable
        if not look(connection, can_read):
            return
        if can_read:
            state = engine.loop_read()
        if state == 0 and engine.want_write():
            state = engine.loop_write()
        if state == 0:
            state = engine.loop_misc()
