"""What the service knows of the line at this moment, for pages, the API and the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STALE_S = 5.0
"""So long nothing could be read of the line before the page says that it is not up to date."""


@dataclass(frozen=True, slots=True)
class Known:
    """One look at the line. `said` is its status file, `trouble` what persons at the line should
    know beyond its being down: each with `code`, `message` and since when (`at`)."""

    up: bool = False
    stale: bool = False
    said: Mapping[str, Any] = field(default_factory=dict)
    trouble: tuple[Mapping[str, object], ...] = ()

    @property
    def unreadable(self) -> bool:
        """Whether the line's records cannot be read."""
        return any(one["code"] == "unreadable" for one in self.trouble)

    def as_json(self) -> dict[str, object]:
        """As the API says it: a part of `/api/v1/queue`, and the event `line`."""
        return {
            "line": "up" if self.up else "down",
            "stale": self.stale,
            "trouble": [dict(one) for one in self.trouble],
        }


class LineState:
    """Set by the thread that follows the line, read by all others: one assignment."""

    def __init__(self) -> None:
        self.now = Known()

    def status(self) -> Mapping[str, Any] | None:
        """The line's status file; None while it does not run."""
        return self.now.said if self.now.up else None
