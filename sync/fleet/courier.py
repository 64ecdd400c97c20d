"""Models on their way to stations: wants are answered, packs published, roll-outs carried on."""

from __future__ import annotations

from collections.abc import Callable

from sync.backoff import Backoff
from sync.fleet.advance import Advance, Turn
from sync.fleet.database import DatabaseError
from sync.fleet.herald import Herald
from sync.fleet.publisher import Publisher
from sync.fleet.receipts import Receipts
from sync.fleet.said import read
from sync.link import Link, Trouble
from sync.topics import ROOT, TopicError, parse
from sync.transport import Acknowledged, Connected, Disconnected, Message, Refused, Transport

WANTS = f"{ROOT}/+/+/+/model/want"
STATES = f"{ROOT}/+/+/+/model/state"
PACKS = f"{ROOT}/+/+/+/model/assignment"
NO_PROGRESS_S = 15.0
TURN_EVERY_S = 0.5
QUIET_S = 1.0
"""Between two turns when no station has said anything."""
MOST_STATIONS = 20_000
"""Of which states are kept: whoever may write to the broker can make names up."""
MOST_HEARD_BYTES = 64 << 20
"""Of states between two turns; a fleet of thousands says less when it comes back all at once."""
LEAVE_WITHIN_S = 2.0


class Courier:
    """Beside the collector, on a connection of its own, so that pieces do not queue before records.

    The broker deals wants out among those of one `group`; states and packs are heard by all. Used
    from one thread. `step` waits for the database, never for the network. While the database is
    away, stations get what is in memory.
    """

    def __init__(
        self,
        transport: Transport,
        advance: Advance,
        publisher: Publisher,
        herald: Herald,
        backoff: Callable[[], Backoff],
        group: str,
    ) -> None:
        self.nonsense = 0
        self.strange = ""
        self.turns = 0
        self.stopped = False
        self.publisher = publisher
        self.herald = herald
        self._transport = transport
        self._advance = advance
        self._link = Link(transport, backoff(), NO_PROGRESS_S)
        self._backoff = backoff()
        self._filters = (f"$share/{group}-models/{WANTS}", STATES, PACKS)
        self._subscribing: set[int] = set()
        self._receipts = Receipts(transport.release)
        self._heard: dict[str, str] = {}
        self._heard_bytes = 0
        self._stations: set[str] = set()
        self._taken: dict[str, int] = {}
        self._news: list[str] = []
        self._turn_at = float("-inf")
        self._busy = False
        self._trouble: Trouble | None = None
        self._faults: tuple[Trouble, ...] = ()
        self._leave_by: float | None = None

    @property
    def listening(self) -> bool:
        """Whether the broker has granted the subscriptions."""
        return self._link.up and not self._subscribing

    @property
    def troubles(self) -> list[Trouble]:
        """What is not as it should be, now."""
        found = (self._trouble, *self._faults, self._link.trouble, self.herald.trouble)
        return list(dict.fromkeys(one for one in found if one is not None))

    def news(self) -> list[str]:
        """What has happened to roll-outs since the last call, in words."""
        found, self._news = self._news, []
        return found

    def step(self, now: float) -> float:
        """Take in what came, take a turn when it is time, send; seconds to wait."""
        self._take_events(now)
        if self._leave_by is not None:
            return self._leave(now)
        if now >= self._due:
            self._take_turn(now)
        was_up = self._link.up
        self._link.step(now)
        if was_up and not self._link.up:
            self._forget()  # given up by us: no event says so
        wait = self._send(now) if self.listening else TURN_EVERY_S
        return max(0.0, min(wait, self._due - now, TURN_EVERY_S))

    def soon(self) -> None:
        """Somebody has ordered something: take a turn at the next step."""
        self._turn_at = float("-inf")

    def stop(self, now: float) -> None:
        """Keep what was heard and leave; then `stopped` is true."""
        if self._leave_by is None:
            self._leave_by = now + LEAVE_WITHIN_S

    def fault(self, what: str, now: float) -> None:
        """A step failed in a way that nobody thought of: begin again with a new connection."""
        self._link.give_up(Trouble(what, "please report it, with the lines before"), now)
        self._forget()

    @property
    def _due(self) -> float:
        """When the next turn is taken."""
        return self._turn_at + (0.0 if self._heard or self._busy else QUIET_S - TURN_EVERY_S)

    def _take_turn(self, now: float) -> None:
        self._taken.update(self.herald.taken())
        try:
            turn = self._advance.turn(self._heard, self._taken)
        except DatabaseError as error:
            self._failed(Trouble(str(error), error.mend), now)
            return
        except Exception as error:  # a repository without its keys must not end the collector
            mend = getattr(error, "mend", "please report it, with the lines before")
            self._failed(Trouble(f"roll-outs do not go on: {error}", str(mend)), now)
            return
        self._heard, self._taken, self._trouble = {}, {}, None
        self._heard_bytes = 0
        self._backoff.reset()
        self.turns += 1
        self._busy = turn.more
        self._turn_at = now if turn.more else now + TURN_EVERY_S
        self._learn(turn, now)

    def _learn(self, turn: Turn, now: float) -> None:
        self._news += turn.news
        self._faults = tuple(Trouble(one.what, one.mend) for one in turn.faults)
        self.publisher.assign(turn.allowed)
        self.herald.know(turn.stamps, turn.mine, now)

    def _failed(self, trouble: Trouble, now: float) -> None:
        self._trouble = trouble
        self._turn_at = now + self._backoff.next_s()

    def _forget(self) -> None:
        """The connection is gone. What stations have said comes again with the next one: until then
        it may grow old, and others may have written what came later."""
        self._heard, self._heard_bytes = {}, 0
        self._subscribing.clear()
        self._receipts.forget()
        self.publisher.forget()
        self.herald.lost()

    def _take_events(self, now: float) -> None:
        for event in self._transport.events():
            self._link.take(event, now)
            if isinstance(event, Message):
                self._message(event, now)
            elif isinstance(event, Connected):
                self._subscribing = {self._transport.subscribe(name) for name in self._filters}
                self._link.sent(now)
                self.herald.connected(now)
            elif isinstance(event, Disconnected):
                self._forget()
            elif isinstance(event, Acknowledged | Refused):
                self._answered(event, now)

    def _answered(self, event: Acknowledged | Refused, now: float) -> None:
        if self.publisher.take(event) or self.herald.take(event, now):
            self._link.progress(now, self._under_way)
        elif event.token in self._subscribing:
            self._subscribing.discard(event.token)
            if isinstance(event, Refused):
                what = f"the subscription was refused: {event.what}"
                self._link.give_up(Trouble(what, event.mend), now)
                self._forget()
            elif not self._subscribing:
                self._link.progress(now, self._under_way)

    @property
    def _under_way(self) -> int:
        return self.publisher.under_way + self.herald.under_way

    def _message(self, message: Message, now: float) -> None:
        self._receipts.came(message.token)
        self._receipts.release(message.token)
        try:
            station, leaf = parse(message.topic)
        except TopicError as error:
            self._odd(str(error))
            return
        if leaf == "model/want" and not message.retained:
            self.publisher.want(str(station), message.payload)
        elif leaf == "model/assignment":
            self.herald.heard(str(station), message.payload, now)
        elif leaf == "model/state":
            self._state(str(station), message.payload)
        else:
            self._odd(f"nobody asked for {message.topic}")

    def _state(self, station: str, payload: bytes) -> None:
        size = self._heard_bytes - len(self._heard.get(station, "")) + len(payload)
        full = len(self._stations) >= MOST_STATIONS and station not in self._stations
        if full or size > MOST_HEARD_BYTES:
            self._odd(f"a model/state of {station}, and more than can be kept have come")
            return
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            text = ""
        if read(text, station) is None:
            self._odd(f"a model/state of {station} that is none")
            return
        self._stations.add(station)
        self._heard[station], self._heard_bytes = text, size

    def _odd(self, what: str) -> None:
        self.nonsense += 1
        self.strange = what[:300]

    def _send(self, now: float) -> float:
        limits, wait = self._link.limits, TURN_EVERY_S
        try:
            wait = self.herald.step(
                now, limits.receive_maximum, limits.keeps_retained, limits.largest_packet
            )
            room = limits.receive_maximum - self.herald.under_way
            wait = min(wait, self.publisher.step(room, limits.largest_packet))
        except DatabaseError as error:
            self._trouble = Trouble(str(error), error.mend)
        if self._under_way:
            self._link.sent(now)
        return wait

    def _leave(self, now: float) -> float:
        assert self._leave_by is not None
        late = now >= self._leave_by
        if self._under_way and self._link.up and not late:
            return 0.05
        if self._heard:
            self._take_turn(now)
        self._transport.close()
        self.stopped = True
        return 0.0
