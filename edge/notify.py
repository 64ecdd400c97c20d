"""What a service tells systemd: the protocol of sd_notify(3), without the library."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Speaks to the socket named in `NOTIFY_SOCKET`; silent without one. Never waits, never
    raises: a service manager that has gone is no reason to stop."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self.watchdog_s = _watchdog_s(environment)
        """Within this many seconds `watchdog` must be called again; None when nobody watches."""

    def ready(self) -> None:
        """The service works."""
        self._send("READY=1")

    def watchdog(self) -> None:
        """Everything in this service moved."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send("STATUS=" + " ".join(text.split()))

    def stopping(self) -> None:
        """The service has begun to end."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(errors="replace"), self._address)
        except OSError:
            return


def _address(name: str) -> str | None:
    """A path, or with a leading `@` a name in the abstract namespace of the kernel."""
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else None


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """The interval meant for this process: sd_watchdog_enabled(3)."""
    try:
        microseconds = int(environment.get("WATCHDOG_USEC", ""))
        meant_for = int(environment.get("WATCHDOG_PID") or os.getpid())
    except ValueError:
        return None
    return microseconds / 1e6 if microseconds > 0 and meant_for == os.getpid() else None
