"""The collector: what stations send is committed, and only then acknowledged."""

from __future__ import annotations

from collections.abc import Callable

from sync.acknowledgement import Acknowledgement, Rewind
from sync.backoff import Backoff
from sync.fleet.arrival import Key, station_of
from sync.fleet.central import Central, Stream
from sync.fleet.database import Away, DatabaseError
from sync.fleet.desk import Desk
from sync.fleet.gallery import Gallery
from sync.fleet.hearing import Hearing
from sync.fleet.inbox import Counters, Inbox
from sync.fleet.receipts import Receipts
from sync.fleet.speaker import Speaker
from sync.link import Link, Trouble
from sync.picture import PictureError
from sync.topics import ROOT
from sync.transport import Acknowledged, Connected, Disconnected, Message, Refused, Transport

STATUSES = f"{ROOT}/+/+/+/status"
RESULTS = f"{ROOT}/+/+/+/results/+"
NO_PROGRESS_S = 15.0
LOOK_EVERY_S = 1.0
CONNECTING_S = 0.05
"""Between two looks at a connection that is being made."""
LEAVE_WITHIN_S = 3.0
GREET_AGAIN_S = 1.3


class Collector:
    """Subscribes to the results of all stations, together with other collectors of its group.

    A message is released (PUBACK) when its records are committed; nothing is acknowledged to a
    station that is not. When the database is away the broker is left, so that others of the group
    get everything, and joined again when it is back. `step` never waits for the network.
    """

    def __init__(
        self,
        transport: Transport,
        central: Central,
        backoff: Callable[[], Backoff],
        group: str,
        key: bytes | None = None,
        gallery: Gallery | None = None,
    ) -> None:
        self.counters = Counters()
        self.stopped = False
        self._transport = transport
        self._central = central
        self._link = Link(transport, backoff(), NO_PROGRESS_S)
        self._database_backoff = backoff()
        self._speaker = Speaker(transport, key)
        self._hearing = Hearing()
        self._desk = Desk(gallery, self._speaker)
        shared = (RESULTS, *self._desk.topics)
        self._filters = (*(f"$share/{group}/{one}" for one in shared), STATUSES)
        self._subscribing: set[int] = set()
        self._receipts = Receipts(transport.release)
        self._inbox = Inbox(central, self.counters, self._acknowledge, self._receipts.release)
        self._database_trouble: Trouble | None = None
        self._database_at = self._look_at = float("-inf")
        self._ready = self._greeted = False
        self._greet_at = float("-inf")
        self._held: dict[Key, int] = {}
        self._leave_by: float | None = None

    @property
    def listening(self) -> bool:
        """Whether the broker has granted the subscriptions, and everything held was said."""
        return self._link.up and self._greeted

    @property
    def streams(self) -> int:
        """Streams that this process has heard of, or found in the database."""
        return len({key[:2] for key in self._held})

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be committed or said."""
        return not self._busy and self._speaker.silent

    @property
    def _busy(self) -> bool:
        return self._inbox.waiting or self._desk.waiting

    @property
    def troubles(self) -> list[Trouble]:
        """What is not as it should be, now."""
        found = (self._database_trouble, self._link.trouble, self._speaker.trouble)
        return list(dict.fromkeys(trouble for trouble in found if trouble is not None))

    def step(self, now: float) -> float:
        """Take in what came, commit it, say so; seconds to wait, 0 when there is more to do."""
        self._take_events(now)
        if self._leave_by is not None:
            return self._leave(now)
        if not self._ready and not self._prepare(now):
            return min(LOOK_EVERY_S, max(0.0, self._database_at - now))
        try:
            self._work(now)
        except DatabaseError as error:
            self._lose_database(error, now)
            return 0.0
        was_up = self._link.up
        self._link.step(now)
        if was_up and not self._link.up:
            self._forget()  # given up by us: no event says so
        wait = self._speak(now)
        return 0.0 if self._busy else min(wait, LOOK_EVERY_S)

    def _work(self, now: float) -> None:
        """What is to do with the database."""
        self._inbox.read()  # while the disk works on the commit before
        self._inbox.finish()
        self._greet(now)
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            self._look(now)
        self._inbox.begin()
        if not self._inbox.waiting:
            for token in self._desk.commit():  # pieces of pictures, when no record waits
                self._receipts.release(token)

    def stop(self, now: float) -> None:
        """Commit what has come, say so, and leave; then `stopped` is true."""
        if self._leave_by is None:
            self._leave_by = now + LEAVE_WITHIN_S

    def fault(self, what: str, now: float) -> None:
        """A step failed in a way that nobody thought of: begin again with a new connection."""
        self._lose_database(Away(what, "please report it, with the lines before"), now)

    def _prepare(self, now: float) -> bool:
        """The database, before the broker: whoever cannot commit must not take messages."""
        if now < self._database_at:
            return False
        try:
            self._central.open()
        except DatabaseError as error:
            self._lose_database(error, now)
            return False
        self._database_trouble, self._ready = None, True
        self._database_backoff.reset()
        return True

    def _lose_database(self, error: DatabaseError, now: float) -> None:
        self._database_trouble = Trouble(str(error), error.mend)
        self._database_at = now + self._database_backoff.next_s()
        self._ready = False
        self._inbox.abandon()
        self._central.database.close()
        self._link.give_up(self._database_trouble, now)
        self._forget()

    def _forget(self) -> None:
        self._greeted = False
        self._greet_at = float("-inf")
        self._inbox.forget()
        self._receipts.forget()
        self._desk.forget()
        self._subscribing.clear()
        self._speaker.forget()

    def _take_events(self, now: float) -> None:
        for event in self._transport.events():
            self._link.take(event, now)
            if isinstance(event, Message):
                self._message(event)
            elif isinstance(event, Connected):
                self._subscribing = {self._transport.subscribe(name) for name in self._filters}
                self._link.sent(now)
            elif isinstance(event, Disconnected):
                self._forget()
            elif isinstance(event, Acknowledged | Refused):
                self._answered(event, now)

    def _greet(self, now: float) -> None:
        """On a new connection, as soon as answers would reach us: say how far everything is held,
        so that stations go on at once. And a second time: what they sent just before the first went
        to nobody, and only later do they take our silence about it for a loss. Stations of which
        nothing is held yet hear that too: they may have been waiting for any collector."""
        if not self._link.up or self._subscribing or now < self._greet_at:
            return
        standing = self._central.standing()
        for stream, held in self._hearing.with_strangers(standing, self._central.database.store):
            self._acknowledge(stream, held)
        self._greet_at = float("inf") if self._greeted else now + GREET_AGAIN_S
        self._greeted = True

    def _acknowledge(self, stream: Stream, held: Acknowledgement) -> None:
        self._speaker.acknowledge(stream, held)
        for epoch in held.epochs:
            self._held[Key(*stream, epoch.epoch)] = epoch.through

    def _answered(self, event: Acknowledged | Refused, now: float) -> None:
        if self._speaker.take(event):
            if isinstance(event, Acknowledged):
                self._link.progress(now, self._speaker.under_way)
        elif event.token in self._subscribing:
            self._subscribing.discard(event.token)
            if isinstance(event, Refused):
                what = f"the subscription was refused: {event.what}"
                self._link.give_up(Trouble(what, event.mend), now)
                self._forget()
            elif not self._subscribing:
                self._link.progress(now, self._speaker.under_way)

    def _message(self, message: Message) -> None:
        self._receipts.came(message.token)
        station = station_of(message.topic)
        if station is not None:
            if not self._hearing.take(str(station), message.payload):
                self.counters.odd(f"a status of {station} that is none")
            self._receipts.release(message.token)
            return
        try:
            if not self._desk.take(message):
                self._inbox.take(message)
        except PictureError as error:
            self.counters.odd(f"{message.topic[:200]!r}: {error}")
            self._receipts.release(message.token)

    def _look(self, now: float) -> None:
        """Keep what stations said, and ask those for more that believe to have delivered more."""
        news = self._hearing.news()
        if news:
            self._central.heard(news)
        for key, first in self._hearing.behind(now, self._through):
            self.counters.rewinds += 1
            wanted = Rewind(key.stream, key.epoch, first, self._central.database.store)
            self._speaker.rewind(key.station, wanted)

    def _through(self, key: Key, claimed: int) -> int:
        """At least how far a chain is held; asks the database only where that is not enough."""
        if self._held.get(key, 0) < claimed:
            self._held[key] = self._central.through(key)
        return self._held[key]

    def _speak(self, now: float) -> float:
        if not self.listening:
            return CONNECTING_S
        limits = self._link.limits
        wait = self._speaker.step(now, limits.receive_maximum, limits.keeps_retained)
        wait = min(wait, max(0.0, self._greet_at - now))
        if self._speaker.under_way:
            self._link.sent(now)
        return wait

    def _leave(self, now: float) -> float:
        assert self._leave_by is not None
        try:
            if self._ready and self._link.up and now < self._leave_by:
                self._work(now)
                wait = self._speak(now)
                if not self.idle:
                    return 0.0 if self._busy else min(wait, 0.05)
        except DatabaseError as error:
            self._database_trouble = Trouble(str(error), error.mend)
        self._inbox.abandon()
        self._inbox.close()
        self._transport.close()
        self._central.database.close()
        self.stopped = True
        return 0.0
