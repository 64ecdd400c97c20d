"""Bundles from the fleet: the topics of models, and what comes on them."""

from __future__ import annotations

from collections.abc import Callable

from sync.incoming import PieceError
from sync.link import Trouble
from sync.reception import Reception, desired, progress, refusal
from sync.topics import Station, TopicError, parse
from sync.transport import Acknowledged, Event, Message, Refused, Transport
from sync.want import Want, WantError, chunk_of, chunks, encode_want, ranges


class Delivery:
    """Hands what comes to a reception, and asks for what it wants, over a transport that belongs to
    somebody else.

    That one says when a connection begins and ends, hands every event to `take`, calls `work` at
    each of its steps, and `step` when the broker takes another message. Without a reception nothing
    is subscribed to and nothing is accepted. `tell` hears of messages without effect.
    """

    def __init__(
        self,
        reception: Reception | None,
        transport: Transport,
        station: Station,
        tell: Callable[[str, str], None] = lambda topic, why: None,
    ) -> None:
        self.reception = reception
        self.ignored = 0
        self.counts: dict[str, int] = {}
        self._transport = transport
        self._station = station
        self._chunks = chunks(station).removesuffix("#")
        self._tell = tell
        self._asked: dict[int, str] = {}
        self._listens = False
        self._want: int | None = None
        self._trouble: Trouble | None = None

    @property
    def in_flight(self) -> int:
        """Messages under way: 0 or 1."""
        return int(self._want is not None)

    @property
    def troubles(self) -> list[Trouble]:
        """What is not as it should be, now."""
        found = self.reception.troubles if self.reception else []
        return found + ([self._trouble] if self._trouble else [])

    def state(self) -> dict[str, object]:
        """What `model/state` says of it."""
        reception = self.reception
        return {
            "desired": desired(reception.entry) if reception else None,
            "refusal": refusal(reception.entry) if reception else None,
            "delivery": progress(reception),
        }

    def status(self) -> dict[str, object]:
        """The same for the status file of sync, with what had no effect, by code."""
        said = self.state()
        inner = progress(self.reception)
        return {**inner, "desired": said["desired"], "refusal": said["refusal"]} | {
            "ignored": dict(self.counts)
        }

    def connected(self) -> None:
        """A new connection: subscribe, and ask again for what did not come."""
        self.lost()
        if self.reception is not None:
            names = (self._station.model_assignment, chunks(self._station))
            self._asked = {self._transport.subscribe(name): name for name in names}

    def lost(self) -> None:
        """The connection ended."""
        self._asked = {}
        self._listens = False
        self._want = self._trouble = None
        if self.reception is not None and self.reception.transfer is not None:
            self.reception.transfer.asking.lost()

    def take(self, event: Event, now: float) -> bool:
        """Whether the event was for this delivery; then it has been dealt with."""
        if isinstance(event, Acknowledged | Refused):
            return self._answered(event)
        if not isinstance(event, Message):
            return False
        if event.topic == self._station.model_assignment:
            self._heard(event, now)
        elif event.topic.startswith(self._chunks):
            self._came(event, now)
        else:
            return False
        return True

    def work(self, now: float) -> bool:
        """Do a little of what needs no connection; whether there is more to do at once."""
        return self.reception is not None and self.reception.work(now)

    def step(self, now: float) -> bool:
        """Ask for pieces, if it is time; whether something went out."""
        reception = self.reception
        if reception is None or reception.transfer is None or not reception.asks:
            return False
        if not self._listens or self._want is not None:
            return False
        transfer = reception.transfer
        try:
            numbers = transfer.ask(now)
            reception.follow()
        except OSError as error:
            reception.disk_failed(error, now)
            return False
        if not numbers:
            return False
        bundle, window = transfer.bundle, transfer.asking.window
        want = Want(bundle.sha256, bundle.size, bundle.piece, ranges(numbers), window)
        self._want = self._transport.publish(self._station.model_want, encode_want(want))
        return True

    def close(self) -> None:
        """Let the files go."""
        if self.reception is not None:
            self.reception.close()

    def _answered(self, event: Acknowledged | Refused) -> bool:
        if event.token == self._want:
            self._want = None
            self._refused(self._station.model_want, event)
        elif event.token in self._asked:
            self._refused(self._asked.pop(event.token), event)
            self._listens = not self._asked and self._trouble is None
        else:
            return False
        return True

    def _refused(self, topic: str, event: Acknowledged | Refused) -> None:
        if isinstance(event, Refused):
            self._trouble = Trouble(f"models: {topic}: {event.what}", event.mend)

    def _heard(self, message: Message, now: float) -> None:
        if self.reception is None:
            self._ignore(message.topic, "no_trust_root", "this station has no root of trust")
        else:
            self.reception.heard(message.payload, now)

    def _came(self, message: Message, now: float) -> None:
        reception = self.reception
        transfer = reception.transfer if reception else None
        try:
            sha256, number = chunk_of(parse(message.topic)[1])
            if reception is None or transfer is None or sha256 != transfer.bundle.sha256:
                self._ignore(message.topic, "foreign_piece", "a piece of another transfer")
                return
            if message.retained or transfer.take(number, message.payload, now) == "foreign":
                self._ignore(message.topic, "foreign_piece", "a piece that nobody asked for")
            reception.follow()
        except (TopicError, WantError) as error:
            self._ignore(message.topic, "foreign_piece", str(error))
        except PieceError as error:
            self._ignore(message.topic, error.code, str(error))
            self._follow(now)
        except OSError as error:
            if reception is not None:
                reception.disk_failed(error, now)

    def _follow(self, now: float) -> None:
        """A wrong piece may have been the last that is borne with."""
        assert self.reception is not None
        try:
            self.reception.follow()
        except OSError as error:
            self.reception.disk_failed(error, now)

    def _ignore(self, topic: str, code: str, why: str) -> None:
        self.ignored += 1
        self.counts[code] = self.counts.get(code, 0) + 1
        self._tell(topic, why)
