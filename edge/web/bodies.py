"""What came with a request, read and bounded: a JSON object or a form."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from edge.access.denied import Denied
from edge.access.words import harmless

LARGEST = 64 * 1024
MOST_FIELDS = 100
DEEPEST = 6
MOST_VALUES = 2000


async def read(request: Request) -> bytes:
    """All of it. Raises Denied("too_large") before more than the limit is held."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > LARGEST:
        raise Denied("too_large", f"a request has at most {LARGEST} bytes")
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > LARGEST:
            raise Denied("too_large", f"a request has at most {LARGEST} bytes")
    return bytes(found)


def parsed(body: bytes, content_type: str) -> Mapping[str, Any]:
    """The object or the form. Raises Denied("nonsense") for anything else, and for texts with
    characters that would deceive a reader (`edge/access/words.py`)."""
    if not body:
        return {}
    kind = content_type.split(";")[0].strip().lower()
    try:
        if kind == "application/json":
            found = json.loads(body.decode("utf-8"), parse_constant=_no_number)
        elif kind == "application/x-www-form-urlencoded":
            found = _form(body.decode("ascii"))
        else:
            raise Denied("nonsense", "send application/json or a form")
        if not isinstance(found, dict):
            raise Denied("nonsense", "send an object")
        _check(found)
    except (ValueError, RecursionError) as error:
        raise Denied("nonsense", "that cannot be read") from error
    return found


def _form(text: str) -> dict[str, str]:
    pairs = parse_qsl(
        text, keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS,
        encoding="utf-8", errors="strict",
    )  # fmt: skip
    if len({name for name, _ in pairs}) != len(pairs):
        raise Denied("nonsense", "a field came twice")
    return dict(pairs)


def _check(found: Any) -> None:
    """Every text in it, and how much and how deep it is."""
    waiting: list[tuple[Any, int]] = [(found, 0)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST or seen > MOST_VALUES:
            raise Denied("nonsense", "that is too much")
        if isinstance(value, str) and not harmless(value):
            raise Denied("nonsense", "a text has characters that cannot be seen")
        if isinstance(value, float) and not math.isfinite(value):
            raise Denied("nonsense", "a number is too large")
        if isinstance(value, int) and abs(value) >= 1 << 63:
            raise Denied("nonsense", "a number is too large")
        if isinstance(value, dict):
            waiting += [(one, depth + 1) for pair in value.items() for one in pair]
        if isinstance(value, list):
            waiting += [(one, depth + 1) for one in value]


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
