"""Keys that sign for the fleet: private ones in files, never anywhere else."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
NAME_FIELD = "x-name"
"""Where signed metadata says what a key is called; verification does not look at it."""
LARGEST = 64 * 1024
PublicKey = SSlibKey
PRIVATE, PUBLIC = ".pem", ".pub"


class KeysError(Exception):
    """A key that cannot be read, made or used; what a person can do is in `mend`."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Place:
    """One key in a folder. `private` is None where only the public half lies there."""

    name: str
    public: SSlibKey
    private: Path | None


class Ring:
    """The keys in some folders (or single files), found by the public half beside each.

    A private key is read when it is asked to sign. Its file must not be readable by others.
    """

    def __init__(self, places: Sequence[Path], passphrase: bytes | None = None) -> None:
        self.places = tuple(places)
        self._passphrase = passphrase
        self._signers: dict[str, CryptoSigner] = {}

    def add(self, place: Path) -> None:
        """Look there, too."""
        if place not in self.places:
            self.places = (*self.places, place)

    def found(self) -> list[Place]:
        """Every key that is there, by name. Raises KeysError for a damaged one."""
        seen: dict[str, Place] = {}
        for path in self._files():
            place = self._place(path)
            if place.public.keyid not in seen or place.private is not None:
                seen[place.public.keyid] = place
        return sorted(seen.values(), key=lambda place: place.name)

    def signers(self, keyids: Iterable[str]) -> list[CryptoSigner]:
        """Those of these keys that can sign here, in a fixed order. Raises KeysError."""
        wanted = set(keyids)
        if wanted and wanted <= self._signers.keys():
            return [self._signers[keyid] for keyid in sorted(wanted)]
        private = {one.public.keyid: one for one in self.found() if one.private is not None}
        return [self._signer(private[keyid]) for keyid in sorted(wanted & set(private))]

    def _signer(self, place: Place) -> CryptoSigner:
        keyid = place.public.keyid
        if keyid not in self._signers:
            assert place.private is not None
            self._signers[keyid] = _load(place.private, self._passphrase)
        return self._signers[keyid]

    def _files(self) -> list[Path]:
        found: list[Path] = []
        for place in self.places:
            if place.is_dir():
                found += [p for p in sorted(place.iterdir()) if p.suffix in (PRIVATE, PUBLIC)]
            elif place.exists():
                found.append(place)
            else:
                raise KeysError(f"{place} is not there", "name a folder with keys, or a key file")
        return found

    def _place(self, path: Path) -> Place:
        public, private = path.with_suffix(PUBLIC), path.with_suffix(PRIVATE)
        there = private if private.exists() else None
        if public.exists():
            return Place(public.stem, read_public(public), there)
        return Place(path.stem, _load(path, self._passphrase).public_key, path)


def make(folder: Path, name: str, passphrase: bytes | None = None) -> SSlibKey:
    """A new key pair: `NAME.pem` (0600; sealed where there is a passphrase) and `NAME.pub`.

    Both are on disk when this returns. Raises KeysError where one of that name is there already.
    """
    if not NAME.fullmatch(name):
        raise KeysError(f"{name!r} cannot be the name of a key", "use a-z, 0-9, _, . and -")
    private = folder / f"{name}{PRIVATE}"
    if private.exists() or private.with_suffix(PUBLIC).exists():
        raise KeysError(f"{private} is there already", "a key is never replaced: give another name")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    sealing: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        sealing = serialization.BestAvailableEncryption(passphrase)
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write(private, key.private_bytes(pem, form, sealing), 0o600)
    _write(private.with_suffix(PUBLIC), _public_text(key.public_key()), 0o644)
    return _named(SSlibKey.from_crypto(key.public_key()), name)


def read_public(path: Path) -> SSlibKey:
    """The public key in a file, called as the file is. Raises KeysError."""
    try:
        key = serialization.load_pem_public_key(_content(path))
    except (OSError, ValueError) as error:
        raise KeysError(f"{path} holds no public key: {error}", "name a .pub file") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeysError(f"{path} is no Ed25519 key", "edge-inspect fleet keys make")
    if not NAME.fullmatch(path.stem):
        raise KeysError(f"{path.stem!r} cannot be the name of a key", "use a-z, 0-9, _, . and -")
    return _named(SSlibKey.from_crypto(key), path.stem)


def name_of(key: Key) -> str:
    """What people call a key; the beginning of its id where it has no name."""
    name = key.unrecognized_fields.get(NAME_FIELD)
    return name if isinstance(name, str) and NAME.fullmatch(name) else key.keyid[:12]


def passphrase_in(path: Path | None) -> bytes | None:
    """The passphrase in a file, its first line. Raises KeysError."""
    if path is None:
        return None
    try:
        lines = _content(path).splitlines()
    except (OSError, ValueError) as error:
        raise KeysError(f"{path}: {error}", "give another --passphrase-file") from error
    if not lines or not lines[0].strip():
        raise KeysError(f"{path} holds no passphrase", "write it into the first line")
    return lines[0].strip()


def _load(path: Path, passphrase: bytes | None) -> CryptoSigner:
    try:
        mode = path.stat().st_mode
        content = _content(path)
    except (OSError, ValueError) as error:
        raise KeysError(f"{path}: {error}", "name a key file that you may read") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeysError(f"others may read the private key {path}", f"chmod 600 {path}")
    try:
        sealed = b"ENCRYPTED" in content.splitlines()[0]
        key = serialization.load_pem_private_key(content, passphrase if sealed else None)
    except TypeError as error:
        raise KeysError(f"{path} is sealed", "--passphrase-file FILE") from error
    except (ValueError, IndexError) as error:
        raise KeysError(f"{path} cannot be opened: {error}", "is the passphrase right?") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeysError(f"{path} is no Ed25519 key", "edge-inspect fleet keys make")
    return CryptoSigner(key, _named(SSlibKey.from_crypto(key.public_key()), path.stem))


def _named(key: SSlibKey, name: str) -> SSlibKey:
    key.unrecognized_fields[NAME_FIELD] = name
    return key


def _public_text(key: Ed25519PublicKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form)


def _content(path: Path) -> bytes:
    with open(path, "rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes")
    return content


def _write(path: Path, content: bytes, mode: int) -> None:
    """A new file with this mode from its first byte on, durable when this returns."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
