"""Pieces of bundles for the stations that ask for them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sync.topics import Station
from sync.transport import Acknowledged, Event, Refused, Transport
from sync.want import Want, WantError, decode_want

MOST_UNDER_WAY = 64
MOST_BYTES_UNDER_WAY = 8 << 20
MOST_PER_STATION = 16
MOST_UNSURE = 1024
LOOK_AGAIN_S = 0.05
"""When the broker has not taken enough for more to be sent."""
OVERHEAD = 64
"""Bytes of an MQTT packet that are neither topic nor payload, and some to spare."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The one file that a station may have, as it is assigned."""

    sha256: str
    size: int
    piece: int

    def length(self, number: int) -> int:
        """Bytes of a piece."""
        return min(self.piece, self.size - number * self.piece)


@dataclass(slots=True)
class Counters:
    """Since the start of this process. `strange` is what was wrong with the last want that was
    ignored; `missing` are pieces that the database should have."""

    wants: int = 0
    ignored: int = 0
    pieces: int = 0
    bytes: int = 0
    refused: int = 0
    missing: int = 0
    strange: str = ""


@dataclass(slots=True)
class _Queue:
    """What one station still waits for. `numbers` in the order of asking, each once."""

    file: Allowed
    window: int
    numbers: OrderedDict[int, None] = field(default_factory=OrderedDict)
    flying: set[int] = field(default_factory=set)


class Publisher:
    """Answers wants, one piece for each station in turn, so that none waits for another's end.

    A station gets pieces of the file that it is assigned and of no other. So much is under way at
    most: `MOST_UNDER_WAY` messages, `MOST_BYTES_UNDER_WAY`, and `MOST_PER_STATION` or what the
    station asks for. `read` gives the bytes of a piece, None where there is none.
    """

    def __init__(self, transport: Transport, read: Callable[[str, int], bytes | None]) -> None:
        self.counters = Counters()
        self._transport = transport
        self._read = read
        self._assigned: Mapping[str, Allowed] = {}
        self._queues: OrderedDict[str, _Queue] = OrderedDict()
        self._unsure: dict[str, Want] = {}
        self._flying: dict[int, tuple[str, str, int, int]] = {}
        self._bytes = 0

    @property
    def under_way(self) -> int:
        """Pieces that the broker has not taken yet."""
        return len(self._flying)

    @property
    def busy(self) -> bool:
        """Whether a station waits for pieces."""
        return bool(self._queues)

    def assign(self, assigned: Mapping[str, Allowed]) -> None:
        """The newest word on who may have what. A want that came before it is looked at again."""
        self._assigned = assigned
        for station in [name for name, one in self._queues.items() if self._stale(name, one)]:
            del self._queues[station]
        unsure, self._unsure = self._unsure, {}
        for station, want in unsure.items():
            if not self._accept(station, want):
                self._ignore(f"{station} asks for {want.sha256[:12]}, which it is not assigned")

    def want(self, station: str, payload: bytes) -> None:
        """A payload on `model/want` of this station; nonsense is counted, and that is all."""
        self.counters.wants += 1
        try:
            want = decode_want(payload)
        except WantError as error:
            self._ignore(f"{station}: {error}")
            return
        if self._accept(station, want):
            return
        if station not in self._unsure and len(self._unsure) >= MOST_UNSURE:
            self._ignore(f"{station}: too many ask for what they are not assigned")
            return
        self._unsure[station] = want  # another process may just have assigned it

    def take(self, event: Event) -> bool:
        """An event of the transport; whether it was about a piece."""
        if not isinstance(event, Acknowledged | Refused) or event.token not in self._flying:
            return False
        station, sha256, number, size = self._flying.pop(event.token)
        self._bytes -= size
        queue = self._queues.get(station)
        if queue is not None and queue.file.sha256 == sha256:
            queue.flying.discard(number)
            self._drop_empty(station, queue)
        if isinstance(event, Refused):
            self.counters.refused += 1
            self.counters.strange = f"{station}: a piece was refused: {event.what}"
        return True

    def forget(self) -> None:
        """The connection is gone. Stations ask again for what does not come."""
        self._flying.clear()
        self._queues.clear()
        self._unsure.clear()
        self._bytes = 0

    def step(self, room: int, largest: int) -> float:
        """Send what there is room for: so many messages, of `largest` bytes each at most. Seconds
        until it is worth another look. Only with a connection."""
        waiting = len(self._queues)
        while waiting and self._room(room):
            station, queue = next(iter(self._queues.items()))
            self._queues.move_to_end(station)
            sent = queue.numbers and len(queue.flying) < queue.window
            if sent:
                self._send(station, queue, largest)
                self._drop_empty(station, queue)
            waiting = len(self._queues) if sent else waiting - 1
        return LOOK_AGAIN_S if self._queues else float("inf")

    def _room(self, room: int) -> bool:
        under_way = len(self._flying)
        return under_way < min(room, MOST_UNDER_WAY) and self._bytes < MOST_BYTES_UNDER_WAY

    def _accept(self, station: str, want: Want) -> bool:
        file = self._assigned.get(station)
        if file is None or file != Allowed(want.sha256, want.size, want.piece):
            return False
        queue = self._queues.get(station)
        if queue is None or queue.file != file:
            queue = self._queues[station] = _Queue(file, 1)
        queue.window = min(want.window, MOST_PER_STATION)
        for number in want.numbers:
            if number not in queue.flying:
                queue.numbers.setdefault(number)
        self._drop_empty(station, queue)
        return True

    def _send(self, station: str, queue: _Queue, largest: int) -> None:
        number, _ = queue.numbers.popitem(last=False)
        file = queue.file
        topic = Station.parse(station).model_chunk(file.sha256, number)
        if file.length(number) + len(topic) + OVERHEAD > largest:
            self._ignore(f"{station}: the broker takes no piece of {file.piece} bytes")
            queue.numbers.clear()
            return
        data = self._read(file.sha256, number)
        if data is None or len(data) != file.length(number):
            self.counters.missing += 1
            self.counters.strange = f"piece {number} of {file.sha256} is not in the database"
            return
        token = self._transport.publish(topic, data)
        queue.flying.add(number)
        self._flying[token] = (station, file.sha256, number, len(data))
        self._bytes += len(data)
        self.counters.pieces += 1
        self.counters.bytes += len(data)

    def _drop_empty(self, station: str, queue: _Queue) -> None:
        if not queue.numbers and not queue.flying:
            self._queues.pop(station, None)

    def _stale(self, station: str, queue: _Queue) -> bool:
        return self._assigned.get(station) != queue.file

    def _ignore(self, what: str) -> None:
        self.counters.ignored += 1
        self.counters.strange = what
