"""A batch of records that proves itself: made at the station, checked by whoever reads it. Pure.

On the wire: one line of JSON (the header), a newline, the records' bytes joined by newlines and
compressed. Records travel as the bytes that were stored; their hashes do not travel, because
the reader computes them from `previous_hash` and must arrive at `hash`.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from sync import chain

SCHEMA = "segment/1"
MAX_ROWS = 10_000
MAX_BYTES = 16 * 1024 * 1024
"""Bounds of one segment when read: rows, and bytes before compression."""
MAX_HEADER = 1024
LEVEL = 1
"""More costs five times the processor for 15 % fewer bytes."""

_HEX = frozenset("0123456789abcdef")
_NAME = re.compile(r"[0-9a-zA-Z_-]{1,64}")


class SegmentError(ValueError):
    """A payload is not a sound segment; nothing of it may be used."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Records `first` to `last` of one epoch, without a gap, and the hashes on both ends.

    `hashes` are those of all records, 32 bytes each, where they were computed: by `join` and
    `decode`.
    """

    stream: str
    epoch: str
    first: int
    last: int
    previous_hash: str
    hash: str
    records: tuple[bytes, ...]
    hashes: tuple[bytes, ...] = field(default=(), compare=False, repr=False)


def join(
    stream: str, epoch: str, first: int, previous_hash: str, records: Sequence[bytes]
) -> Segment:
    """The segment of records in a row, the first of which follows `previous_hash`.

    Raises SegmentError when there is none, or a record holds a newline.
    """
    if not records:
        raise SegmentError("a segment holds at least one record")
    if any(b"\n" in record for record in records):
        raise SegmentError("a record with a newline in it was not written by the journal")
    return _linked(stream, epoch, first, previous_hash, tuple(records))


def _linked(
    stream: str, epoch: str, first: int, previous_hash: str, records: tuple[bytes, ...]
) -> Segment:
    last = first + len(records) - 1
    hashes = tuple(chain.links(previous_hash, records))
    return Segment(stream, epoch, first, last, previous_hash, hashes[-1].hex(), records, hashes)


def encode(segment: Segment) -> bytes:
    """The payload."""
    joined = b"\n".join(segment.records)
    return _header(segment, "zlib", len(joined)) + b"\n" + zlib.compress(joined, LEVEL)


def decode(payload: bytes) -> Segment:
    """Read and verify a payload; raises SegmentError, and nothing else, on any other bytes.

    Guaranteed afterwards: the number of records fits `first` and `last`, the chain leads from
    `previous_hash` to `hash`, and the first and the last record name this stream, this epoch and
    their own number. Never uses more memory than the bounds above allow.
    """
    end = payload.find(b"\n", 0, MAX_HEADER + 1)
    if end < 0:
        raise SegmentError("there is no header line")
    header = _read_header(payload[:end])
    encoding, size = str(header["encoding"]), _whole(header, "bytes")
    joined = DECODERS[encoding](payload[end + 1 :], size)
    records = tuple(joined.split(b"\n"))
    first = _whole(header, "first")
    if len(records) != _whole(header, "last") - first + 1:
        raise SegmentError("the number of records is not what the header says")
    found = _linked(
        str(header["stream"]), str(header["epoch"]), first, str(header["previous_hash"]), records
    )
    # Equal bytes: the hash fits, and nothing in the header was spelled in another way.
    if _header(found, encoding, size) != payload[:end]:
        raise SegmentError("the chain does not arrive at the hash in the header")
    _check_own_words(found, 0)
    _check_own_words(found, -1)
    return found


def _header(segment: Segment, encoding: str, size: int) -> bytes:
    return chain.body(
        {
            "schema": SCHEMA,
            "stream": segment.stream,
            "epoch": segment.epoch,
            "first": segment.first,
            "last": segment.last,
            "previous_hash": segment.previous_hash,
            "hash": segment.hash,
            "encoding": encoding,
            "bytes": size,
        }
    )


def _read_header(line: bytes) -> dict[str, object]:
    header = _json_object(line, "header")
    if header.get("schema") != SCHEMA:
        raise SegmentError(f"this is not a {SCHEMA}")
    for name in ("stream", "epoch", "previous_hash", "hash", "encoding"):
        if not isinstance(header.get(name), str):
            raise SegmentError(f"{name} is missing in the header")
    for name in ("stream", "epoch"):
        if not _NAME.fullmatch(str(header[name])):
            raise SegmentError(f"{name} in the header is not a name")
    previous = str(header["previous_hash"])
    if len(previous) != len(chain.GENESIS) or not _HEX.issuperset(previous):
        raise SegmentError("previous_hash is not a hash")
    if header["encoding"] not in DECODERS:
        raise SegmentError("the encoding is not known here: read it with a newer version")
    rows = _whole(header, "last") - _whole(header, "first") + 1
    if not 1 <= rows <= MAX_ROWS or _whole(header, "first") < 1:
        raise SegmentError(f"a segment holds 1 to {MAX_ROWS} records, from number 1 on")
    if not rows <= _whole(header, "bytes") <= MAX_BYTES:
        raise SegmentError(f"a segment holds at most {MAX_BYTES} bytes, and none empty")
    return header


def _json_object(text: bytes, what: str) -> dict[str, object]:
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SegmentError(f"the {what} is not JSON") from error
    if not isinstance(found, dict):
        raise SegmentError(f"the {what} is not a JSON object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _whole(header: Mapping[str, object], name: str) -> int:
    value = header.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise SegmentError(f"{name} in the header is not a whole number")
    return value


def _unzip(data: bytes, size: int) -> bytes:
    decompressor = zlib.decompressobj()
    try:
        joined = decompressor.decompress(data, size + 1)
    except zlib.error as error:
        raise SegmentError("the records cannot be decompressed") from error
    if len(joined) != size or not decompressor.eof or decompressor.unused_data:
        raise SegmentError("the records are cut off, or longer than the header says")
    return joined


DECODERS: Mapping[str, Callable[[bytes, int], bytes]] = {"zlib": _unzip}
"""Name in the header → (compressed bytes, exact size) → bytes, or SegmentError."""


def _check_own_words(segment: Segment, index: int) -> None:
    record = _json_object(segment.records[index], "record")
    number = segment.first if index == 0 else segment.last
    if (record.get("stream"), record.get("epoch"), record.get("seq")) != (
        segment.stream,
        segment.epoch,
        number,
    ):
        raise SegmentError(f"record {number} says that it is another one")
