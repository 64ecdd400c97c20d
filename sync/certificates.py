"""Certificates as files and as seen at connect: whose they are, for which hosts, until when."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from sync.broker import Address, Login
from sync.expiry import Lifetime

BROKERS = "renew the broker's certificate and restart the broker"
OURS = "put a new one into sync.certificate_file and key_file; they are read at the next connect"
AUTHORITYS = "put the new authority beside the old one into sync.ca_file before that day"
_MOST_AUTHORITIES = 200


class CertificateError(ValueError):
    """A file does not hold what it should; the message continues `PATH ...`."""


def read_certificates(path: Path) -> list[x509.Certificate]:
    """All certificates of a PEM file. Raises CertificateError, OSError."""
    data = path.read_bytes()
    if not data.strip():
        raise CertificateError("is empty")
    if b"-----BEGIN CERTIFICATE-----" not in data:
        raise CertificateError(f"holds no certificate{_what_else(data)}")
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise CertificateError("holds a certificate that cannot be read") from error


def check_pair(certificate: Path, key: Path) -> None:
    """Whether the key belongs to the first certificate. Raises CertificateError, OSError; its
    message names the file."""
    public = read_certificates(certificate)[0].public_key()
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if read_key(key).public_key().public_bytes(*form) != public.public_bytes(*form):
        raise CertificateError(f"is not the key of {certificate}")


def read_key(path: Path) -> PrivateKeyTypes:
    """A private key without a password. Raises CertificateError, OSError."""
    data = path.read_bytes()
    if not data.strip():
        raise CertificateError("is empty")
    if b"PRIVATE KEY-----" not in data:
        raise CertificateError(f"holds no private key{_what_else(data)}")
    try:
        return load_pem_private_key(data, None)
    except TypeError as error:
        raise CertificateError("is encrypted, and nobody types its password") from error
    except Exception as error:  # UnsupportedAlgorithm is none of ValueError
        raise CertificateError("holds a private key that cannot be read") from error


def of_files(login: Login) -> list[Lifetime]:
    """Our own certificate and the authorities that we name, where there are any.

    Files that cannot be read give nothing: connecting says what is wrong with them.
    """
    found = []
    for path, whose, mend in (
        (login.certificate, "our certificate", OURS),
        (login.ca, "the authority in sync.ca_file", AUTHORITYS),
    ):
        try:
            held = read_certificates(path) if path is not None else []
        except (CertificateError, OSError):
            held = []
        if path == login.certificate:
            held = held[:1]  # what follows are its authorities
        found += [_lifetime(one, f"{whose} ({_name(one)})", mend) for one in held]
    return found[:_MOST_AUTHORITIES]


def of_peer(der: bytes, address: Address) -> Lifetime | None:
    """The broker's certificate as it came over the wire; None when it cannot be read."""
    certificate = _read_der(der)
    if certificate is None:
        return None
    return _lifetime(certificate, f"the certificate of {address}", BROKERS)


def hosts(der: bytes) -> list[str]:
    """The names and addresses that the certificate is for."""
    certificate = _read_der(der)
    if certificate is None:
        return []
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    found: list[str] = [*names.get_values_for_type(x509.DNSName)]
    return found + [str(one) for one in names.get_values_for_type(x509.IPAddress)]


def is_address(host: str) -> bool:
    """Whether a host is written as a number."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _read_der(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _lifetime(certificate: x509.Certificate, whose: str, mend: str) -> Lifetime:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Lifetime(whose, begin.timestamp(), end.timestamp(), mend)


def _name(certificate: x509.Certificate) -> str:
    """The common name, else all of the subject, short enough for a sentence."""
    try:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        text = str(common[0].value) if common else certificate.subject.rfc4514_string()
    except ValueError:
        return "unreadable name"
    return "".join(character for character in text if character.isprintable())[:80] or "no name"


def _what_else(data: bytes) -> str:
    """What a PEM file holds instead."""
    for mark, what in (
        (b"PRIVATE KEY-----", "a private key"),
        (b"-----BEGIN CERTIFICATE REQUEST-----", "a request for one"),
        (b"-----BEGIN CERTIFICATE-----", "a certificate"),
    ):
        if mark in data:
            return f" but {what}"
    return "" if data.lstrip().startswith(b"-----BEGIN") else ": it is no PEM text"
