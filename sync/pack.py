"""A pack: everything of the fleet's signed metadata that one station needs, in one message. Pure.

It is canonical JSON, compressed with zlib, and holds file names with their texts. Nothing in it is
trusted: `sync/trust.py` verifies. Reading is strict, so that hostile packs cost neither memory nor
time: it accepts only the one way in which `pack` writes, and reads no value but short names
and texts.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sync.refusals import TrustRefused

SCHEMA = "pack/1"
LARGEST = 1 << 20
"""Bytes of a pack as it is sent."""
LARGEST_UNPACKED = 8 << 20
LARGEST_FILE = 2 << 20
"""Letters of one text, so that what a reader of JSON makes of it stays bounded."""
MOST_FILES = 1024
_NAME = re.compile(r"[0-9A-Za-z_.-]{1,200}(/[0-9A-Za-z_.-]{1,100}){0,6}")
_STRING = json.JSONDecoder()


class PackError(ValueError):
    """What should be packed is too much, or has a name that no pack may hold."""


@dataclass(frozen=True, slots=True)
class Pack:
    """What a pack says, unverified. `files` by name; `sent_at` is the sender's wall time."""

    files: Mapping[str, str]
    sent_at: str

    @property
    def sent(self) -> float:
        """Seconds since 1970."""
        return datetime.fromisoformat(self.sent_at.replace("Z", "+00:00")).timestamp()


def pack(files: Mapping[str, str], sent_at: str) -> bytes:
    """The message that holds these files. `sent_at` is UTC in ISO 8601, ending in Z.

    Raises PackError where no station would read it.
    """
    for name in files:
        if not _NAME.fullmatch(name):
            raise PackError(f"{name!r} cannot be the name of a file in a pack")
    content = {"schema": SCHEMA, "sent_at": sent_at, "files": dict(files)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    packed = zlib.compress(text, 9)
    if len(files) > MOST_FILES or len(text) > LARGEST_UNPACKED or len(packed) > LARGEST:
        raise PackError(
            f"a pack of {len(files)} files, {len(text)} bytes, {len(packed)} compressed; "
            f"at most {MOST_FILES}, {LARGEST_UNPACKED}, {LARGEST} are read"
        )
    for name, said in files.items():
        if len(said) > LARGEST_FILE:
            raise PackError(f"{name} has {len(said)} letters; at most {LARGEST_FILE} are read")
    return packed


def unpack(data: bytes) -> Pack:
    """Read a pack. Raises TrustRefused: `endless` beyond the limits, else `malformed`.

    Never holds more than a few times LARGEST_UNPACKED.
    """
    if len(data) > LARGEST:
        raise TrustRefused("endless", f"a pack of {len(data)} bytes; at most {LARGEST} are read")
    try:
        found = _Reading(_inflate(data)).pack()
        _ = found.sent
        return found
    except (ValueError, zlib.error, OverflowError) as error:
        raise TrustRefused("malformed", f"not a pack: {error}") from error


def _inflate(data: bytes) -> str:
    stream = zlib.decompressobj()
    text = stream.decompress(data, LARGEST_UNPACKED + 1)
    if len(text) > LARGEST_UNPACKED:
        raise TrustRefused("endless", f"a pack that unpacks to more than {LARGEST_UNPACKED} bytes")
    if not stream.eof or stream.unused_data:
        raise ValueError("cut short, or with something behind it")
    return text.decode("ascii")


class _Reading:
    """The one shape that a pack has, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def pack(self) -> Pack:
        self._expect('{"files":{')
        files = self._files()
        self._expect(f'}},"schema":"{SCHEMA}","sent_at":')
        sent_at = self._string()
        self._expect("}")
        if self._at != len(self._text) or not sent_at.endswith("Z") or len(sent_at) > 40:
            raise ValueError("it does not end as a pack does")
        return Pack(files, sent_at)

    def _files(self) -> dict[str, str]:
        files: dict[str, str] = {}
        last = ""
        while self._text[self._at : self._at + 1] == '"':
            name = self._string()
            if not _NAME.fullmatch(name) or name <= last or len(files) >= MOST_FILES:
                raise ValueError("strange, repeated, unsorted or too many names of files")
            self._expect(":")
            files[name] = self._string()
            if len(files[name]) > LARGEST_FILE:
                raise TrustRefused("endless", f"{name} of more than {LARGEST_FILE} letters")
            last = name
            if self._text[self._at : self._at + 1] != ",":
                break
            self._expect(",")
        return files

    def _expect(self, word: str) -> None:
        if not self._text.startswith(word, self._at):
            raise ValueError(f"something else than {word} at {self._at}")
        self._at += len(word)

    def _string(self) -> str:
        if self._text[self._at : self._at + 1] != '"':
            raise ValueError(f"no text at {self._at}")
        value, self._at = _STRING.raw_decode(self._text, self._at)
        return str(value)
