"""What a station sent, taken apart for the database. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from sync.gap import Gap, decode
from sync.segment import Segment, SegmentError
from sync.topics import Station, TopicError, parse

RESULTS = "results/"
LONGEST = 200
"""Characters of a look-up column; the body has all of them."""


class Key(NamedTuple):
    """One chain: an epoch of a stream of a station."""

    station: str
    stream: str
    epoch: str


class Row(NamedTuple):
    """One record: its place, what it is looked up by, its text as it was stored, its hash."""

    seq: int
    schema: str | None
    subject: str | None
    part_id: str | None
    at: str | None
    decision: str | None
    body: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified segment with its rows, or a gap without any."""

    key: Key
    piece: Segment | Gap
    rows: tuple[Row, ...] = ()


def read(topic: str, payload: bytes) -> Arrival:
    """Read a message on `results/<stream>` and check that it is what its topic says.

    Raises SegmentError, and nothing else, on everything that is not: then nothing of it is used.
    Guaranteed afterwards: each record is a JSON object that names this station, stream, epoch and
    its own number.
    """
    try:
        station, leaf = parse(topic)
    except TopicError as error:
        raise SegmentError(str(error)) from error
    piece = decode(payload)
    if leaf != RESULTS + piece.stream:
        raise SegmentError(f"a segment of the stream {piece.stream!r} came on {leaf}")
    key = Key(str(station), piece.stream, piece.epoch)
    if isinstance(piece, Gap):
        return Arrival(key, piece)
    pairs = enumerate(zip(piece.records, piece.hashes, strict=True), piece.first)
    rows = tuple(_row(key, seq, record, digest) for seq, (record, digest) in pairs)
    return Arrival(key, piece, rows)


def station_of(topic: str) -> Station | None:
    """The station whose status this topic is; None for every other topic."""
    try:
        station, leaf = parse(topic)
    except TopicError:
        return None
    return station if leaf == "status" else None


def look_up(value: object) -> str | None:
    """A text as it stands in a look-up column: bounded, and what every database can hold."""
    if not isinstance(value, str):
        return None
    text = value[:LONGEST]
    if text.isprintable():
        return text
    return text.encode(errors="replace").decode().replace("\0", "?")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_no_constant).decode


def _row(key: Key, seq: int, record: bytes, digest: bytes) -> Row:
    try:
        body = record.decode()
        content = _decode(body)
    except (ValueError, RecursionError) as error:
        raise SegmentError(f"record {seq} is not JSON") from error
    if not isinstance(content, dict):
        raise SegmentError(f"record {seq} is not a JSON object")
    get = content.get
    if (get("station"), get("stream"), get("epoch"), get("seq")) != (*key, seq):
        raise SegmentError(f"record {seq} says that it is another one, or another station's")
    return Row(
        seq,
        look_up(get("schema")),
        look_up(_subject(content)),
        look_up(get("part_id")),
        look_up(get("captured_at") or get("at")),
        look_up(get("decision")),
        body,
        digest,
    )


def _subject(content: Mapping[str, Any]) -> object:
    """What the record is about: an inspection, where it names one; else itself."""
    inspection = content.get("inspection")
    return inspection if isinstance(inspection, str) else content.get("id")
