"""A station's status, read for what it says of its chains. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from sync.fleet.account import Word
from sync.fleet.arrival import Key

MOST_BYTES = 64 * 1024
MOST_CHAINS = 256
SCHEMA = "station-status/1"
BROKER = "broker"
_STREAM = re.compile(r"[a-z0-9_-]{1,64}")
_EPOCH = re.compile(r"[0-9a-zA-Z_-]{1,64}")


def status(payload: bytes | str) -> dict[str, object] | None:
    """The JSON object of a station's status; None for anything else."""
    return spoken(payload, SCHEMA)


def spoken(payload: bytes | str, schema: str) -> dict[str, Any] | None:
    """The JSON object of this schema that a station says; None for anything else."""
    if len(payload) > MOST_BYTES:
        return None
    try:
        content = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("schema") != schema:
        return None
    return content


def chains(station: str, content: Mapping[str, object]) -> dict[Key, Word]:
    """What the station says of each of its chains; what it says in another way is left out."""
    found: dict[Key, Word] = {}
    by_broker = content.get("acknowledge") != "collector"
    for stream, epoch, one, backlog in _said(content):
        seq, by = _number(one.get("seq")), one.get("by")
        if not isinstance(epoch, str) or not isinstance(stream, str) or seq is None:
            continue
        if not (_STREAM.fullmatch(stream) and _EPOCH.fullmatch(epoch)):
            continue  # it goes into topics, tables and messages
        if len(found) >= MOST_CHAINS:
            break
        recorded = max(seq + (_number(backlog) or 0), _number(one.get("head")) or 0)
        spoken = BROKER if by_broker else by if isinstance(by, str) else None
        found[Key(station, stream, epoch)] = Word(recorded, seq, spoken)
    return found


def _said(
    content: Mapping[str, object],
) -> Iterator[tuple[object, object, Mapping[str, object], object]]:
    """Stream, epoch, what is said, and the backlog."""
    backlogs = _object(content.get("backlogs"))
    for stream, one in _object(content.get("acknowledged")).items():
        yield stream, _object(one).get("epoch"), _object(one), backlogs.get(stream)
    for epoch, one in _object(content.get("salvaged")).items():
        yield _object(one).get("stream"), epoch, _object(one), _object(one).get("backlog")


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return value
    return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
