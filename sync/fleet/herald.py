"""Signed packs, to the broker: each station's newest is retained there, and put back when it is
gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sync.fleet.database import DatabaseError
from sync.fleet.genuine import NONE
from sync.fleet.publisher import OVERHEAD
from sync.link import Trouble
from sync.topics import Station
from sync.transport import NO_LIMIT, Acknowledged, Event, Refused, Transport

MOST_UNDER_WAY = 4
SETTLE_S = 1.0
"""After a connection the broker first says what it holds."""
LEAVE_TO_OTHERS_S = 3.0
"""What another process has assigned, that process publishes; after so long anybody does."""
AGAIN_S = 60.0
MEND = "let the fleet write `model/assignment`: edge-inspect fleet acl"
MOST_STRANGERS = 20_000
"""Stations whose packs are remembered though we know of no assignment: another process may."""


class Herald:
    """Compares what the broker holds with what was signed. A pack that is missing there, or is not
    ours, is published; what is right is left alone, so that a reconnection costs stations nothing.

    `make` gives the newest pack of a station, None where it has none; `judge` the version of the
    timestamp in a station's pack, NONE where it is not ours.
    """

    def __init__(
        self,
        transport: Transport,
        make: Callable[[str], bytes | None],
        judge: Callable[[str, bytes], int],
    ) -> None:
        self.trouble: Trouble | None = None
        self.published = 0
        self.foreign = 0
        self._transport = transport
        self._make = make
        self._version = judge
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
        full = len(self._held) >= len(self._stamps) + MOST_STRANGERS
        if full and station not in self._stamps and station not in self._held:
            return
        version = self._version(station, payload) if payload else NONE
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
        self._judge(station, now, now if version != NONE else now + AGAIN_S)
        return True

    def taken(self) -> dict[str, int]:
        """What the broker has taken since the last call, and what it was found to hold."""
        found, self._taken = self._taken, {}
        return found

    def step(self, now: float, room: int, retain: bool, largest: int = NO_LIMIT) -> float:
        """Publish what is due; seconds until something is. Only with a connection."""
        if now < self._settled_at:
            return self._settled_at - now
        flying = {station for station, _ in self._flying.values()}
        for station, at in sorted(self._due.items(), key=lambda one: one[1]):
            if at > now or len(self._flying) >= min(room, MOST_UNDER_WAY):
                break
            if station not in flying:
                self._publish(station, now, retain, largest)
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

    def _publish(self, station: str, now: float, retain: bool, largest: int) -> None:
        self._due[station] = now + AGAIN_S
        try:
            payload = self._make(station)
        except DatabaseError:
            self._due[station] = now
            raise
        except Exception as error:  # one that cannot be made holds up no other
            mend = str(getattr(error, "mend", "`edge-inspect fleet strike` what is old"))
            self.trouble = Trouble(f"no pack for {station}: {error}", mend)
            return
        if payload is None:
            del self._due[station]
            return
        topic = Station.parse(station).model_assignment
        if len(payload) + len(topic) + OVERHEAD > largest:
            what = f"the broker takes no pack of {len(payload)} bytes: {station} hears nothing"
            self.trouble = Trouble(what, "raise its largest packet (`max_packet_size`)")
            return
        token = self._transport.publish(topic, payload, retain=retain)
        self._flying[token] = station, self._version(station, payload)
        self.published += 1
