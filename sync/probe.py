"""A second look at a broker that did not take us, only to say why. Nothing of it is trusted, no
name, password or certificate of ours is shown to it, and no message ever goes this way."""

from __future__ import annotations

import contextlib
import ssl

from sync.broker import Address
from sync.dial import DialError, dial

WITHIN_S = 2.0
_CONNECT = bytes.fromhex("10 11 0004 4d515454 05 02 0005 00 0004 6c6f6f6b")
"""An MQTT 5 CONNECT of the client `look`, with nothing else in it."""
_CONNACK = 0x20


def peer_certificate(address: Address) -> bytes | None:
    """The certificate that the broker shows, in DER; None when there is none to be had."""
    with contextlib.suppress(DialError, OSError, ValueError):
        with dial(address, _blind(), WITHIN_S) as socket:
            assert isinstance(socket, ssl.SSLSocket)
            return socket.getpeercert(binary_form=True)
    return None


def speaks_tls(address: Address) -> bool:
    """Whether it answers a TLS handshake, if only to refuse us."""
    try:
        dial(address, _blind(), WITHIN_S).close()
    except DialError as error:
        return isinstance(error.error, ssl.SSLError) and "ALERT" in (error.error.reason or "")
    return True


def speaks_plainly(address: Address) -> bool:
    """Whether it answers MQTT without TLS, if only to refuse us."""
    with contextlib.suppress(DialError, OSError):
        with dial(address, None, WITHIN_S) as socket:
            socket.settimeout(WITHIN_S)
            socket.sendall(_CONNECT)
            return socket.recv(1)[:1] == bytes([_CONNACK])
    return False


def objection(address: Address, context: ssl.SSLContext) -> ssl.SSLError | None:
    """What a broker has against our certificate. With TLS 1.3 it says so only after the handshake,
    and a message sent meanwhile would drown it; so nothing is sent. `context` is the one that we
    connect with: a peer that it does not trust sees nothing of ours."""
    try:
        with dial(address, context, WITHIN_S) as socket:
            socket.settimeout(WITHIN_S)
            socket.recv(1)
    except DialError as error:
        return error.error if isinstance(error.error, ssl.SSLError) else None
    except ssl.SSLError as error:
        return error
    except OSError:
        return None
    return None


def _blind() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
