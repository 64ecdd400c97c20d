"""The small world-readable file in which each service says how it is, every second."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.files import write_atomically

STALE_S = 5.0
"""A service that has not renewed its file for this long is not working."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is not as it should be: since when, what it does to parts, what mends it."""

    what: str
    since: str
    parts: str
    mend: str

    def as_json(self) -> dict[str, str]:
        """The cause as status files carry it."""
        return {"what": self.what, "since": self.since, "parts": self.parts, "mend": self.mend}


class StatusFile:
    """One service's file. Written without fsync: after a power cut nobody is running anyway."""

    def __init__(self, folder: Path, service: str) -> None:
        self.path = folder / f"{service}.json"

    def write(self, status: Mapping[str, object]) -> None:
        """Replace the file. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = json.dumps(status, allow_nan=False).encode()
        write_atomically(self.path, data, mode=0o644, durable=False)

    def read(self) -> dict[str, object] | None:
        """What the service said last; None when there is no readable file."""
        try:
            status = json.loads(self.path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return status if isinstance(status, dict) else None
