"""One journal on its way: what to send next, and what an acknowledgement means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sync import chain
from sync.acknowledgement import MOST_AHEAD, Through
from sync.backoff import Backoff
from sync.cursors import Cursors
from sync.journal import JournalError, Source
from sync.link import Trouble
from sync.pace import PROBE_ROWS, Patience, Rows
from sync.packing import Piece
from sync.position import BROKER, Held
from sync.reader import Reader
from sync.window import UNKNOWN, Mark, Window

Heard = Literal["moved", "same", "stale", "mismatch", "unknown"]
REWIND_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one stream. Bytes are counted before compression. With a backlog of more than
    `live_after` records, what is new goes first."""

    window: int = 16
    max_rows: int = 500
    max_bytes: int = 1024 * 1024
    live_after: int = 2000
    poll_s: float = 0.1
    look_every_s: float = 1.0


class Stream:
    """Delivers one journal: every record is sent until it is acknowledged, whatever happens.

    With `collector` only what a collector says moves the position (`heard`, `rewind`), else the
    broker's own acknowledgement does (`taken`). `stored` is asked for the position of an epoch when
    it is first seen. After a long absence two cursors work: one from the position, one from what
    was newest at that moment, so that a backlog does not hide the present.
    """

    def __init__(
        self,
        source: Source,
        bounds: Bounds,
        patience: Backoff,
        stored: Callable[[str, str], Held | None],
        collector: bool,
    ) -> None:
        self.source = source
        self.mismatch: Trouble | None = None
        self.by: str | None = None
        self._bounds = bounds
        self._stored = stored
        self._collector = collector
        self._reader = Reader(source, bounds.max_bytes)
        self._patience = Patience(patience)
        self._rows = Rows(bounds.max_rows)
        self._window: Window | None = None
        self._cursors = Cursors()
        self._look_at = float("-inf")
        self._read_at = {True: float("-inf"), False: float("-inf")}
        self._at_end = False
        self._rewind_at = float("-inf")

    @property
    def held(self) -> Held | None:
        """How far it is and whose word that is; None before anybody said anything."""
        if self._window is None or self.by is None:
            return None
        return Held(self.source.stream, self._window.position, self.by)

    @property
    def position(self) -> Mark | None:
        """The end of what is acknowledged; None before the journal could be read."""
        return None if self._window is None else self._window.position

    @property
    def head(self) -> int:
        """The newest record, as of the last look."""
        return self._reader.head

    @property
    def epoch(self) -> str | None:
        """Which chain this is now."""
        return None if self._window is None else self._window.position.epoch

    @property
    def backlog(self) -> int:
        """Records that are not acknowledged, as of the last look at the journal."""
        return 0 if self._window is None else max(0, self._reader.head - self._window.acknowledged)

    @property
    def drained(self) -> bool:
        """Whether everything in the journal was acknowledged when it was last read."""
        window = self._window
        return (
            window is not None
            and self._at_end
            and not window.in_flight
            and window.position.seq >= self._reader.head
        )

    @property
    def full(self) -> bool:
        """Whether something waits to be sent until something else is acknowledged."""
        window = self._window
        if window is None or self._at_end:
            return False
        return not all(self._has_room(window, live) for live in (True, False))

    @property
    def waiting_for(self) -> str | None:
        """Whose acknowledgement is missing: `broker`, `collector`, or nobody's."""
        flights = self._window.flights if self._window else ()
        if any(flight.taken_at is None for flight in flights):
            return "broker"
        return "collector" if flights else None

    @property
    def gaps(self) -> dict[str, int]:
        """Records that were answered for with a gap since the start, by reason."""
        return self._reader.gaps

    def troubles(self, now: float) -> list[Trouble]:
        """What is not as it should be, now."""
        return self._reader.troubles(now) + ([self.mismatch] if self.mismatch else [])

    def step(self, now: float) -> None:
        """Look at the journal now and then; see what must be sent again."""
        if now >= self._look_at:
            self._look_at = now + self._bounds.look_every_s
            try:
                self._look()
            except JournalError as error:
                self._at_end = False
                self._reader.failed(error)
        if self._window is not None and self._collector:
            self._again(self._window, self._patience.overdue(self._window.flights, now))

    def next(self, now: float, live: bool, most: int) -> Piece | None:
        """What to send next, in at most `most` bytes. With `live` what is new, or everything when
        the backlog is short; without, the backlog."""
        window = self._window
        if window is None or now < self._read_at[live]:
            return None
        if not self._has_room(window, live):
            return None
        start, until = self._cursors.place(window, live)
        if start is None:
            return None
        rows = PROBE_ROWS if self._patience.probing else self._rows.at(now)
        piece = self._reader.next(start, until, rows, most, now)
        if piece is None:
            self._at_end = until is None and not self._reader.stuck
            slow = self.source.salvaged or self._reader.waiting
            self._read_at[live] = now + (self._bounds.look_every_s if slow else self._bounds.poll_s)
            if self._reader.changed:
                self._look_at = float("-inf")
        return piece

    def sent(self, token: int, piece: Piece, now: float) -> None:
        """It is under way."""
        if self._window is not None and self._window.position.epoch == piece.end.epoch:
            self._window.sent(token, piece.start, piece.end)
            self._reader.sent(piece, now)

    def taken(self, token: int, now: float) -> int:
        """The broker has it; how many records that acknowledges."""
        flight = self._window.flight(token) if self._window else None
        if self._window is None or flight is None:
            return 0
        flight.taken_at = now
        if self._collector:
            return 0
        self.by = BROKER
        return self._window.acknowledge(flight.first, flight.last, flight.hash)

    def refused(self, token: int, now: float) -> None:
        """The broker found it too large: it goes again in smaller pieces."""
        flight = self._window.flight(token) if self._window else None
        if self._window is not None and flight is not None:
            self._rows.refused(now)
            self._reader.refused(flight.first, flight.last)
            self._again(self._window, [token])

    def lost(self) -> None:
        """The connection ended: nobody knows what arrived."""
        if self._window is not None:
            self._again(self._window, [flight.token for flight in self._window.flights])
        self._cursors.forget()
        self._look_at = float("-inf")
        self._reader.reconnected()

    def heard(self, said: Through, by: str, now: float, retained: bool) -> tuple[Heard, int]:
        """A collector says how far it holds this epoch; how many records that acknowledges.

        Only what is in our own rows counts. A retained word says nothing about what a collector
        should have by now. Raises JournalError when the rows cannot be looked at.
        """
        window = self._window
        if window is None:
            return "unknown", 0
        if said.through < window.position.seq:
            return "stale", 0
        differs = self._reader.differs(window, said)
        if differs is not None:
            self.mismatch = differs
            return "mismatch", 0
        if not self._reader.holds(window, said.through, said.hash):
            return "unknown", 0  # deleted here long ago
        self.mismatch = None
        before, was_away = window.position.seq, self._patience.probing
        if len(said.ahead) < MOST_AHEAD:  # else there may be more that it did not name
            spans = [(one.first, one.last) for one in said.ahead]
            window.hold_only([(1, said.through), *spans])
        moved = window.acknowledge(before + 1, said.through, said.hash)
        for span in said.ahead:
            if self._reader.holds(window, span.last, span.hash):
                moved += window.acknowledge(span.first, span.last, span.hash)
        if window.position.seq > before:
            self._patience.progress()
        if moved or self.by is None:
            self.by = by
        if not retained:
            if was_away:  # what is new by now goes first
                self._cursors.forget()
                self._look_at = float("-inf")
            ahead = max((one.first for one in said.ahead), default=None)
            late = self._patience.spoken(window.flights, ahead, moved > 0, now)
            self._again(window, late)
        return ("moved" if moved else "same"), moved

    def rewind(self, first: int, by: str, now: float) -> bool:
        """A collector needs everything from `first` on again; whether that can be."""
        window = self._window
        if window is None or first > window.position.seq:
            return False
        if now < self._rewind_at:
            return True  # two collectors may ask for the same
        before = first - 1
        last = self._reader.hash_of(before) or UNKNOWN
        window.back(Mark(window.position.epoch, before, last))
        self._rewind_at = now + REWIND_EVERY_S
        self.by = by
        self._cursors.forget()
        self._go()
        self._look_at = float("-inf")
        self._patience.progress()
        return True

    def _look(self) -> None:
        shorter = self._reader.look()
        window = self._window
        if window is None or window.position.epoch != self._reader.epoch:
            window = self._window = Window(self._begin(self._reader.epoch))
            self._cursors.forget()
            self.mismatch = None
            self._go()
            self._patience.progress()
        elif shorter:  # an older copy of the same epoch was put in its place
            window.back(self._begin(self._reader.epoch))
        end, head = window.hole()[0].seq, self._reader.head
        if self._cursors.wanted(window) and head - end > self._bounds.live_after:
            self._cursors.begin(Mark(self._reader.epoch, head, self._reader.hash_of(head) or ""))
        self._reader.settled(window.position.seq)
        self._at_end = self._at_end and end >= head

    def _begin(self, epoch: str) -> Mark:
        """The stored position if it is a place in this journal, else the beginning."""
        held = self._stored(self.source.stream, epoch)
        if held is not None and not (self._collector and held.by == BROKER):
            deleted = held.mark.seq < self._reader.anchor.seq
            if deleted or self._reader.proves(held.mark.seq, held.mark.hash):
                self.by = held.by
                return held.mark
        self.by = None
        return Mark(epoch, 0, chain.GENESIS)

    def _has_room(self, window: Window, live: bool) -> bool:
        limit = 1 if self._patience.probing else self._bounds.window
        return self._cursors.has_room(window, live, limit)

    def _again(self, window: Window, tokens: list[int]) -> None:
        if tokens:
            window.forget(*tokens)
            self._go()

    def _go(self) -> None:
        self._at_end = False
        self._read_at = {True: float("-inf"), False: float("-inf")}
