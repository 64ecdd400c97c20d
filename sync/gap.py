"""A segment without its records: deleted, unreadable, or too large for the broker. Pure.

It travels where a segment would, as one line of JSON, so that the chain can go on behind it and
whoever reads it knows what is missing and why.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Literal, NoReturn, get_args

from sync import chain
from sync.segment import Segment, SegmentError
from sync.segment import decode as decode_segment

SCHEMA = "gap/1"
Why = Literal["pruned", "lost", "too_large"]
MOST_BYTES = 4096
MOST_SEQ = (1 << 63) - 1

_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-zA-Z_-]{1,64}")
_START = f'"schema":"{SCHEMA}"'.encode()


@dataclass(frozen=True, slots=True)
class Gap:
    """Records `first` to `last` of one epoch, which do not come (in this way).

    `pruned`: deleted by retention; `at` says when, `by` whose acknowledgement allowed it.
    `lost`: they could not be read any more. `too_large`: one record of `size` bytes that is larger
    than the broker takes; it stays on the station for as long as records are kept there.
    `previous_hash` is the hash before `first`, `hash` that of `last`: null where the station does
    not know it any more. The station's word is all there is for them.
    """

    stream: str
    epoch: str
    first: int
    last: int
    previous_hash: str | None
    hash: str | None
    why: Why
    at: str | None = None
    by: str | None = None
    size: int | None = None


def encode_gap(gap: Gap) -> bytes:
    """The payload."""
    return chain.body({"schema": SCHEMA, **asdict(gap)})


def decode(payload: bytes) -> Segment | Gap:
    """Read whatever comes on `results/<stream>`: a verified segment, or a gap.

    Raises SegmentError, and nothing else, on any other bytes.
    """
    if len(payload) <= MOST_BYTES and _START in payload and b"\n" not in payload:
        return _decode_gap(payload)
    return decode_segment(payload)


def _decode_gap(payload: bytes) -> Gap:
    try:
        content = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SegmentError("the gap is not JSON") from error
    if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
        raise SegmentError(f"this is not a {SCHEMA}")
    if set(content) != set(Gap.__dataclass_fields__):
        raise SegmentError("a member of the gap is missing, or too many")
    for member in ("stream", "epoch"):
        if not isinstance(content[member], str) or not _NAME.fullmatch(content[member]):
            raise SegmentError(f"{member} of the gap is not a name")
    for member in ("previous_hash", "hash"):
        value = content[member]
        if value is not None and not (isinstance(value, str) and _HASH.fullmatch(value)):
            raise SegmentError(f"{member} of the gap is not a hash")
    first = _whole(content["first"], 1)
    _whole(content["last"], first)
    if content["why"] not in get_args(Why):
        raise SegmentError("the gap gives no reason that is known here")
    if content["size"] is not None:
        _whole(content["size"], 0)
    for member in ("at", "by"):
        if not isinstance(content[member], str | None):
            raise SegmentError(f"{member} of the gap is not a text")
    return Gap(**content)


def _whole(value: object, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST_SEQ:
        raise SegmentError("a number of the gap is not what it can be")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
