"""The half of the line that listens to people and watches the bounds, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.clock import Clock
from edge.records import Origin
from edge.review.verdicts import FILE
from edge.store.archive import Archive
from edge.workers.tend import Helper
from edge.workers.verdicts import VerdictReader


@dataclass(frozen=True, slots=True)
class Watching:
    """What the tend thread looks after besides."""

    verdicts: VerdictReader

    @property
    def helpers(self) -> tuple[Helper, ...]:
        """Stepped in this order."""
        return (self.verdicts,)

    def troubles(self) -> Mapping[str, str | None]:
        """Why something of it does not work, by the cause of the alarm."""
        return {"verdicts": self.verdicts.failing}


def watching(
    state_dir: Path, clock: Clock, origin: Origin, state: Callable[[str], str | None]
) -> Watching:
    """Wired; no file is opened yet. `state` is what the line kept at its last commit."""
    line, queue = state_dir / "line.db", state_dir / FILE
    return Watching(VerdictReader(Archive(queue), Archive(line), clock, origin, state))
