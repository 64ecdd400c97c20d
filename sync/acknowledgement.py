"""What a collector says: how far it holds a stream, and from where it needs it again. Pure.

Where a key is shared, each message carries the HMAC-SHA256 (RFC 2104) over its topic, a newline and
its canonical JSON without `hmac`, so that a message cannot be moved to another station or stream.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from sync import chain

MOST_BYTES = 64 * 1024
MOST_EPOCHS = 16
MOST_AHEAD = 16
MOST_SEQ = (1 << 63) - 1
SHORTEST_KEY = 16

_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-zA-Z_-]{1,64}")


class WordError(ValueError):
    """A payload is not the word of a collector; it must have no effect."""


class Forged(WordError):
    """The HMAC is missing or wrong: somebody without the key wrote it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Records `first` to `last`, held behind a gap; `hash` is that of `last`."""

    first: int
    last: int
    hash: str


@dataclass(frozen=True, slots=True)
class Through:
    """How far one epoch is held: without a gap up to `through`, and some spans ahead of it.

    `through` is 0 and `hash` 64 zeros before the first record.
    """

    epoch: str
    through: int
    hash: str
    ahead: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a collector has committed of one stream. `store` names its database."""

    epochs: tuple[Through, ...]
    store: str


@dataclass(frozen=True, slots=True)
class Rewind:
    """A collector needs one epoch of a stream again, from record `first` on."""

    stream: str
    epoch: str
    first: int
    store: str


def read_key(data: bytes) -> bytes:
    """The key in the content of a key file. Raises ValueError when it is too short."""
    key = data.strip()
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"a key has at least {SHORTEST_KEY} characters")
    return key


def encode_acknowledgement(topic: str, said: Acknowledgement, key: bytes | None = None) -> bytes:
    """The payload for `topic`."""
    epochs = [
        {
            "epoch": one.epoch,
            "through": one.through,
            "hash": one.hash,
            "ahead": [[span.first, span.last, span.hash] for span in one.ahead],
        }
        for one in said.epochs
    ]
    return seal(topic, {"epochs": epochs, "store": said.store}, key)


def encode_rewind(topic: str, said: Rewind, key: bytes | None = None) -> bytes:
    """The payload for `topic`."""
    content = {"stream": said.stream, "epoch": said.epoch, "from": said.first, "store": said.store}
    return seal(topic, content, key)


def decode_acknowledgement(topic: str, payload: bytes, key: bytes | None = None) -> Acknowledgement:
    """Read and check a payload; raises WordError, and nothing else, on any other bytes.

    Forged with `key` when the HMAC does not fit; without a key it is not looked at.
    """
    content = unseal(topic, payload, key)
    epochs = content.get("epochs")
    if not isinstance(epochs, list) or len(epochs) > MOST_EPOCHS:
        raise WordError(f"epochs is not a list of at most {MOST_EPOCHS}")
    return Acknowledgement(tuple(_through(one) for one in epochs), name_in(content, "store"))


def decode_rewind(topic: str, payload: bytes, key: bytes | None = None) -> Rewind:
    """Read and check a payload, as `decode_acknowledgement`."""
    content = unseal(topic, payload, key)
    first = _number(content.get("from"), "from", 1)
    stream, epoch = name_in(content, "stream"), name_in(content, "epoch")
    return Rewind(stream, epoch, first, name_in(content, "store"))


def seal(topic: str, content: Mapping[str, object], key: bytes | None) -> bytes:
    """Canonical JSON of `content`, with its HMAC for this topic where there is a key."""
    if key is None:
        return chain.body(content)
    return chain.body({**content, "hmac": _hmac(topic, content, key)})


def unseal(topic: str, payload: bytes, key: bytes | None) -> dict[str, object]:
    """The JSON object in `payload` without `hmac`; raises WordError, Forged."""
    if len(payload) > MOST_BYTES:
        raise WordError(f"longer than {MOST_BYTES} bytes")
    try:
        content = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise WordError("this is not JSON") from error
    if not isinstance(content, dict):
        raise WordError("this is not a JSON object")
    said = content.pop("hmac", None)
    if key is not None:
        try:
            wanted = _hmac(topic, content, key)
        except (ValueError, RecursionError) as error:
            raise Forged("the HMAC does not fit") from error
        if not isinstance(said, str) or not hmac.compare_digest(
            said.encode(errors="replace"), wanted.encode()
        ):
            raise Forged("the HMAC is missing or does not fit")
    return content


def name_in(content: Mapping[str, object], member: str) -> str:
    """A member that is a short word without blanks or separators. Raises WordError."""
    value = content.get(member)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise WordError(f"{member} is missing, or not a name")
    return value


def _hmac(topic: str, content: Mapping[str, object], key: bytes) -> str:
    message = topic.encode() + b"\n" + chain.body(content)
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def _through(content: object) -> Through:
    if not isinstance(content, dict):
        raise WordError("an epoch is not an object")
    ahead = content.get("ahead")
    if not isinstance(ahead, list) or len(ahead) > MOST_AHEAD:
        raise WordError(f"ahead is not a list of at most {MOST_AHEAD}")
    through = _number(content.get("through"), "through", 0)
    last = _hash(content.get("hash"))
    if through == 0 and last != chain.GENESIS:
        raise WordError("nothing is held, and its hash is not that of nothing")
    spans = tuple(_span(one) for one in ahead)
    if any(span.first <= through for span in spans):
        raise WordError("a span ahead is not ahead")
    return Through(name_in(content, "epoch"), through, last, spans)


def _span(content: object) -> Span:
    if not isinstance(content, list) or len(content) != 3:
        raise WordError("a span is not [first, last, hash]")
    first = _number(content[0], "first", 1)
    return Span(first, _number(content[1], "last", first), _hash(content[2]))


def _number(value: object, what: str, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST_SEQ:
        raise WordError(f"{what} is not a whole number from {least} on")
    return value


def _hash(value: object) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise WordError("a hash is 64 lower-case hexadecimal digits")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
