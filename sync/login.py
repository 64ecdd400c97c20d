"""Who we are to the broker: files read anew for each connection, their faults in words."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sync.broker import Login

MOST_BYTES = 64 * 1024
_T = TypeVar("_T")


class LoginError(Exception):
    """A file named under `sync` is not as it must be; `what` and what mends it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend


def credentials(login: Login) -> tuple[str, str | None] | None:
    """User and password, if a file of them is configured. Raises LoginError."""
    path = login.credentials
    if path is None:
        return None
    mend = f"write two lines into {path}: user, password"
    data = _reading("credentials_file", path, path.read_bytes)
    try:
        lines = [*data[:MOST_BYTES].decode("utf-8-sig").splitlines(), "", ""]
    except UnicodeDecodeError as error:
        raise LoginError(f"sync.credentials_file: {path} is no UTF-8 text", mend) from error
    user, password = lines[0].strip(), lines[1].strip()
    if not user:
        what = "is empty" if not data.strip() else "has no user in its first line"
        raise LoginError(f"sync.credentials_file: {path} {what}", mend)
    return user, password or None


def tls_context(login: Login) -> ssl.SSLContext:
    """How to speak TLS: whom we trust, and our own certificate. Raises LoginError.

    The rules are those of `ssl.create_default_context`, without the pedantry that only Python
    3.13 and later have: a plant's certificate is good with every Python or with none.
    """
    from sync import certificates

    if login.ca is not None:
        _reading("ca_file", login.ca, lambda: certificates.read_certificates(_path(login.ca)))
    try:
        context = ssl.create_default_context(cafile=login.ca)
    except (OSError, ValueError) as error:
        raise LoginError(f"sync.ca_file: {login.ca}: {error}", _mend("ca_file")) from error
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if login.certificate is not None:
        _load_own(context, login.certificate, login.key or login.certificate)
    elif login.key is not None:
        what = "sync.key_file is given without sync.certificate_file"
        raise LoginError(what, "give both, or none")
    return context


def _load_own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    from sync import certificates

    named = "certificate_file" if key == certificate else "key_file"
    _reading("certificate_file", certificate, lambda: certificates.read_certificates(certificate))
    _reading(named, key, lambda: certificates.check_pair(certificate, key))
    try:
        # Without a password given, OpenSSL would ask at the terminal, and wait.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        what = f"sync.certificate_file: {certificate} with {key}: {error}"
        raise LoginError(what, _mend("certificate_file")) from error


def _reading(named: str, path: Path, read: Callable[[], _T]) -> _T:
    """The result of `read`, or words for why the file cannot be used."""
    from sync.certificates import CertificateError

    try:
        return read()
    except FileNotFoundError as error:
        what = f"sync.{named}: {error.filename} is missing"
        raise LoginError(what, "put the file there, or correct the path") from error
    except PermissionError as error:
        what = f"sync.{named}: {error.filename} must not be read by this user"
        raise LoginError(what, f"sudo chown edge-inspect {error.filename}") from error
    except OSError as error:
        what = f"sync.{named}: {path} cannot be read: {error.strerror or error}"
        raise LoginError(what, "correct the path: it names a file") from error
    except CertificateError as error:
        raise LoginError(f"sync.{named}: {path} {error}", _mend(named)) from error


def _mend(named: str) -> str:
    return {
        "ca_file": "put the certificate of the authority there, as PEM text (BEGIN CERTIFICATE)",
        "certificate_file": "put this station's certificate there, as PEM text; its key into the "
        "same file, or into sync.key_file",
        "key_file": "put the key of this station's certificate there, as PEM text, without a "
        "password: openssl pkey -in KEY -out PLAIN",
    }[named]


def _path(path: Path | None) -> Path:
    assert path is not None
    return path
