"""Why there is no broker, in words. Looks a second time where the error alone does not tell."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from sync import probe
from sync.broker import Address, Login, closed, no_broker, silent, why_not
from sync.dial import DialError
from sync.expiry import Facts, Lifetime, refused
from sync.login import LoginError
from sync.transport import Disconnected

NOT_YET_VALID, EXPIRED = 9, 10
UNKNOWN = {2, 18, 19, 20, 21, 27}
WRONG_HOST = {62, 64}
"""Codes of OpenSSL's X509_V_ERR."""


class Silent(Exception):
    """The peer took the connection and did not answer in time."""


def explain(
    error: Exception | None,
    address: Address,
    login: Login,
    facts: Facts,
    context: ssl.SSLContext | None = None,
    first: bytes = b"",
) -> Disconnected:
    """Words for the end of a connection before the broker took us.

    `error` is None when it just closed it; `first` is how its answer began, if there was one.
    """
    if isinstance(error, LoginError):
        return Disconnected(error.what, error.mend)
    if isinstance(error, DialError):
        if error.stage == "handshake":
            return _handshake(error.error, address, login, facts)
        return _dialling(error, address)
    if first:
        return no_broker(first, address)
    if context is None and probe.speaks_tls(address):
        return Disconnected(
            f"{address} speaks TLS, and sync.broker says mqtt://",
            f"write sync.broker: mqtts://{_place(address)}",
        )
    if isinstance(error, Silent):
        return silent(address)
    if context is not None:
        objection = error if _is_alert(error) else probe.objection(address, context)
        if isinstance(objection, ssl.SSLError) and _is_alert(objection):
            return _objection(objection.reason or "", address, login, facts)
    return closed(address)


def _dialling(failed: DialError, address: Address) -> Disconnected:
    error = failed.error
    if failed.stage == "name" and (
        isinstance(error, TimeoutError)
        or (isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN)
    ):
        return Disconnected(
            f"no name server answers the question for {address.host}",
            f"check the network: getent hosts {address.host}",
        )
    return why_not(error, address)


def _handshake(error: Exception, address: Address, login: Login, facts: Facts) -> Disconnected:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error, address, login, facts)
    if isinstance(error, TimeoutError):
        return Disconnected(
            f"{address} takes the connection and does not answer the TLS handshake",
            "check the port: mqtts:// is commonly 8883, mqtt:// 1883",
        )
    reason = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        what = f"{address} and we have no version of TLS in common (we speak 1.2 and 1.3)"
        return Disconnected(what, "update the broker, or its setting tls_version")
    if "ALERT" in reason:
        return _objection(reason, address, login, facts)
    if probe.speaks_plainly(address):
        return Disconnected(
            f"{address} speaks MQTT without TLS, and sync.broker says mqtts://",
            f"use the broker's port for TLS, commonly 8883, or write mqtt://{_place(address)}",
        )
    return Disconnected(
        f"{address} does not speak TLS: {error}",
        "check the port: mqtts:// is commonly 8883, mqtt:// 1883",
    )


def _untrusted(
    error: ssl.SSLCertVerificationError, address: Address, login: Login, facts: Facts
) -> Disconnected:
    """The broker's certificate does not satisfy us. Its dates and names are looked up; that it
    is not trusted stays as it is."""
    from sync import certificates

    der = probe.peer_certificate(address)
    peer = certificates.of_peer(der, address) if der else None
    others = certificates.of_files(login)
    if error.verify_code in (NOT_YET_VALID, EXPIRED):
        return _out_of_time(error, peer, others, address, facts)
    if error.verify_code in WRONG_HOST:
        return _wrong_host(certificates.hosts(der or b""), address)
    if error.verify_code in UNKNOWN:
        asked = f"not in {login.ca}" if login.ca else "not among the system's"
        return Disconnected(
            f"the certificate of {address} comes from an authority that we do not know: {asked}",
            "put the certificate of the broker's authority into sync.ca_file",
        )
    return Disconnected(
        f"the certificate of {address} is not trusted: {error.verify_message}",
        "check sync.ca_file, and the certificate: openssl verify -CAfile CA CERTIFICATE",
    )


def _out_of_time(
    error: ssl.SSLCertVerificationError,
    peer: Lifetime | None,
    others: list[Lifetime],
    address: Address,
    facts: Facts,
) -> Disconnected:
    if peer is not None and (found := refused(peer, others, facts)):
        return Disconnected(found.what, found.mend)
    for one in others:
        if found := refused(one, [*others, *([peer] if peer else [])], facts):
            return Disconnected(found.what, found.mend)
    return Disconnected(
        f"a certificate above that of {address} is out of its time: {error.verify_message}",
        "renew the authorities' certificates, and check this machine's clock: timedatectl",
    )


def _wrong_host(names: list[str], address: Address) -> Disconnected:
    from sync.certificates import is_address

    kind = "IP address" if is_address(address.host) else "name"
    told = f"it is for {', '.join(names[:8])}" if names else "it names no host (subjectAltName)"
    use = f"write one of these into sync.broker ({', '.join(names[:8])}), or " if names else ""
    return Disconnected(
        f"the certificate of {address} is not for the {kind} {address.host}: {told}",
        f"{use}issue it with subjectAltName {'IP' if kind != 'name' else 'DNS'}:{address.host}",
    )


def _objection(reason: str, address: Address, login: Login, facts: Facts) -> Disconnected:
    """The broker does not take our certificate; `reason` is OpenSSL's name of its alert."""
    from sync import certificates

    if login.certificate is None:
        return Disconnected(
            f"{address} asks for a client certificate, and none is configured",
            "set sync.certificate_file and sync.key_file",
        )
    held = certificates.of_files(login)
    ours = next((one for one in held if one.mend == certificates.OURS), None)
    if ours and (found := refused(ours, [one for one in held if one is not ours], facts)):
        return Disconnected(found.what, found.mend)
    for part, words in _OBJECTIONS:
        if part in reason:
            what, mend = words(address, ours)
            return Disconnected(what, mend)
    said = reason.lower().replace("_", " ")
    return Disconnected(f"{address} refuses the TLS handshake: {said}", "see the broker's log")


_Words = Callable[[Address, Lifetime | None], tuple[str, str]]


def _other_clock(address: Address, ours: Lifetime | None) -> tuple[str, str]:
    from sync.expiry import date

    until = f" from {date(ours.not_before)} to {date(ours.not_after)}" if ours else ""
    return (
        f"{address} says that our certificate is out of its time; by this machine's clock it is "
        f"valid{until}",
        "one of the two clocks is wrong: timedatectl, here and on the broker's machine",
    )


def _not_ours(address: Address, ours: Lifetime | None) -> tuple[str, str]:
    what = f"{address} does not know the authority that issued our certificate"
    return what, "add that authority to the broker's cafile, or use a certificate of its own"


def _withdrawn(address: Address, ours: Lifetime | None) -> tuple[str, str]:
    return f"{address} says that our certificate was revoked", "issue a new one for this station"


def _disliked(address: Address, ours: Lifetime | None) -> tuple[str, str]:
    return (
        f"{address} does not accept our certificate",
        "see the broker's log; check the clock of the broker's machine, and that the certificate "
        "is for TLS clients (extendedKeyUsage clientAuth, or none)",
    )


_OBJECTIONS: tuple[tuple[str, _Words], ...] = (
    ("CERTIFICATE_EXPIRED", _other_clock),
    ("UNKNOWN_CA", _not_ours),
    ("CERTIFICATE_REVOKED", _withdrawn),
    ("CERTIFICATE", _disliked),
    ("HANDSHAKE_FAILURE", _disliked),
)


def _is_alert(error: Exception | None) -> bool:
    return isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or "")


def _place(address: Address) -> str:
    return str(address).split("://", 1)[1]
