"""One attempt to open a connection, up to the broker's word; and words for why it failed."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable

from sync.broker import Address, Login, why_not
from sync.dial import dial
from sync.expiry import Facts
from sync.explain import Silent, explain
from sync.login import credentials, tls_context
from sync.transport import Disconnected

DIAL_WITHIN_S = 5.0
"""Name, TCP and TLS together."""
TAKEN_WITHIN_S = 8.0
"""All that, and the broker's word that it has taken us."""
FIRST_BYTES = 16


class Opening:
    """Reads the files of the login now, and never again: a later attempt reads what then is there.

    `user` and `password` are what they say, `context` how to encrypt; `certificate` is the
    broker's, in DER, once there is a connection. `facts` is asked when a certificate is refused.
    """

    def __init__(self, address: Address, login: Login, facts: Callable[[], Facts]) -> None:
        self.user, self.password = "", ""
        self.context: ssl.SSLContext | None = None
        self.certificate: bytes | None = None
        self._address = address
        self._login = login
        self._facts = facts
        self._first = b""
        self._by = time.monotonic() + TAKEN_WITHIN_S

    def prepare(self) -> None:
        """Read the files. Raises LoginError."""
        found = credentials(self._login)
        if found is not None:
            self.user, self.password = found[0], found[1] or ""
        if self._address.tls:
            self.context = tls_context(self._login)

    def dial(self) -> socket.socket:
        """A connected socket. Raises DialError."""
        connection = dial(self._address, self.context, DIAL_WITHIN_S)
        if isinstance(connection, ssl.SSLSocket):
            self.certificate = connection.getpeercert(binary_form=True)
        return connection

    def look(self, connection: object) -> None:
        """Before each reading: how the first answer begins tells of a peer that is no broker."""
        if not self._first and type(connection) is socket.socket:
            self._first = connection.recv(FIRST_BYTES, socket.MSG_PEEK)

    def waits(self) -> None:
        """Raises Silent when the broker has not taken us in time."""
        if time.monotonic() > self._by:
            raise Silent("the peer did not answer in time")

    def words(self, error: Exception | None) -> Disconnected:
        """Why the broker has not taken us; takes a few seconds at most, and never raises."""
        try:
            facts = self._facts()
            return explain(error, self._address, self._login, facts, self.context, self._first)
        except Exception as failed:  # nothing but the words is lost
            return why_not(error or failed, self._address)
