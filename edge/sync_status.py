"""What the sync service says of itself, every second, for everybody to read."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from edge import __version__
from edge.log import log
from edge.records import utc
from edge.statusfile import Cause, StatusFile
from sync.link import Trouble
from sync.stream import Stream
from sync.uplink import Uplink

RATE_OVER_S = 10.0
UNAFFECTED = "parts are decided and recorded as always; their records wait on this station"


@dataclass(slots=True)
class SyncStatus:
    """The status file of sync. `certificates` says which of them end soon."""

    file: StatusFile
    broker: str
    acknowledge: str
    wall: Callable[[], float]
    started: str
    certificates: Callable[[], list[Trouble]] = list
    _since: dict[str, str] = field(default_factory=dict)
    _moved: deque[tuple[float, int]] = field(default_factory=deque)

    def write(self, uplink: Uplink, now: float, state: str | None = None) -> None:
        """Renew the file; a disk that refuses is no reason to stop."""
        try:
            self.file.write(self.describe(uplink, now, state))
        except OSError as error:
            log.warning("sync.status_file", error=error)

    def acknowledged(self, records: int, now: float) -> None:
        """Count for the rate."""
        if records:
            self._moved.append((now, records))

    def describe(self, uplink: Uplink, now: float, state: str | None = None) -> dict[str, object]:
        """The status as JSON: docs/mqtt.md lists the fields."""
        causes = self._causes([*uplink.troubles(now), *self.certificates()])
        while self._moved and now - self._moved[0][0] > RATE_OVER_S:
            self._moved.popleft()
        word = uplink.hearing.word
        pictures, delivery = uplink.sharing.pictures, uplink.sharing.delivery
        said = None
        if word is not None:
            said = {"store": word.store, "at": utc(self.wall() - (now - word.at))}
        return {
            "schema": "status/1",
            "service": "sync",
            "state": state or ("degraded" if causes else "ok"),
            "pid": os.getpid(),
            "at": utc(self.wall()),
            "since": self.started,
            "software": __version__,
            "causes": [cause.as_json() for cause in causes],
            "broker": self.broker,
            "connected": uplink.connected,
            "acknowledge": self.acknowledge,
            "collector": said,
            "streams": [_stream(one) for one in uplink.streams.all],
            **uplink.streams.progress(),
            "pictures": pictures.status() if pictures else None,
            "models": delivery.status() if delivery else None,
            "rate": round(sum(records for _, records in self._moved) / RATE_OVER_S, 1),
            "ignored": uplink.ignored,
        }

    def _causes(self, troubles: list[Trouble]) -> list[Cause]:
        named = {trouble.what: trouble for trouble in troubles}
        self._since = {what: self._since.get(what) or utc(self.wall()) for what in named}
        return [
            Cause(what, self._since[what], UNAFFECTED, trouble.mend)
            for what, trouble in named.items()
        ]


def _stream(one: Stream) -> dict[str, object]:
    return {
        "name": one.source.name,
        "backlog": one.backlog,
        "waiting_for": one.waiting_for,
        "gaps": one.gaps,
    }
