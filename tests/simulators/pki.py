"""Certificates for tests: an authority, and what it signs, with any dates and any names."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SHA = hashes.SHA256()
PEM = serialization.Encoding.PEM
DAY = "%Y-%m-%d"


def days(number: float) -> datetime:
    """So many days from now."""
    return datetime.now(timezone.utc) + timedelta(days=number)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, as files; the days on which it begins and ends."""

    certificate: Path
    key: Path
    start: str
    end: str


class Authority:
    """Signs certificates; its own is `file`."""

    def __init__(self, folder: Path, name: str = "Plant CA", start: float = -1, end: float = 3650):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name = folder, _name(name)
        self.file = folder / "ca.pem"
        self.secret = ec.generate_private_key(ec.SECP256R1())
        self.end = days(end).strftime(DAY)
        self.public = x509.SubjectKeyIdentifier.from_public_key(self.secret.public_key())
        made = (
            _builder(self.name, self.name, self.secret, start, end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(self.public, critical=False)
            .sign(self.secret, SHA)
        )
        self.file.write_bytes(made.public_bytes(PEM))

    def issue(
        self,
        name: str,
        hosts: tuple[str, ...] = (),
        start: float = -0.5,
        end: float = 365,
        password: bytes | None = None,
    ) -> Issued:
        """A certificate for `name`, valid from `start` to `end` days from now."""
        secret = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(name), self.name, secret, start, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(secret.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self.public),
                critical=False,
            )
        )
        if hosts:
            names = x509.SubjectAlternativeName([_host(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        first, last = days(start).strftime(DAY), days(end).strftime(DAY)
        stem = f"{name.replace('/', '-')}-{len(list(self.folder.iterdir()))}"
        issued = Issued(self.folder / f"{stem}.pem", self.folder / f"{stem}.key", first, last)
        issued.certificate.write_bytes(builder.sign(self.secret, SHA).public_bytes(PEM))
        encrypt = (
            serialization.BestAvailableEncryption(password)
            if password
            else serialization.NoEncryption()
        )
        issued.key.write_bytes(
            secret.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encrypt)
        )
        return issued


def listener(port: int, authority: Authority, server: Issued) -> tuple[str, ...]:
    """Lines of mosquitto's configuration: a port for those who have a certificate."""
    return (
        "allow_anonymous true",
        f"listener {port} 127.0.0.1",
        f"cafile {authority.file}",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "require_certificate true",
    )


def _builder(subject, issuer, secret, start, end):  # type: ignore[no-untyped-def]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(days(start))
        .not_valid_after(days(end))
    )


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=signs, crl_sign=signs,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
