"""The station's own authority and the certificate with which the page speaks TLS.

The authority is made once and only ever signs for this station: its certificate says that it is
good for the names given at its making, for `.local` and for private addresses, and browsers refuse
what it signs for anybody else. So a tablet that trusts it trusts no more than this station.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edge.files import write_atomically
from edge.store.durable import make_directory
from edge.store.errors import StoreError
from edge.web import issuing

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    from edge.config import Config, Web

FOLDER = "tls"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Files:
    """Where everything lies. The keys are readable by the owner only."""

    folder: Path

    @property
    def authority(self) -> Path:
        """What tablets are to trust; no secret."""
        return self.folder / "ca.pem"

    @property
    def authority_key(self) -> Path:
        """Who has it can pass for this station."""
        return self.folder / "ca.key"

    @property
    def certificate(self) -> Path:
        """The server's, then the authority's."""
        return self.folder / "station.pem"

    @property
    def key(self) -> Path:
        """The server's."""
        return self.folder / "station.key"


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: whether the authority is new, until when both last, for which names."""

    files: Files
    new_authority: bool
    names: tuple[str, ...]
    until: datetime
    authority_until: datetime
    fingerprint: str


def files_of(config: Config) -> tuple[Path, Path] | None:
    """Certificate and key in use: those configured, else the station's own; None without any."""
    web = config.web
    if web.certificate_file is not None and web.key_file is not None:
        return web.certificate_file, web.key_file
    own = Files(config.state_dir / FOLDER)
    return (own.certificate, own.key) if own.certificate.exists() and own.key.exists() else None


def beyond_loopback(web: Web) -> bool:
    """Whether other machines can reach the page."""
    host = web.listen.rpartition(":")[0].strip("[]")
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def names_of(web: Web, more: Iterable[str]) -> tuple[str, ...]:
    """The names that somebody has asked for, each once, in order."""
    bound = web.listen.rpartition(":")[0].strip("[]").lower()
    return _each([*more, *web.names, bound])


def own_names(host: str, addresses: Iterable[str]) -> tuple[str, ...]:
    """What browsers may use besides: this machine's names and addresses."""
    short = host.partition(".")[0].lower()
    return _each([host.lower(), short, f"{short}.local", *addresses, *LOOPBACK])


def make(
    folder: Path,
    names: Sequence[str],
    found: Sequence[str],
    now: datetime,
    dry_run: bool = False,
) -> Made:
    """Make the server's certificate, and the authority where there is none yet.

    The authority is never replaced, nor is a server's key that is there. `found` names for which
    the authority is not good are left out. With `dry_run` nothing is written.
    Raises StoreError where the authority is not whole, has ended or may not sign for one of
    `names`; OSError. Nothing is written then.
    """
    files = Files(folder)
    every = _each([*names, *found])
    new = not files.authority.exists() and not files.authority_key.exists()
    secret, authority = issuing.new_authority(every, now) if new else _authority(files)
    every = _signable(authority, names, every, files, now)
    key = _key(files)
    made = issuing.issue(authority, secret, key.public_key(), every, now)
    if not dry_run:
        make_directory(folder)
        if new:
            write_atomically(files.authority_key, _pem_of_key(secret), 0o600)
            write_atomically(files.authority, _pem(authority), 0o644)
        write_atomically(files.key, _pem_of_key(key), 0o600)
        write_atomically(files.certificate, _pem(made) + _pem(authority), 0o644)
    return _described(files, new, every, made, authority)


def not_after(certificate: Path) -> datetime:
    """When the certificate in a file ends. Raises OSError, ValueError."""
    from cryptography import x509

    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def _authority(files: Files) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
        secret = load_pem_private_key(files.authority_key.read_bytes(), None)
        if not isinstance(secret, ec.EllipticCurvePrivateKey):
            raise ValueError("not the key of an authority made here")
        if secret.public_key() != authority.public_key():
            raise ValueError("key and certificate do not belong together")
    except (OSError, ValueError) as error:
        hint = f"move {files.folder} away to make another one; every tablet must then trust it anew"
        raise StoreError(f"the authority in {files.folder}: {error}", hint) from error
    return secret, authority


def _signable(
    authority: x509.Certificate,
    wanted: Sequence[str],
    every: Sequence[str],
    files: Files,
    now: datetime,
) -> tuple[str, ...]:
    """The names for which browsers would take what it signs. Raises StoreError where a wanted one
    is not among them, or nothing would be taken any more."""
    from cryptography import x509

    hint = f"move {files.folder} away to make another one; every tablet must then trust it anew"
    if authority.not_valid_after_utc <= now:
        raise StoreError(f"the authority in {files.folder} has ended", hint)
    try:
        limits = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return tuple(every)
    permitted = [limit.value for limit in limits.permitted_subtrees or ()]
    good = tuple(one for one in every if any(issuing.within(one, limit) for limit in permitted))
    for name in wanted:
        if name not in good:
            raise StoreError(f"the authority in {files.folder} is not made for {name}", hint)
    return good


def _key(files: Files) -> ec.EllipticCurvePrivateKey:
    """The server's key that is there; else a fresh one."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(files.key.read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return ec.generate_private_key(ec.SECP256R1())
    if isinstance(found, ec.EllipticCurvePrivateKey):
        return found
    return ec.generate_private_key(ec.SECP256R1())


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name not in ("", "0.0.0.0", "::")))


def _described(
    files: Files,
    new: bool,
    names: Sequence[str],
    made: x509.Certificate,
    authority: x509.Certificate,
) -> Made:
    from cryptography.hazmat.primitives import hashes

    print_ = authority.fingerprint(hashes.SHA256()).hex(":").upper()
    until, authority_until = made.not_valid_after_utc, authority.not_valid_after_utc
    return Made(files, new, tuple(names), until, authority_until, print_)


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
