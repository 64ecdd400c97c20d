"""What a stored picture is worth to whoever has to make room, and what it takes. Pure but for stat.

The lowest worth goes first. Within one worth the oldest goes first, by `seq`.
"""

from __future__ import annotations

import json
from pathlib import Path

from edge.decision.challenge import TAG

BLOCK = 4096
"""File systems give files whole blocks; a picture counts as what it takes from the disk."""

ACCEPTED, REJECTED, ESCALATED, ASKED, CHALLENGE = range(5)
"""Accepted, rejected, escalated, and nobody is asked; a person was or is asked about it; of a
challenge part."""

THERE, LEAVING, GONE = range(3)
"""On the disk; given up, the file may still be there for a moment; removed on purpose."""


def worth(decision: str, asked: bool, challenge: bool) -> int:
    """How late the picture of such a part is given up."""
    if challenge:
        return CHALLENGE
    if asked:
        return ASKED
    return {"accept": ACCEPTED, "reject": REJECTED}.get(decision, ESCALATED)


def on_disk(size: int) -> int:
    """What a file of this many bytes takes, in whole blocks."""
    return -(-size // BLOCK) * BLOCK


def pictured(seq: int, body: bytes, folder: Path) -> tuple[int, str, int, int] | None:
    """Number, path, bytes and worth of a stored inspection's picture; 0 bytes for a missing one.

    None for a body that names no picture, or that is damaged.
    """
    try:
        record = json.loads(body)
        path = str(record["image"]["path"])
        value = worth(record["decision"], bool(record["asked"]), TAG in record["tags"])
    except (ValueError, KeyError, TypeError):
        return None
    try:
        size = (folder / path).stat().st_size
    except (OSError, ValueError):
        size = 0
    return seq, path, on_disk(size), value
