"""Where the broker is, how to speak to it, and words for what can go wrong. Pure."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from sync.transport import NO_LIMIT, Connected, Disconnected

PORT = 1883
TLS_PORT = 8883
_URL = re.compile(r"(mqtts?)://(\[[0-9a-fA-F:.%]+\]|[^/:@\s\[\]]+)(?::([0-9]{1,5}))?/?")


class BrokerError(ValueError):
    """An address of a broker that cannot be read."""


@dataclass(frozen=True, slots=True)
class Address:
    """A broker's place."""

    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read `mqtt://host[:1883]` or `mqtts://host[:8883]`. Raises BrokerError."""
        match = _URL.fullmatch(url)
        if match is None:
            raise BrokerError(f"{url!r} is not a broker: expected mqtt://host:1883 or mqtts://host")
        tls = match.group(1) == "mqtts"
        port = int(match.group(3) or (TLS_PORT if tls else PORT))
        if not 0 < port < 65_536:
            raise BrokerError(f"{url!r}: a port is a number from 1 to 65535")
        return cls(match.group(2).strip("[]"), port, tls)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Login:
    """Files that say who we are; read again at every connect, so that they can be replaced.

    `credentials` holds the user's name in its first line and the password in the second.
    """

    credentials: Path | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def why_not(error: Exception, address: Address) -> Disconnected:
    """Words for an error while connecting or speaking."""
    for kind, what, mend in _WORDS:
        if isinstance(error, kind):
            return Disconnected(
                what.format(host=address.host, address=address, error=error),
                mend.format(host=address.host, port=address.port),
            )
    return Disconnected(f"the connection to {address} broke: {error}", "it is tried again")


_WORDS: tuple[tuple[type[Exception], str, str], ...] = (
    (
        socket.gaierror,
        "the name {host} is not known",
        "check sync.broker and the name server: getent hosts {host}",
    ),
    (
        ssl.SSLCertVerificationError,
        "the certificate of {address} is not trusted: {error}",
        "check sync.ca_file, and the clock of this machine: timedatectl",
    ),
    (ssl.SSLError, "{address} does not speak TLS as we do: {error}", "check sync.broker"),
    (
        ConnectionRefusedError,
        "nobody listens at {address}",
        "start the broker on {host}, or correct sync.broker",
    ),
    (
        TimeoutError,
        "{address} does not answer",
        "check the network, and that no firewall closes port {port}",
    ),
    (
        FileNotFoundError,
        "a file named under sync is missing: {error}",
        "check sync.credentials_file, ca_file, certificate_file and key_file",
    ),
    (
        PermissionError,
        "a file named under sync cannot be read: {error}",
        "make it readable for the user of this service",
    ),
    (OSError, "{address} cannot be reached: {error}", "check the network and sync.broker"),
)

_REFUSALS: dict[int, tuple[str, str]] = {
    0x84: ("does not speak MQTT 5", "use a broker with MQTT 5 (mosquitto 2, EMQX, HiveMQ)"),
    0x85: ("does not take our client id", "allow it in the broker's configuration"),
    0x86: ("says that user or password is wrong", "check sync.credentials_file"),
    0x87: (
        "does not allow this",
        "check sync.credentials_file and the broker's access list for this station's topics",
    ),
    0x8A: ("has banned this station", "ask who runs the broker"),
    0x8E: (
        "was told that another client has our name",
        "find the second sync service that runs for this station",
    ),
    0x95: ("finds the message too large", "raise max_packet_size in the broker's configuration"),
    0x97: ("has no room for us left", "check the broker's quota and disk"),
}


def closed(address: Address) -> Disconnected:
    """Words for a peer that hangs up before it has taken us."""
    return Disconnected(
        f"{address} closes the connection before it has taken us",
        "see the broker's log; check that this is the port of an MQTT broker",
    )


def silent(address: Address) -> Disconnected:
    """Words for a peer that takes the connection and says nothing."""
    return Disconnected(
        f"{address} takes the connection and says nothing",
        "check that this is the port of an MQTT broker, and look at the broker's log",
    )


def no_broker(first: bytes, address: Address) -> Disconnected:
    """Words for a peer whose answer begins with `first`, which is no sound CONNACK."""
    if first[:4] in (b"\x20\x02\x00\x01", b"\x20\x02\x00\x84"):
        what, mend = _REFUSALS[0x84]
        return Disconnected(f"the broker {address} {what}", mend)
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in first[:16])
    return Disconnected(
        f"{address} does not answer as an MQTT broker does, but with {text!r}",
        "check host and port in sync.broker",
    )


def lost(address: Address) -> Disconnected:
    """Words for a connection that ended without any: mosquitto also ends it so when another
    client takes our name."""
    return Disconnected(
        f"the connection to {address} is lost",
        "it is tried again; if it is lost again and again, look at the broker's log, and whether a "
        "second sync service runs for this station",
    )


def refusal(code: int, name: str, address: Address, user: str | None = None) -> Disconnected:
    """Words for a reason code of MQTT 5 (its value and its name in the standard).

    `user` is given while connecting: the name that we said, empty for none.
    """
    what, mend = _REFUSALS.get(code, ("gave a reason", "see the broker's log"))
    if user is not None and code in (0x86, 0x87):
        what = (
            f"does not allow {user!r} in: user or password is wrong"
            if user
            else "does not allow anybody in without user and password, or a certificate"
        )
        mend = "check sync.credentials_file (two lines: user, password), and the broker's users"
    return Disconnected(f"the broker {address} {what} ({name}, 0x{code:02x})", mend)


def limits(properties: object) -> Connected:
    """What the broker announces in its CONNACK, else the defaults of MQTT 5."""

    def said(name: str, default: int) -> int:
        return int(getattr(properties, name, default))

    session, keep_alive = said("SessionExpiryInterval", -1), said("ServerKeepAlive", -1)
    return Connected(
        largest_packet=said("MaximumPacketSize", NO_LIMIT),
        receive_maximum=said("ReceiveMaximum", 65_535),
        keeps_retained=bool(said("RetainAvailable", 1)),
        most_qos=said("MaximumQoS", 2),
        shares=bool(said("SharedSubscriptionAvailable", 1)),
        wildcards=bool(said("WildcardSubscriptionAvailable", 1)),
        session_s=None if session < 0 else session,
        keep_alive_s=None if keep_alive < 0 else keep_alive,
    )
