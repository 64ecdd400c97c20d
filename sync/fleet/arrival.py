"""What a station sent, taken apart for the database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from pydantic_core import from_json

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


Row = tuple[int, str | None, str | None, str | None, str | None, str | None, str, bytes]
"""One record: its number; schema, subject, part_id, at and decision to look it up by; its text as
it was stored; its hash."""


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
    return Arrival(key, piece, tuple(_rows(key, piece)))


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
    if value.isprintable() and len(value) <= LONGEST:
        return value
    return value[:LONGEST].encode(errors="replace").decode().replace("\0", "?")


def _rows(key: Key, piece: Segment) -> Iterator[Row]:
    """The rows of a segment. Everything here is done a million times."""
    place = (key.station, key.stream, key.epoch)
    for seq, record in enumerate(piece.records, piece.first):
        try:
            content = from_json(record, allow_inf_nan=False, cache_strings="keys")
        except ValueError:
            content = _slowly(record, seq)
        if not isinstance(content, dict):
            raise SegmentError(f"record {seq} is not a JSON object")
        get: Callable[[str], Any] = content.get
        if get("seq") != seq or (get("station"), get("stream"), get("epoch")) != place:
            raise SegmentError(f"record {seq} says that it is another one, or another station's")
        at = get("captured_at") or get("at")
        subject = get("inspection") or get("id")
        schema, part_id, decision = get("schema"), get("part_id") or None, get("decision") or None
        try:  # nearly always they can stand in their columns as they are
            text = "".join((schema, subject, at, part_id or "", decision or ""))
            plain = text.isprintable() and len(text) <= LONGEST
        except TypeError:
            plain = False
        if not plain:
            schema, subject, part_id = look_up(schema), look_up(subject), look_up(part_id)
            at, decision = look_up(at), look_up(decision)
        digest = piece.hashes[seq - piece.first]
        yield seq, schema, subject, part_id, at, decision, record.decode(), digest


def _slowly(record: bytes, seq: int) -> object:
    """`json` has the last word where the fast parser says no (half a surrogate pair, say)."""
    try:
        return _decode(record.decode())
    except (ValueError, RecursionError) as error:
        raise SegmentError(f"record {seq} is not JSON") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_no_constant).decode
