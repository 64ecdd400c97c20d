"""Signed packs, to the broker: each station's newest is retained there, and put back when it is
gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from sync.link import Trouble
from sync.pack import unpack
from sync.refusals import TrustRefused
from sync.topics import Station
from sync.transport import Acknowledged, Event, Refused, Transport

MOST_UNDER_WAY = 4
SETTLE_S = 1.0
"""After a connection the broker first says what it holds."""
LEAVE_TO_OTHERS_S = 3.0
"""What another process has assigned, that process publishes; after so long anybody does."""
AGAIN_S = 60.0
MEND = "let the fleet write `model/assignment`: edge-inspect fleet acl"
NONE = -1


class Herald:
    """Compares what the broker holds with what was signed. A pack that is missing there, or is not
    ours, is published; what is right is left alone, so that a reconnection costs stations nothing.

    `make` gives the newest pack of a station, None where it has none.
    """

    def __init__(self, transport: Transport, make: Callable[[str], bytes | None]) -> None:
        self.trouble: Trouble | None = None
        self.published = 0
        self.foreign = 0
        self._transport = transport
        self._make = make
        self._stamps: Mapping[str, int] = {}
        self._held: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._mine: set[str] = set()
        self._flying: dict[int, tuple[str, int]] = {}
        self._taken: dict[str, int] = {}
        self._said: dict[str, int] = {}
        self._newest = 0
        self._settled_at = float("inf")

    @property
    def under_way(self) -> int:
        """Packs that the broker has not taken yet."""
        return len(self._flying)

    @property
    def silent(self) -> bool:
        """Whether the broker holds everything that was signed, as far as is known."""
        return not (self._due or self._flying)

    def connected(self, now: float) -> None:
        """On a new connection the broker may be another one, or have forgotten."""
        self.lost()
        self._settled_at = now + SETTLE_S

    def lost(self) -> None:
        """The connection is gone."""
        self._held.clear()
        self._due.clear()
        self._flying.clear()
        self._settled_at = float("inf")

    def know(self, stamps: Mapping[str, int], mine: frozenset[str], now: float) -> None:
        """What was signed, for each station the version of the timestamp; of these `mine` just now
        by this process."""
        self._stamps, self._newest = stamps, max(stamps.values(), default=0)
        self._mine |= mine
        for station in self._due.keys() - stamps.keys():
            del self._due[station]
        for station in stamps:
            self._judge(station, now, now if station in self._mine else now + LEAVE_TO_OTHERS_S)

    def heard(self, station: str, payload: bytes, now: float) -> None:
        """A pack that the broker holds or that somebody has just published."""
        version = _version(payload)
        if version == NONE and payload:
            self.foreign += 1
        self._held[station] = version
        if now < self._settled_at < float("inf"):
            self._settled_at = max(self._settled_at, now + SETTLE_S / 2)
        if station in self._stamps:
            self._judge(station, now, now + LEAVE_TO_OTHERS_S)

    def take(self, event: Event, now: float) -> bool:
        """An event of the transport; whether it was about a pack."""
        if not isinstance(event, Acknowledged | Refused) or event.token not in self._flying:
            return False
        station, version = self._flying.pop(event.token)
        if isinstance(event, Refused):
            self.trouble = Trouble(f"the pack of {station} was refused: {event.what}", MEND)
            self._due[station] = now + AGAIN_S
            return True
        self.trouble = None
        self._mine.discard(station)
        self._held[station] = version
        self._judge(station, now, now)
        return True

    def taken(self) -> dict[str, int]:
        """What the broker has taken since the last call, and what it was found to hold."""
        found, self._taken = self._taken, {}
        return found

    def step(self, now: float, room: int, retain: bool) -> float:
        """Publish what is due; seconds until something is. Only with a connection."""
        if now < self._settled_at:
            return self._settled_at - now
        flying = {station for station, _ in self._flying.values()}
        for station, at in sorted(self._due.items(), key=lambda one: one[1]):
            if at > now or len(self._flying) >= min(room, MOST_UNDER_WAY):
                break
            if station not in flying:
                self._publish(station, now, retain)
        return max(0.01, min((at for at in self._due.values()), default=float("inf")) - now)

    def _judge(self, station: str, now: float, at: float) -> None:
        stamp, held = self._stamps[station], self._held.get(station, NONE)
        if stamp <= held <= self._newest:
            self._due.pop(station, None)
            if self._said.get(station) != held:
                self._said[station] = self._taken[station] = held
        elif station in self._due:
            self._due[station] = min(self._due[station], at)
        else:
            self._due[station] = at

    def _publish(self, station: str, now: float, retain: bool) -> None:
        payload = self._make(station)
        if payload is None:
            del self._due[station]
            return
        topic = Station.parse(station).model_assignment
        token = self._transport.publish(topic, payload, retain=retain)
        self._flying[token] = station, _version(payload)
        self._due[station] = now + AGAIN_S
        self.published += 1


def _version(payload: bytes) -> int:
    """The version of the timestamp in a pack, unverified; NONE where there is none."""
    try:
        text = unpack(payload).files["timestamp.json"]
        version = json.loads(text)["signed"]["version"]
    except (TrustRefused, KeyError, TypeError, ValueError, RecursionError):
        return NONE
    return version if isinstance(version, int) and not isinstance(version, bool) else NONE
