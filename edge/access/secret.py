"""web.key: the secret of a station without which web.db lets nobody guess PINs or badges."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from edge.files import sync_folder
from edge.store.durable import make_directory
from edge.store.errors import StoreError

FILE = "web.key"
BYTES = 32


class Secret:
    """Keyed hashes for separate uses: what one use says is worth nothing for another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def hash(self, use: str, content: bytes) -> bytes:
        """32 bytes."""
        return hmac.digest(self._key, use.encode() + b"\0" + content, sha256)


def secret_of(state_dir: Path) -> Secret:
    """The station's secret; the first call makes it (mode 0600, readable by its owner only).

    Raises StoreError for a file that is none, OSError.
    """
    path = state_dir / FILE
    with contextlib.suppress(FileExistsError):
        _make(path)
    key = path.read_bytes()
    if len(key) != BYTES:
        raise StoreError(
            f"{path}: {len(key)} bytes instead of {BYTES}",
            "restore it from a copy; without it nobody's PIN is right: delete it to begin anew",
        )
    return Secret(key)


def _make(path: Path) -> None:
    """Written under another name first: a power cut leaves a whole key or none."""
    if path.exists():
        return
    make_directory(path.parent)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        os.link(partial, path)
    finally:
        partial.unlink()
    sync_folder(path.parent)
