"""What the service says of itself every second, for everybody to read. No names, no addresses."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from edge import __version__
from edge.log import log
from edge.records import utc
from edge.review.waiting import Waiting
from edge.statusfile import Cause, StatusFile
from edge.web.following import counted
from edge.web.line_state import LineState

UNREADABLE = (
    "what waits is not known to the page; the fall-back decides, unless somebody has answered",
    "look at the log of the line; `edge-inspect results --verify`",
)
LINE_DOWN = (
    "no parts are inspected; answers are recorded, and the line reads them when it runs",
    "edge-inspect run",
)
BEHIND = (
    "what the page shows is old; the fall-back decides, unless somebody has answered",
    "restart the service; look at its log",
)


class Numbers(Protocol):
    """What the rest of the service counts."""

    def waiting(self) -> Waiting:
        """What waits."""
        ...

    def sessions(self) -> int:
        """How many are signed in, locked or not."""
        ...

    def streams(self) -> int:
        """How many browsers listen."""
        ...

    def refused(self) -> Mapping[str, int]:
        """How much was refused since the start, by code."""
        ...

    def nonsense(self) -> int:
        """Request files that made no sense."""
        ...


@dataclass(slots=True)
class WebStatus:
    """The status file of web: `docs/operations.md` lists the fields."""

    file: StatusFile
    listen: str
    secure: bool
    config: str
    wall: Callable[[], float]
    line: LineState
    failing: Callable[[], str | None]
    numbers: Numbers
    head: Callable[[], tuple[str, int, str]]
    _started: str = ""
    _since: dict[str, str] = field(default_factory=dict)

    def write(self, state: str | None = None) -> None:
        """Renew the file; a disk that refuses is no reason to stop."""
        try:
            self.file.write(self.describe(state))
        except OSError as error:
            log.warning("web.status_file", error=error)

    def describe(self, state: str | None = None) -> dict[str, object]:
        """The status as JSON."""
        now = utc(self.wall())
        self._started = self._started or now
        causes = self._causes(now)
        waiting = self.numbers.waiting()
        epoch, seq, last = self.head()
        return {
            "schema": "status/1",
            "service": "web",
            "state": state or ("degraded" if causes else "ok"),
            "pid": os.getpid(),
            "at": now,
            "since": self._started,
            "software": __version__,
            "config": self.config,
            "causes": [cause.as_json() for cause in causes],
            "listen": self.listen,
            "tls": self.secure,
            **{name: value for name, value in counted(waiting).items() if name != "pressing"},
            "sessions": self.numbers.sessions(),
            "streams": self.numbers.streams(),
            "refused": dict(self.numbers.refused()),
            "nonsense": self.numbers.nonsense(),
            "answers": {"epoch": epoch, "seq": seq, "hash": last},
        }

    def _causes(self, now: str) -> list[Cause]:
        known, why = self.line.now, self.failing()
        found = {}
        if why is not None:
            found[f"line.db cannot be read: {why}"] = UNREADABLE
        elif known.stale:
            found["the records of the line are not being read"] = BEHIND
        if not known.up:
            found["the line does not run"] = LINE_DOWN
        self._since = {what: self._since.get(what, now) for what in found}
        return [Cause(what, self._since[what], *words) for what, words in found.items()]
