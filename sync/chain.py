"""How records hang together: canonical bytes and the hash over them. Pure.

An epoch begins with GENESIS; then hash = sha256(bytes of the previous hash + body). The body is
made once by `body` and afterwards only ever copied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

GENESIS = "0" * 64


def body(content: Mapping[str, object]) -> bytes:
    """The canonical bytes: JSON, sorted keys, compact, UTF-8. Raises ValueError on NaN."""
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def link(previous_hash: str, record: bytes) -> str:
    """The hash of a record that follows `previous_hash`, in lower-case hex."""
    return hashlib.sha256(bytes.fromhex(previous_hash) + record).hexdigest()


def links(previous_hash: str, records: Iterable[bytes]) -> list[bytes]:
    """The hash of each of several records in a row, as 32 bytes."""
    digest, found = bytes.fromhex(previous_hash), []
    for record in records:
        digest = hashlib.sha256(digest + record).digest()
        found.append(digest)
    return found


def last_link(previous_hash: str, records: Iterable[bytes]) -> str:
    """The hash of the last of several records in a row; `previous_hash` when there is none."""
    digest = bytes.fromhex(previous_hash)
    for record in records:
        digest = hashlib.sha256(digest + record).digest()
    return digest.hex()
