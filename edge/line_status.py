"""What the line process says of itself every second, and what each cause does to parts."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge import __version__
from edge.causes import WORDS, mend
from edge.clock import Clock
from edge.config import Config
from edge.monitor.alarms import Alarms
from edge.records import utc
from edge.statusfile import Cause, StatusFile
from edge.workers.inspect import Inspector
from edge.workers.keep import Keeper
from edge.workers.openings import Openings
from edge.workers.overruns import Overruns
from edge.workers.record import Recorder
from edge.workers.ruler import Ruler

RATE_OVER_NS = 10 * 10**9


@dataclass(slots=True)
class Seen:
    """What the status is put together from."""

    inspector: Inspector
    keeper: Keeper
    recorder: Recorder
    ruler: Ruler
    alarms: Alarms
    openings: Openings
    overruns: Overruns
    clock: Clock
    state_dir: Path
    static: dict[str, object]
    pid_of_model: Callable[[], int | None]
    watched: Callable[[], Mapping[str, object]] = dict


def static(config: Config, view: str) -> dict[str, object]:
    """What stays the same for a whole run."""
    return {
        "station": config.station.path,
        "config": config.digest,
        "view": view,
        "ceiling": config.decision.automation,
    }


class LineStatus:
    """Writes the status file of the line."""

    def __init__(self, file: StatusFile, seen: Seen) -> None:
        self._file = file
        self._seen = seen
        self._since = utc(seen.clock.wall())
        self._rates: deque[tuple[int, int]] = deque()
        self._limits_since: dict[str, str] = {}

    def write(self, state: str | None = None) -> None:
        """Renew the file; a disk that refuses is no reason to stop."""
        try:
            self._file.write(self.describe(state))
        except OSError:
            return

    def describe(self, state: str | None = None) -> dict[str, object]:
        """The status as JSON: `docs/operations.md` lists the fields."""
        seen = self._seen
        causes = self._causes()
        epoch, seq, last = seen.recorder.head
        return {
            "schema": "status/1",
            "service": "line",
            "state": state or ("degraded" if causes else "ok"),
            "pid": os.getpid(),
            "model_pid": seen.pid_of_model(),
            "at": utc(seen.clock.wall()),
            "since": self._since,
            "software": __version__,
            "causes": [cause.as_json() for cause in causes],
            "degree": seen.ruler.now.degree,
            "degree_why": seen.ruler.now.why,
            "calibration": seen.ruler.basis.cuts and seen.ruler.basis.cuts.calibration,
            "limits": [limit.name for limit in seen.ruler.limits],
            "inspected": seen.inspector.inspected,
            "recorded": {"epoch": epoch, "seq": seq, "hash": last},
            "decisions": dict(seen.recorder.decisions),
            "open_escalations": len(seen.openings),
            "overruns": seen.overruns.total,
            "unrecorded": seen.overruns.unrecorded
            + seen.recorder.unrecorded
            + seen.inspector.unrecorded,
            "parts_per_second": self._rate(),
            "disk_free_bytes": _free(seen.state_dir),
            **seen.watched(),
            **seen.static,
        }

    def _causes(self) -> list[Cause]:
        causes = [
            Cause(alarm.message, utc(alarm.since.wall), *WORDS[alarm.cause])
            for alarm in self._seen.alarms.standing
        ]
        limits, now = self._seen.ruler.limits, utc(self._seen.clock.wall())
        known = self._limits_since
        self._limits_since = {limit.name: known.get(limit.name, now) for limit in limits}
        for limit in limits:
            parts = f"automation is held at {limit.degree} or below"
            since = self._limits_since[limit.name]
            causes.append(Cause(f"{limit.name}: {limit.reason}", since, parts, mend(limit.name)))
        return causes

    def _rate(self) -> float:
        now_ns, done = self._seen.clock.monotonic_ns(), self._seen.inspector.inspected
        self._rates.append((now_ns, done))
        while now_ns - self._rates[0][0] > RATE_OVER_NS:
            self._rates.popleft()
        then_ns, before = self._rates[0]
        return round((done - before) * 1e9 / (now_ns - then_ns), 2) if now_ns > then_ns else 0.0


def troubles(inspector: Inspector, keeper: Keeper, recorder: Recorder) -> dict[str, str | None]:
    """What the workers on a part's way cannot do now, by the cause of the alarm."""
    return {
        "frozen": "the camera repeats one picture" if inspector.frozen else None,
        "record": recorder.failing,
        "pictures": keeper.failing,
    }


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
