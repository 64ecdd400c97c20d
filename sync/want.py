"""What a station asks the fleet for: pieces of one file, in ranges. Pure.

Each piece that is named is wanted once, now; what did not come is asked for again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from sync import chain
from sync.assignment import LARGEST_PIECE, MOST_PIECES
from sync.topics import Station

SCHEMA = "want/1"
MOST_BYTES = 4096
MOST_RANGES = 64
LEAST_PIECE = 16 * 1024
FEW_PIECES = 2048
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")
_MEMBERS = {"schema", "sha256", "size", "piece", "pieces", "window"}


class WantError(ValueError):
    """A payload is no want, or a topic no piece's; the message says why."""


@dataclass(frozen=True, slots=True)
class Want:
    """`pieces` are ranges of numbers, first and last, of the file with this hash and size in pieces
    of `piece` bytes. `window` is how many pieces the station wants under way at most."""

    sha256: str
    size: int
    piece: int
    pieces: tuple[tuple[int, int], ...]
    window: int

    @property
    def numbers(self) -> Iterator[int]:
        """Every piece that is wanted, in order."""
        for first, last in self.pieces:
            yield from range(first, last + 1)


def piece_size(size: int) -> int:
    """Bytes of a piece for a file of `size` bytes: a power of two. Small, since what is under way
    when the connection breaks comes twice; not so small that the hashes fill an assignment."""
    piece = LEAST_PIECE
    while piece * FEW_PIECES < size:
        piece *= 2
    return piece


def ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Rising numbers as first and last of what hangs together."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def encode_want(want: Want) -> bytes:
    """The payload for `model/want`."""
    return chain.body(
        {
            "schema": SCHEMA,
            "sha256": want.sha256,
            "size": want.size,
            "piece": want.piece,
            "pieces": [list(one) for one in want.pieces],
            "window": want.window,
        }
    )


def decode_want(payload: bytes) -> Want:
    """Read and check a payload; raises WantError, and nothing else, on any other bytes."""
    if len(payload) > MOST_BYTES:
        raise WantError(f"more than {MOST_BYTES} bytes")
    try:
        content = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise WantError("it is not JSON") from error
    if not isinstance(content, dict) or set(content) != _MEMBERS or content["schema"] != SCHEMA:
        raise WantError(f"it is not a {SCHEMA}")
    sha256 = content["sha256"]
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise WantError("sha256 is none")
    size, piece = _whole(content["size"], 1, 1 << 40), _whole(content["piece"], 1, LARGEST_PIECE)
    return Want(
        sha256,
        size,
        piece,
        _ranges(content["pieces"], min(-(-size // piece), MOST_PIECES)),
        _whole(content["window"], 1, MOST_PIECES),
    )


def chunk_of(leaf: str) -> tuple[str, int]:
    """The hash and the number in `model/chunk/<sha256>/<number>`, the topic's end behind the
    station. Raises WantError."""
    parts = leaf.split("/")
    if len(parts) != 4 or parts[:2] != ["model", "chunk"]:
        raise WantError("it is no topic of a piece")
    if not _SHA256.fullmatch(parts[2]) or not _NUMBER.fullmatch(parts[3]):
        raise WantError("it names no piece")
    return parts[2], int(parts[3])


def chunks(station: Station) -> str:
    """What a station subscribes to, to receive pieces."""
    return f"{station.topic('model/chunk')}/#"


def _ranges(value: object, count: int) -> tuple[tuple[int, int], ...]:
    """Rising ranges within the file. Raises WantError."""
    if not isinstance(value, list) or not 0 < len(value) <= MOST_RANGES:
        raise WantError(f"pieces is no list of 1 to {MOST_RANGES} ranges")
    found: list[tuple[int, int]] = []
    for one in value:
        if not isinstance(one, list) or len(one) != 2:
            raise WantError("a range is not two numbers")
        first = _whole(one[0], found[-1][1] + 1 if found else 0, count - 1)
        found.append((first, _whole(one[1], first, count - 1)))
    return tuple(found)


def _whole(value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise WantError(f"a number is not within {low}..{high}")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
