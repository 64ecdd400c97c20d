"""X.509: an authority for one station, and the certificate of its page. ECDSA on P-256."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

SERVER_DAYS = 825
"""Longer ones are refused by Apple's devices, whoever signed them."""
AUTHORITY_DAYS = 3650
BACKDATED = timedelta(days=1)
"""Tablets whose clock is slow."""
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16",
           "fc00::/7", "fe80::/10", "::1/128")  # fmt: skip


def new_authority(
    names: Sequence[str], now: datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A key and its certificate, which is good for these names and for private addresses."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = ec.generate_private_key(ec.SECP256R1())
    title = _title(f"Edge Inspect {names[0]} {secrets.token_hex(3)}")
    public = x509.SubjectKeyIdentifier.from_public_key(secret.public_key())
    made = (
        _builder(title, title, secret.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(public, critical=False)
        .add_extension(x509.NameConstraints(_permitted(names), None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    return secret, made


def issue(
    authority: x509.Certificate,
    secret: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePublicKey,
    names: Sequence[str],
    now: datetime,
) -> x509.Certificate:
    """A server's certificate of its public key, for these names."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    left = (authority.not_valid_after_utc - now).days
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(secret.public_key())
    subject = x509.SubjectKeyIdentifier.from_public_key(key)
    days = min(SERVER_DAYS - BACKDATED.days, left)
    return (
        _builder(_title(names[0]), authority.subject, key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), False)
        .add_extension(subject, critical=False)
        .add_extension(issuer, critical=False)
        .sign(secret, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
    )


def _permitted(names: Sequence[str]) -> list[x509.GeneralName]:
    """The names for which the authority is good: these, `.local`, and private addresses."""
    from cryptography import x509

    texts = [name for name in names if address_of(name) is None]
    found: list[x509.GeneralName] = [
        x509.DNSName(name) for name in dict.fromkeys([*texts, "local"])
    ]
    networks = [ipaddress.ip_network(one) for one in PRIVATE]
    for name in names:
        address = address_of(name)
        if address is not None and not any(address in one for one in networks):
            networks.append(ipaddress.ip_network(address))
    return found + [x509.IPAddress(one) for one in networks]


def within(name: str, limit: object) -> bool:
    """Whether a permitted name of an authority covers this one (RFC 5280, 4.2.1.10)."""
    address = address_of(name)
    if isinstance(limit, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return address is not None and address in limit
    return address is None and (name == limit or name.endswith(f".{limit}"))


def address_of(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a name is; None for a name."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _general(name: str) -> x509.GeneralName:
    from cryptography import x509

    address = address_of(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _title(text: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _usage(signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
