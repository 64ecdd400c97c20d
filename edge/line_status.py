"""What the line process says of itself every second, and what each cause does to parts."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge import __version__
from edge.clock import Clock
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

WORDS = {
    "camera": (
        "no pictures: parts without a picture go to a person",
        "check cable and power of the camera; `edge-inspect camera list` shows what is there",
    ),
    "frozen": (
        "the camera repeats one picture: parts go to a person",
        "switch the camera off and on; `edge-inspect camera snapshot` shows what it sees",
    ),
    "model": (
        "the model does not answer: parts go to a person",
        "`edge-inspect model prove BUNDLE` says what is wrong with the model",
    ),
    "record": (
        "records wait in memory; when it is full, parts go to a person unrecorded",
        "make room on the disk (`df -h`), or look at the log of the line",
    ),
    "pictures": (
        "parts are decided and recorded, their pictures are not kept",
        "make room on the disk (`df -h`)",
    ),
    "storage": (
        "parts are decided and recorded; when no room is left, they go to a person unrecorded",
        "see why sync is behind, make room on the disk, or raise storage.max_bytes",
    ),
    "verdicts": (
        "persons' answers are recorded and do not reach the line: the fall-back decides",
        "look at the log of the line; `queue.db` in the state directory cannot be read",
    ),
    "database": (
        "parts are decided and recorded, in a new epoch; the older records are being saved",
        "nothing at once; have the disk looked at (`smartctl -a`), it may be failing",
    ),
    "watch": (
        "parts are decided; nobody watches whether the bounds still hold",
        "look at the log of the line; `edge-inspect results --verify`",
    ),
}


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
            causes.append(Cause(f"{limit.name}: {limit.reason}", since, parts, _mend(limit.name)))
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


def _mend(limit: str) -> str:
    return {
        "no_calibration": "`edge-inspect calibrate DIR --apply --by NAME`, or"
        " `edge-inspect calibration apply ID --by NAME --reason TEXT`",
        "uncertified": "calibrate, or set decision.allow_uncertified: true",
        "unconfirmed": "`edge-inspect model confirm BUNDLE --by NAME` after looking at the fields",
        "no_model": "`edge-inspect model prove BUNDLE` says what is wrong with the model",
        "model_failing": "`edge-inspect model prove BUNDLE` says what is wrong with the model",
        "model_dying": "`edge-inspect model prove BUNDLE` says what is wrong with the model",
    }.get(limit, f"find the cause, then `edge-inspect automation clear {limit} --by NAME`")


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
