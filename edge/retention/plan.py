"""What is given up when room or time runs out: numbers in, orders out. Pure.

Pictures go before records, the least valuable first, within one worth the oldest first. What
somebody waits for is held: uploads and spot checks go only when nothing else is left and the disk
would refuse records, open escalations never. A record goes only when it may be deleted at all;
pictures of the records before it went before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FREE, UPLOAD, CHECK, OPEN = range(4)
"""How a picture is held: by nothing; it waits for its upload; by a spot check that nobody has
answered; by an open escalation."""

BEGIN = 0.95
"""Room is made from this share of the limit on."""
NEVER = -(1 << 62)
"""Older than every number of a record."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on the disk, by the number of its record; below 0 where no record names it."""

    seq: int
    worth: int
    bytes: int
    held: int = FREE


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes: `used` of the `limit` for everything in the state directory, `free` on the disk, of
    which `reserve` is to stay free. `refused`: the disk or the database has refused a write."""

    used: int
    limit: int
    free: int
    reserve: int
    refused: bool = False

    @property
    def short(self) -> int:
        """How many bytes have to go: some more than are needed, so that it is not for ever."""
        above = self.used - int(self.limit * BEGIN)
        below = self.reserve - self.free
        more = max(
            above + self.limit // 100 if above > 0 else 0,
            below + self.reserve // 4 if below > 0 else 0,
        )
        return more

    @property
    def beyond(self) -> int:
        """How many bytes it is beyond the hard limit, where writes begin to be refused: for so
        many, what is held goes too."""
        return max(self.used - self.limit, self.reserve // 4 - self.free, 0)

    @property
    def hard(self) -> bool:
        """Whether the next write may be refused."""
        return self.refused or self.beyond > 0


@dataclass(frozen=True, slots=True)
class Records:
    """The records stored: the `first`, the last that may be deleted at all, bytes of one, how many
    bytes of the database are `free` to be used again and by how many it may grow: together at
    least `wanted`."""

    first: int
    deletable: int
    size: float
    free: int
    wanted: int
    growth: int = 1 << 62


@dataclass(frozen=True, slots=True)
class Terms:
    """Pictures and records up to these numbers have been kept for as long as was asked."""

    pictures_through: int = NEVER
    records_through: int = NEVER


@dataclass(frozen=True, slots=True)
class Plan:
    """Pictures to give up, those among them that somebody waits for, the record up to which to
    delete (0: none), and how many bytes could not be found."""

    leave: tuple[int, ...] = ()
    forced: tuple[int, ...] = ()
    prune_through: int = 0
    missing: int = 0


def plan(
    pictures: Sequence[Picture],
    room: Room,
    records: Records,
    terms: Terms,
    complete: bool = True,
) -> Plan:
    """What to do now.

    `pictures` are the candidates. With `complete` there are no others. Without, none of those left
    out may be worth less than one given: then neither a held one nor a record goes for room, since
    the next look may find better ones.
    """
    aged = min(terms.records_through, records.deletable)
    over = max(terms.pictures_through, aged)
    leave = [one for one in pictures if not one.held and one.seq <= over]
    aged_count, free = len(leave), sum(one.bytes for one in leave)
    others = sorted((one for one in pictures if one.held or one.seq > over), key=_value)
    for one in others:
        if free >= room.short or one.held:
            break
        leave.append(one)
        free += one.bytes
    missing = max(room.short - free, 0)
    through, forced = aged, tuple[Picture, ...]()
    if complete:
        all_gone = not any(not one.held for one in others[len(leave) - aged_count :])
        through = max(through, _for_room(records, missing, all_gone or room.refused))
        forced = tuple(_forced(others, room.beyond - free))
        missing = max(missing - sum(one.bytes for one in forced), 0)
    through = through if through >= records.first else 0
    left = tuple(one.seq for one in (*leave, *forced))
    return Plan(left, tuple(one.seq for one in forced), through, missing)


def _value(picture: Picture) -> tuple[int, int, int]:
    return picture.held, picture.worth, picture.seq


def _for_room(records: Records, missing: int, last_resort: bool) -> int:
    """The record up to which deleting lets the database do without new pages for a while.

    Deleting records gives no bytes back to the disk. It only keeps the file from growing, so once
    enough of its pages are free, deleting more would help nobody.
    """
    wanted = min(missing, records.wanted) - records.free
    if last_resort:
        wanted = max(wanted, records.wanted - records.free - records.growth)
    if wanted <= 0:
        return 0
    return min(records.deletable, records.first - 1 + math.ceil(wanted / records.size))


def _forced(others: Iterable[Picture], missing: int) -> Iterable[Picture]:
    """Those that wait for their upload or for a spot check, since there is no other choice. Never
    an open escalation: without its picture the question would be worth nothing."""
    for one in others:
        if one.held in (UPLOAD, CHECK) and missing > 0:
            missing -= one.bytes
            yield one
