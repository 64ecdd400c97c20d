"""From the journal to the broker: segments out, acknowledgements in, the position kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sync.announcer import Announcer
from sync.backoff import Backoff
from sync.journal import JournalError, JournalReader
from sync.link import Link, Trouble
from sync.packing import TooLarge, pack, sound_beginning
from sync.position import PositionFile
from sync.topics import Station
from sync.transport import Acknowledged, Message, Refused, Transport
from sync.window import Mark, Window

PACKET_OVERHEAD = 32
"""Bytes of a PUBLISH besides topic and payload, rounded up."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Bounds and intervals. Bytes are counted before compression."""

    stream: str = "line"
    window: int = 8
    max_rows: int = 500
    max_bytes: int = 1024 * 1024
    no_progress_s: float = 15.0
    poll_s: float = 0.1
    look_every_s: float = 1.0
    save_every_s: float = 0.5
    status_every_s: float = 5.0
    leave_within_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did, in records. Without `busy`, wait for an event or `wait_s`."""

    sent: int
    acknowledged: int
    busy: bool
    wait_s: float


class Uplink:
    """Delivers one stream, oldest first, at least once.

    The position moves over acknowledged records only, and is never ahead of what the journal
    holds. Whatever the broker does, nothing unacknowledged is forgotten: every connection begins
    behind the position. `describe` gives the lasting part of the station's status.
    """

    def __init__(
        self,
        journal: JournalReader,
        transport: Transport,
        station: Station,
        positions: PositionFile,
        backoff: Backoff,
        describe: Callable[[], Mapping[str, object]] = dict,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.ignored = 0
        self.stopped = False
        self._journal = journal
        self._transport = transport
        self._topic = station.results(self.settings.stream)
        self._positions = positions
        self._describe = describe
        self._link = Link(transport, backoff, self.settings.no_progress_s)
        self._announcer = Announcer(transport, station.status, self.settings.status_every_s)
        self._window: Window | None = None
        self._max_rows = self.settings.max_rows
        self._at_end = False
        self._head = 0
        self._journal_trouble: Trouble | None = None
        self._size_trouble: Trouble | None = None
        self._position_trouble: Trouble | None = None
        self._read_at = self._look_at = self._save_at = float("-inf")
        self._saved: Mark | None = None
        self._leave_by: float | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker has taken us, and we have not left."""
        return self._link.up and not self.stopped

    @property
    def position(self) -> Mark | None:
        """The end of what is acknowledged; None before the journal could be read."""
        return self._window.position if self._window else None

    @property
    def backlog(self) -> int:
        """Records that are not acknowledged, as of the last look at the journal."""
        return max(0, self._head - self._window.position.seq) if self._window else 0

    @property
    def drained(self) -> bool:
        """Whether everything in the journal was acknowledged when it was last read."""
        return self._window is not None and self._at_end and self._window.in_flight == 0

    @property
    def troubles(self) -> list[Trouble]:
        """What is not as it should be, now."""
        found = (
            self._journal_trouble,
            self._link.trouble,
            self._size_trouble,
            self._position_trouble,
            self._announcer.trouble,
        )
        return [trouble for trouble in found if trouble is not None]

    def step(self, now: float) -> Step:
        """Take in what happened and send at most one segment. Never waits for the network.

        `now` is monotonic, in seconds.
        """
        acknowledged = self._take_events(now)
        if self._leave_by is not None:
            self._leave(now)
            return Step(0, acknowledged, False, self.settings.poll_s)
        self._link.step(now)
        if not self._link.up and self._window is not None and self._window.in_flight:
            self._window.rewind()
            self._at_end = False
        sent = self._try_to_send(now) if now >= self._read_at else 0
        if self._free():
            turns = {**self._describe(), "sync": "up"}
            self._announcer.step(now, turns, self._progress())
        if now >= self._save_at:
            self._save_at = now + self.settings.save_every_s
            self._save()
        return Step(sent, acknowledged, bool(sent or acknowledged), self.settings.poll_s)

    def stop(self, now: float) -> None:
        """Send nothing new; the following steps wait shortly for what is under way, say good-bye
        and write the position; then `stopped` is true."""
        if self._leave_by is None:
            self._leave_by = now + self.settings.leave_within_s

    def _save(self) -> None:
        if self._window is None or self._window.position == self._saved:
            return
        try:
            self._positions.write({self.settings.stream: self._window.position})
            self._saved, self._position_trouble = self._window.position, None
        except OSError as error:
            # The position is a hint: going on without it costs duplicates after a restart.
            what = f"the position of delivery cannot be written: {error}"
            self._position_trouble = Trouble(what, f"make room for {self._positions.path}")

    def _take_events(self, now: float) -> int:
        moved = 0
        for event in self._transport.events():
            self._link.take(event, now)
            self._announcer.take(event)
            if isinstance(event, Acknowledged) and self._window is not None:
                moved += self._acknowledged(self._window, event.token, now)
            elif isinstance(event, Refused):
                self._refused(event, now)
            elif isinstance(event, Message):
                self.ignored += 1  # nothing is subscribed: nobody has a say here
        return moved

    def _acknowledged(self, window: Window, token: int, now: float) -> int:
        moved = window.acknowledged(token)
        if moved:
            self._link.progress(now, window.in_flight)
        return moved

    def _refused(self, event: Refused, now: float) -> None:
        if self._window is None or not self._window.knows(event.token):
            return
        if event.too_large:
            self._max_rows = max(1, self._max_rows // 2)
        self._link.give_up(Trouble(event.what, event.mend), now)

    def _free(self) -> int:
        """How many more messages the broker would take now."""
        if not self._link.up:
            return 0
        in_flight = self._window.in_flight if self._window else 0
        return self._link.limits.receive_maximum - in_flight - self._announcer.in_flight

    def _try_to_send(self, now: float) -> int:
        """Read, and send if there is a connection and room; the number of records sent."""
        try:
            window = self._window_of(self._journal.epoch())
            self._journal_trouble = None
            if now >= self._look_at:
                self._look(window, now)
            if not window.has_room or self._free() < 1:
                return 0
            return self._send(window, now)
        except JournalError as error:
            self._at_end = False
            self._journal_trouble = Trouble(str(error), error.mend)
            self._read_at = now + self.settings.look_every_s
            return 0
        except TooLarge as error:
            what = f"{error}, the broker takes {self._link.limits.largest_packet}: delivery stops"
            mend = "raise max_packet_size in the broker's configuration"
            self._size_trouble = Trouble(what, mend)
            self._read_at = now + self.settings.look_every_s
            return 0

    def _look(self, window: Window, now: float) -> None:
        self._head = self._journal.head()
        self._at_end = self._head <= window.end.seq
        self._look_at = now + self.settings.look_every_s

    def _window_of(self, epoch: str) -> Window:
        """The window; a new one at start and when the journal was begun anew."""
        if self._window is None or self._window.position.epoch != epoch:
            self._window = Window(self._start(epoch), self.settings.window)
            self._look_at = float("-inf")
            self._link.idle()
        return self._window

    def _start(self, epoch: str) -> Mark:
        """The stored position if it is a place in this journal, else its beginning."""
        stored = self._positions.read().get(self.settings.stream)
        if (
            stored is not None
            and stored.epoch == epoch
            and self._journal.last_hash(stored.seq) == stored.hash
        ):
            return stored
        seq, last = self._journal.anchor()
        return Mark(epoch, seq, last)

    def _send(self, window: Window, now: float) -> int:
        start = window.end
        rows = self._journal.rows(start.seq, self._max_rows, self.settings.max_bytes, start.epoch)
        self._at_end = not rows
        if not rows:
            self._read_at = now + self.settings.poll_s
            return 0
        sound = sound_beginning(start, rows)
        if not sound:
            self._unsound(start)
        most = self._link.limits.largest_packet - len(self._topic) - PACKET_OVERHEAD
        payload, end = pack(self.settings.stream, start, sound, most)
        self._size_trouble = None
        window.sent(self._transport.publish(self._topic, payload), end)
        self._link.sent(now)
        self._head = max(self._head, end.seq)
        return end.seq - start.seq

    def _unsound(self, start: Mark) -> None:
        """The journal does not go on at `start`: it was replaced, shortened or damaged."""
        if self._journal.epoch() != start.epoch or self._journal.last_hash(start.seq) != start.hash:
            self._window = None
            raise JournalError("the journal has changed", "nothing: delivery begins anew in it")
        raise JournalError(
            f"record {start.seq + 1} does not fit the chain; delivery stops before it",
            "edge-inspect results --verify",
        )

    def _progress(self) -> dict[str, object]:
        position = self.position
        reached = {"epoch": position.epoch, "seq": position.seq} if position else None
        return {"backlog": self.backlog, "acknowledged": reached}

    def _leave(self, now: float) -> None:
        late = self._leave_by is not None and now >= self._leave_by
        if self._window is not None and self._window.in_flight and self._link.up and not late:
            return
        if self._link.up:
            self._announcer.say({**self._describe(), "sync": "down", **self._progress()})
        self._transport.close()
        self.stopped = True
        self._save()
