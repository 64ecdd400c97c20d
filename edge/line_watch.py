"""Whether the line works, as other services see it: its status file changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.statusfile import STALE_S, StatusFile


@dataclass(slots=True)
class LineWatch:
    """Looks at the line's status file. Compares no clocks, only its own time."""

    file: StatusFile
    said: Mapping[str, object] = field(default_factory=dict)
    _last: object = None
    _changed_at: float = float("-inf")
    _runs: bool = False

    def up(self, now: float) -> bool:
        """Look once; true when the line renewed its file within the last seconds.

        `said` is what the file holds afterwards.
        """
        self.said = said = self.file.read() or {}
        mark = (said.get("pid"), said.get("at"), said.get("inspected"))
        if mark != self._last:
            # What lies there at the first look may be years old: only a change is a sign of life.
            self._runs = self._last is not None and said.get("state") in ("ok", "degraded")
            self._last, self._changed_at = mark, now
        return self._runs and now - self._changed_at < STALE_S
