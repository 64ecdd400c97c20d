"""Pictures behind their records: one at a time, one piece under way, so many bytes a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync.acknowledgement import WordError
from sync.allowance import Allowance
from sync.backoff import Backoff
from sync.gallery import Gallery, Missing
from sync.journal import JournalError
from sync.link import Trouble
from sync.picture import MOST_DATA, MOST_SIZE, STREAM, decode_received
from sync.sending import Sending
from sync.topics import Station
from sync.transport import Acknowledged, Event, Message, Refused, Transport

PACKET_OVERHEAD = 32
LEAST_DATA = 4096
"""A broker that refuses even this is not asked for less."""
LOOK_EVERY_S = 1.0
ANSWER_FIRST_S, ANSWER_MOST_S = 10.0, 600.0
SILENT_AFTER = 3
"""So many times a whole picture went out without an answer before it is called a trouble."""


@dataclass(slots=True)
class Counts:
    """Since the start of the service. `missing`: no longer there, unreadable, or not the bytes of
    the record; `too_large`: larger than the cap of a day, or than any collector takes."""

    sent: int = 0
    missing: int = 0
    too_large: int = 0


class Pictures:
    """Sends what a gallery gives, over a transport that belongs to somebody else.

    That one says when a connection begins and ends, hands every event to `take`, and calls `step`
    when nothing more important is to be sent and the broker takes another message. With
    `collector` a picture is done when a collector says so, else when the broker has taken its last
    piece. `today` names the day in UTC. `key` and `tell` are as in `sync.hearing.Hearing`.
    """

    def __init__(
        self,
        gallery: Gallery,
        transport: Transport,
        station: Station,
        allowance: Allowance,
        today: Callable[[], str],
        backoff: Backoff,
        collector: bool = False,
        key: Callable[[], bytes | None] = lambda: None,
        tell: Callable[[str, str], None] = lambda topic, why: None,
    ) -> None:
        self.counts = Counts()
        self.ignored = 0
        self._gallery = gallery
        self._transport = transport
        self._topic, self._word = station.pictures, station.ack(STREAM)
        self._allowance = allowance
        self._today = today
        self._backoff = backoff
        self._collector = collector
        self._read_key = key
        self._key: bytes | None = None
        self._tell = tell
        self._listens = False
        self._sending: Sending | None = None
        self._subscription: int | None = None
        self._flight: tuple[int, int] | None = None
        self._most_data = MOST_DATA
        self._capped_on = ""
        self._unanswered = 0
        self._more = True
        self._look_trouble: Trouble | None = None
        self._send_trouble: Trouble | None = None
        self._look_at = self._send_at = float("-inf")

    @property
    def in_flight(self) -> int:
        """Messages under way: 0 or 1."""
        return int(self._flight is not None)

    @property
    def troubles(self) -> list[Trouble]:
        """What is not as it should be, now."""
        found = (self._look_trouble, self._send_trouble)
        return [trouble for trouble in found if trouble is not None]

    @property
    def capped(self) -> bool:
        """Whether the next picture waits for tomorrow."""
        return self._gallery.next is not None and self._capped_on == self._today()

    @property
    def drained(self) -> bool:
        """Whether nothing is left that could be sent today."""
        nothing = self._gallery.next is None and not self._more
        return self._flight is None and (nothing or self.capped)

    def as_json(self) -> dict[str, object]:
        """What to keep over a restart."""
        places = {
            stream: {"epoch": place.epoch, "seq": place.seq}
            for stream, place in self._gallery.places.items()
        }
        return {**places, **self._allowance.as_json()}

    def status(self) -> dict[str, object]:
        """For the status of the service."""
        return {
            "sent": self.counts.sent,
            "missing": self.counts.missing,
            "too_large": self.counts.too_large,
            "waiting": self._gallery.waiting,
            "bytes_today": self._allowance.spent(self._today()),
            "capped": self.capped,
        }

    def connected(self) -> None:
        """A connection began: listen, and read the key again."""
        self.lost()
        if not self._collector:
            return
        try:
            self._key, self._listens = self._read_key(), True
        except (OSError, ValueError):
            self._listens = False  # whoever reads the words about records says so
        self._subscription = self._transport.subscribe(self._word)

    def lost(self) -> None:
        """The connection ended: what was under way may not have arrived."""
        self._flight = self._subscription = None
        if self._sending is not None and not self._collector:
            self._sending.offset = 0  # a broker that forgot its beginning will not say so

    def take(self, event: Event, now: float) -> bool:
        """Whether this event of the transport was about pictures."""
        if isinstance(event, Message) and event.topic == self._word and self._collector:
            self._take_word(event)
            return True
        if not isinstance(event, Acknowledged | Refused):
            return False
        if event.token == self._subscription:
            self._subscription = None
            if isinstance(event, Refused):
                what = f"pictures: no word of a collector: {self._word}: {event.what}"
                self._send_trouble = Trouble(what, event.mend)
            return True
        if self._flight is None or event.token != self._flight[0]:
            return False
        end, self._flight = self._flight[1], None
        if isinstance(event, Refused):
            self._refused(event, now)
        elif self._sending is not None:  # nothing else begins while a piece is under way
            self._went_out(self._sending, end, now)
        return True

    def step(self, now: float, largest_packet: int) -> bool:
        """Look for pictures, and send at most one piece; whether one was sent.

        Only with a connection. `now` is monotonic, in seconds.
        """
        if self._more or now >= self._look_at:
            self._look(now)
        if self._flight is not None or now < self._send_at:
            return False
        most = self._most(largest_packet)
        sending = self._sending
        if sending is None:
            sending = self._begin(most, now)
        elif sending.answer_by is not None:
            sending = self._again(sending, most, now) if now >= sending.answer_by else None
        return sending is not None and self._send(sending, most)

    def close(self) -> None:
        """Let the open file go."""
        self._drop()

    def _look(self, now: float) -> None:
        self._look_at = now + LOOK_EVERY_S
        try:
            self._more = self._gallery.look()
            self._look_trouble = None
        except JournalError as error:
            self._more = False
            self._look_trouble = Trouble(f"pictures: {error}", error.mend)

    def _most(self, largest_packet: int) -> int:
        overhead = PACKET_OVERHEAD + len(self._topic)
        return min(self._most_data, largest_packet - overhead)

    def _begin(self, most: int, now: float) -> Sending | None:
        """Open the next picture and see whether it may go out today."""
        wanted, today = self._gallery.next, self._today()
        if wanted is None or self._capped_on == today:
            return None
        try:
            sending = Sending(wanted, self._gallery.open(wanted))
        except Missing:
            self._skip_missing()
            return None
        size, cost = sending.file.size, sending.cost(most)
        if cost is None:
            what = f"pictures: no piece fits into the {most} bytes that the broker takes"
            self._send_trouble = Trouble(what, "raise its max_packet_size")
            self._send_at = now + LOOK_EVERY_S
        elif cost > self._allowance.cap or size > MOST_SIZE:
            self.counts.too_large += 1
            self._gallery.done()
        elif not self._allowance.fits(today, cost):
            self._capped_on = today
        else:
            self._sending = sending
            return sending
        sending.file.close()
        return None

    def _again(self, sending: Sending, most: int, now: float) -> Sending | None:
        """Nobody has said that it arrived."""
        self._unanswered += 1
        if self._unanswered >= SILENT_AFTER:
            what = f"pictures: no collector has answered for {sending.wanted.path}"
            mend = (
                "start a collector (edge-inspect fleet serve); check its log and sync.ack_key_file"
            )
            self._send_trouble = Trouble(what, mend)
        self._drop()
        return self._begin(most, now)

    def _send(self, sending: Sending, most: int) -> bool:
        try:
            payload, end = sending.piece(most)
        except Missing:
            self._skip_missing()
            return False
        self._allowance.spend(self._today(), len(payload))
        self._flight = (self._transport.publish(self._topic, payload), end)
        return True

    def _skip_missing(self) -> None:
        self.counts.missing += 1
        self._drop()
        self._gallery.done()

    def _went_out(self, sending: Sending, end: int, now: float) -> None:
        sending.offset = end
        if not sending.all_out:
            return
        if not self._collector:
            self._arrived()
        else:
            sending.answer_by = now + self._backoff.next_s()

    def _take_word(self, message: Message) -> None:
        try:
            if not self._listens:
                raise WordError("the key cannot be read")
            if message.retained:
                raise WordError("a retained word about a picture may be years old")
            said = decode_received(message.topic, message.payload, self._key)
        except WordError as error:
            self.ignored += 1
            self._tell(message.topic, str(error))
            return
        wanted = None if self._sending is None else self._sending.wanted
        if wanted is not None and said.about(wanted.inspection, wanted.sha256):
            self._arrived()

    def _arrived(self) -> None:
        self.counts.sent += 1
        self._unanswered = 0
        self._send_trouble = None
        self._backoff.reset()
        self._drop()
        self._gallery.done()

    def _refused(self, refused: Refused, now: float) -> None:
        if refused.too_large:
            self._most_data = max(self._most_data // 2, LEAST_DATA)
        self._send_trouble = Trouble(f"pictures: {refused.what}", refused.mend)
        self._send_at = now + self._backoff.next_s()

    def _drop(self) -> None:
        if self._sending is not None:
            self._sending.file.close()
            self._sending = None
