"""Pictures as they travel: in pieces that say what they belong to, and the word that one arrived.
Pure.

On the wire a piece is one line of JSON (the header), a newline, and bytes of the picture's file.
The whole file must have the SHA-256 that the inspection's record names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from sync import chain
from sync.acknowledgement import WordError, name_in, seal, unseal

SCHEMA = "picture/1"
STREAM = "pictures"
MOST_DATA = 64 * 1024
"""Bytes of a picture in one piece: a record that comes meanwhile waits for no more than this."""
MOST_HEADER = 1024
MOST_SIZE = 64 * 1024 * 1024
"""Bytes of a whole picture: whoever collects it holds it in memory once to prove it."""
LONGEST_PATH = 200

_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-zA-Z_-]{1,64}")
_PART = r"[0-9A-Za-z_-][0-9A-Za-z._-]*"
_PATH = re.compile(rf"images/(?:{_PART}/){{0,8}}{_PART}")
_MEMBERS = {"schema", "inspection", "path", "sha256", "size", "offset"}


class PictureError(ValueError):
    """A payload is not a sound piece of a picture; nothing of it may be used."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`data` stands at `offset` in the file of `size` bytes that an inspection's record names."""

    inspection: str
    path: str
    sha256: str
    size: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A collector holds the whole picture, and its bytes are right. `store` names its database."""

    inspection: str
    sha256: str
    store: str

    def about(self, inspection: str, sha256: str) -> bool:
        """Whether it is about this picture of this inspection."""
        return (self.inspection, self.sha256) == (inspection, sha256)


def confined(path: str) -> bool:
    """Whether a record's path stays below `images/` wherever that lies: no `..`, no empty or
    hidden name, nothing that a file system or a shell could take for something else."""
    return len(path) <= LONGEST_PATH and _PATH.fullmatch(path) is not None


def nameable(inspection: object) -> bool:
    """Whether this can be the id of an inspection: a short word without blanks or separators."""
    return isinstance(inspection, str) and _NAME.fullmatch(inspection) is not None


def header(inspection: str, path: str, sha256: str, size: int, offset: int) -> bytes:
    """The line before the data, newline included."""
    content = {
        "schema": SCHEMA,
        "inspection": inspection,
        "path": path,
        "sha256": sha256,
        "size": size,
        "offset": offset,
    }
    return chain.body(content) + b"\n"


def encode_piece(piece: Piece) -> bytes:
    """The payload."""
    start = header(piece.inspection, piece.path, piece.sha256, piece.size, piece.offset)
    return start + piece.data


def decode_piece(payload: bytes) -> Piece:
    """Read and check a payload; raises PictureError, and nothing else, on any other bytes."""
    end = payload.find(b"\n", 0, MOST_HEADER + 1)
    if end < 0 or len(payload) > end + 1 + MOST_DATA:
        raise PictureError("no header, or more data than a piece may have")
    try:
        content = json.loads(payload[:end], parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PictureError("the header is not JSON") from error
    if not isinstance(content, dict) or set(content) != _MEMBERS or content["schema"] != SCHEMA:
        raise PictureError(f"this is not the header of a {SCHEMA}")
    if not nameable(content["inspection"]):
        raise PictureError("the inspection is not a name")
    if not isinstance(content["sha256"], str) or not _HASH.fullmatch(content["sha256"]):
        raise PictureError("the hash is not one")
    if not isinstance(content["path"], str) or not confined(content["path"]):
        raise PictureError("the path is not one below images/")
    size = _whole(content["size"], 0, MOST_SIZE)
    offset = _whole(content["offset"], 0, size)
    data = payload[end + 1 :]
    if offset + len(data) > size or (not data and size):
        raise PictureError("the data are empty, or reach beyond the end of the picture")
    return Piece(content["inspection"], content["path"], content["sha256"], size, offset, data)


def joined(size: int, pieces: Sequence[tuple[int, bytes]]) -> bytes | None:
    """The file from `(offset, data)` in order of offset, which may overlap; None with a gap."""
    whole = bytearray()
    for offset, data in pieces:
        if offset > len(whole):
            return None
        whole += data[len(whole) - offset :]
    return bytes(whole) if len(whole) == size else None


def encode_received(topic: str, said: Received, key: bytes | None = None) -> bytes:
    """The payload for `topic`."""
    content = {"inspection": said.inspection, "sha256": said.sha256, "store": said.store}
    return seal(topic, content, key)


def decode_received(topic: str, payload: bytes, key: bytes | None = None) -> Received:
    """Read and check a payload; raises `sync.acknowledgement.WordError`, `Forged`, as others."""
    content = unseal(topic, payload, key)
    return Received(name_in(content, "inspection"), _hash_in(content), name_in(content, "store"))


def _hash_in(content: Mapping[str, object]) -> str:
    value = content.get("sha256")
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise WordError("sha256 is not a hash")
    return value


def _whole(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise PictureError("a number of the header is not what it can be")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
