"""The broker of the configuration: how to reach it, and which certificates end soon."""

from __future__ import annotations

import time
from pathlib import Path

import edge
from edge.clock import Clock
from edge.config import Sync
from edge.records import utc
from sync.assignment import LARGEST_PIECE
from sync.broker import Address, Login
from sync.expiry import Facts, Lifetime, warnings
from sync.link import Trouble
from sync.mqtt import MqttTransport
from sync.settings import Settings, Will

LARGEST_MESSAGE = LARGEST_PIECE + 64 * 1024
"""Nothing for a station is larger than a piece of a bundle. A message of 256 MB that the broker
keeps would take more memory than a small machine has, at each connection."""


def settings(sync: Sync, client_id: str, will: Will | None = None, session_s: int = 0) -> Settings:
    """Everything that the transport needs. Raises BrokerError."""
    address = Address.parse(sync.broker)
    return Settings(
        address, client_id, login(sync), will, session_s, largest=LARGEST_MESSAGE, facts=facts
    )


def login(sync: Sync) -> Login:
    """The files that say who we are."""
    return Login(sync.credentials_file, sync.ca_file, sync.certificate_file, sync.key_file)


def facts() -> Facts:
    """What this machine knows of the time. Its software was not put here in the future."""
    try:
        since = Path(edge.__file__).stat().st_mtime
    except OSError:
        since = 0.0
    return Facts(time.time(), Clock().synced, since)


class CertificateWatch:
    """Says which certificates end within 30 days: ours, our authorities', the broker's.

    The files are read again when they have changed, so that a new one ends the warning; the
    broker's is the one that it showed when we last connected.
    """

    def __init__(self, settings: Settings, transport: MqttTransport) -> None:
        self._settings = settings
        self._transport = transport
        self._own: list[Lifetime] = []
        self._ours: float | None = None
        self._as_read: list[object] | None = None

    def troubles(self) -> list[Trouble]:
        """What ends soon or has ended, earliest first; nothing without TLS."""
        if not self._settings.address.tls:
            return []
        return warnings(self.lifetimes(), self._settings.facts().now)

    def until(self) -> str | None:
        """When our own certificate ends; None where there is none, or it cannot be read."""
        if not self._settings.address.tls or self._settings.login.certificate is None:
            return None
        self._read()
        return None if self._ours is None else utc(self._ours)

    def lifetimes(self) -> list[Lifetime]:
        """All that is known."""
        from sync.certificates import of_peer

        self._read()
        seen = self._transport.broker_certificate
        peer = None if seen is None else of_peer(seen, self._settings.address)
        return [*self._own, *([peer] if peer else [])]

    def _read(self) -> None:
        """Read the files again if they have changed."""
        from sync.certificates import of_files

        login = self._settings.login
        as_they_are = [_mark(path) for path in (login.certificate, login.ca)]
        if as_they_are != self._as_read:
            self._as_read = as_they_are
            self._own = of_files(login)
            ours = of_files(Login(certificate=login.certificate))
            self._ours = ours[0].not_after if ours else None


def _mark(path: Path | None) -> object:
    """Something that changes when the file does."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return found and (found.st_ino, found.st_mtime_ns, found.st_size)
