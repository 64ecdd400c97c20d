"""How far delivery is, in a file that survives a power cut.

Sync writes it alone. The line reads it before it deletes: nothing behind a position is deleted, and
nothing before it whose hash is not that of the line's own row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sync.durable import replace_file
from sync.window import UNKNOWN, Mark

SCHEMA = "sync-position/1"
BROKER = "broker"
"""Whose word it is with `acknowledge: broker`."""
MOST_SALVAGED = 16
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Held:
    """How far one epoch of a stream is delivered. `by` names the collector's database, or is
    `broker`. The hash is `UNKNOWN` where the record at the mark is deleted."""

    stream: str
    mark: Mark
    by: str


@dataclass(frozen=True, slots=True)
class Positions:
    """What the file says. `streams` by name, `salvaged` by epoch, newest last, at most 16;
    `pictures` is kept as it is."""

    streams: Mapping[str, Held] = field(default_factory=dict)
    salvaged: Mapping[str, Held] = field(default_factory=dict)
    pictures: Mapping[str, object] = field(default_factory=dict)

    def of(self, stream: str, epoch: str) -> Held | None:
        """What is known of this epoch."""
        for held in (self.streams.get(stream), self.salvaged.get(epoch)):
            if held is not None and (held.stream, held.mark.epoch) == (stream, epoch):
                return held
        return None


class PositionFile:
    """`sync.json`.

    The file is a hint, not a record: when it is missing, damaged or too old, delivery starts
    earlier and records arrive twice, which readers filter by (stream, epoch, seq).
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Positions:
        """What was written last; nothing at all when the file is missing or not sound."""
        try:
            content = json.loads(self.path.read_bytes())
            if content["schema"] != SCHEMA:
                return Positions()
            pictures = content.get("pictures", {})
            return Positions(
                {name: _held(name, said) for name, said in content["streams"].items()},
                {
                    epoch: _held(said["stream"], {**said, "epoch": epoch})
                    for epoch, said in content.get("salvaged", {}).items()
                },
                pictures if isinstance(pictures, dict) else {},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return Positions()

    def write(self, positions: Positions) -> None:
        """Replace the file whole: temporary, fsync, rename, fsync of the folder. Raises OSError;
        the old file is then still there."""
        salvaged = list(positions.salvaged.items())[-MOST_SALVAGED:]
        content = {
            "schema": SCHEMA,
            "streams": {
                name: {"epoch": held.mark.epoch, **_reached(held)}
                for name, held in positions.streams.items()
            },
            "salvaged": {
                epoch: {"stream": held.stream, **_reached(held)} for epoch, held in salvaged
            },
            "pictures": dict(positions.pictures),
        }
        replace_file(self.path, json.dumps(content).encode(), 0o644)


def _reached(held: Held) -> dict[str, object]:
    return {"seq": held.mark.seq, "hash": held.mark.hash or None, "by": held.by}


def _held(stream: object, said: Mapping[str, object]) -> Held:
    epoch, seq, last = said["epoch"], said["seq"], said["hash"]
    by = said.get("by", BROKER)  # the first version of the file knew no other
    if not all(isinstance(text, str) for text in (stream, epoch, by)):
        raise ValueError("not a position")
    if last is not None and not (isinstance(last, str) and _HASH.fullmatch(last)):
        raise ValueError("not a position")
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise ValueError("not a position")
    return Held(str(stream), Mark(str(epoch), seq, str(last or UNKNOWN)), str(by))
