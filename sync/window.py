"""What of one epoch was sent, and what is acknowledged. Pure.

The position is the end of the gapless acknowledged beginning. Behind it lie ranges: *held* ones are
acknowledged ahead of a gap, *flights* are under way. What neither covers is a *hole*: it is sent
next. Whose acknowledgement counts (the broker's or a collector's) is the caller's affair, and so is
that every mark given here was compared with the station's own rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

UNKNOWN = ""
"""The hash of a record that is not there any more. Nothing can be sent that follows it."""
MOST_HELD = 64
"""Ranges held ahead; beyond that the farthest are forgotten, and sent again."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between two records of a chain: behind `seq`, whose hash is `hash`."""

    epoch: str
    seq: int
    hash: str


@dataclass(slots=True)
class Range:
    """Records `first` to `last`; `hash` is that of `last`."""

    first: int
    last: int
    hash: str


@dataclass(slots=True)
class Flight(Range):
    """A range under way; `taken_at` says when the broker took it."""

    token: int
    taken_at: float | None = None


class Window:
    """One epoch's delivery."""

    def __init__(self, position: Mark) -> None:
        self._position = position
        self._held: list[Range] = []
        self._flights: list[Flight] = []

    @property
    def position(self) -> Mark:
        """Everything up to here is acknowledged, without a gap. Goes back by `back` only."""
        return self._position

    @property
    def flights(self) -> tuple[Flight, ...]:
        """What is under way, in the order in which it was sent."""
        return tuple(self._flights)

    @property
    def in_flight(self) -> int:
        """How many messages are under way."""
        return len(self._flights)

    @property
    def acknowledged(self) -> int:
        """Records acknowledged: up to the position, and ahead of it."""
        return self._position.seq + sum(held.last - held.first + 1 for held in self._held)

    def hole(self, begin: Mark | None = None) -> tuple[Mark, int | None]:
        """The first place not before `begin` (else the position) from which something is to be
        sent, and the last record of that hole; None where nothing behind it was sent."""
        place = self._position
        if begin is not None and begin.seq > place.seq:
            place = begin
        while (found := self._covering(place.seq + 1)) is not None:
            place = Mark(place.epoch, found.last, found.hash)
        later = [one.first for one in self._ranges() if one.first > place.seq]
        return place, min(later) - 1 if later else None

    def hash_at(self, seq: int) -> str | None:
        """The hash of `seq` where a range known here ends with it."""
        if seq == self._position.seq:
            return self._position.hash or None
        return next((one.hash for one in self._ranges() if one.last == seq), None)

    def sent(self, token: int, start: Mark, end: Mark) -> None:
        """A message with the records between these marks is under way.

        Raises ValueError when it is empty, of another epoch, or not in a hole.
        """
        epochs = {start.epoch, end.epoch, self._position.epoch}
        if len(epochs) > 1 or not self._position.seq <= start.seq < end.seq:
            raise ValueError(f"nothing can be under way from {start.seq} to {end.seq}")
        if any(one.first <= end.seq and one.last > start.seq for one in self._ranges()):
            raise ValueError(f"a part of {start.seq + 1} to {end.seq} is under way or acknowledged")
        self._flights.append(Flight(start.seq + 1, end.seq, end.hash, token))

    def flight(self, token: int) -> Flight | None:
        """What is under way with this token."""
        return next((flight for flight in self._flights if flight.token == token), None)

    def acknowledge(self, first: int, last: int, last_hash: str) -> int:
        """Records `first` to `last` are acknowledged; how many were not before."""
        before = self.acknowledged
        if first <= self._position.seq + 1:
            if last > self._position.seq:
                self._position = Mark(self._position.epoch, last, last_hash)
        else:
            self._held.append(Range(first, last, last_hash))
        self._join()
        self._flights = [one for one in self._flights if not self._is_acknowledged(one)]
        return self.acknowledged - before

    def hold_only(self, spans: Sequence[tuple[int, int]]) -> None:
        """Of what was acknowledged ahead, only what lies in these spans still is: whoever said so
        before may have lost it. The rest is to be sent again."""
        self._held = [
            one
            for one in self._held
            if any(first <= one.first and one.last <= last for first, last in spans)
        ]

    def forget(self, *tokens: int) -> None:
        """These messages may not have arrived: what they held is to be sent again."""
        self._flights = [flight for flight in self._flights if flight.token not in tokens]

    def back(self, mark: Mark) -> None:
        """Whoever acknowledged holds less again: everything behind `mark` is to be sent."""
        self._position = mark
        self._held.clear()
        self._flights.clear()

    def _ranges(self) -> Iterator[Range]:
        yield from self._held
        yield from self._flights

    def _covering(self, seq: int) -> Range | None:
        return next((one for one in self._ranges() if one.first <= seq <= one.last), None)

    def _is_acknowledged(self, flight: Flight) -> bool:
        seq = self._position.seq
        return flight.last <= seq or any(
            held.first <= max(flight.first, seq + 1) and flight.last <= held.last
            for held in self._held
        )

    def _join(self) -> None:
        """Held ranges apart, in order, behind the position; those that touch it move it."""
        joined: list[Range] = []
        for held in sorted(self._held, key=lambda one: (one.first, one.last)):
            if held.first <= self._position.seq + 1:
                if held.last > self._position.seq:
                    self._position = Mark(self._position.epoch, held.last, held.hash)
            elif joined and held.first <= joined[-1].last + 1:
                if held.last > joined[-1].last:
                    joined[-1] = Range(joined[-1].first, held.last, held.hash)
            else:
                joined.append(held)
        self._held = joined[:MOST_HELD]
