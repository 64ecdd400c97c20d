"""How full it is, and what is to be given up: reads the numbers for the plan and makes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.retention.elsewhere import Uploads
from edge.retention.plan import NEVER, Plan, Records, Room, Terms, plan
from edge.retention.shelved import Shelved
from edge.retention.stock import Inventory, Stock, Totals
from edge.store import usage
from edge.store.pruning import Acknowledged
from edge.store.tidying import Mark

OTHERS_NS = 30 * 10**9
DATABASE = "line.db"
APART = frozenset({"images", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "damaged", "salvage"})
"""Counted apart, or not at all: what was saved of a damaged database must not leave its successor
without room. What it takes of the disk counts."""
SHARE_IDLE = 64
"""Of the limit, this part of the database's pages should be free before deleting records for room
is of no more use."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The plan, the files of what leaves, whether a picture is left that nothing holds, how far
    records may be deleted at all, and bytes that should go and cannot."""

    plan: Plan
    leaving: tuple[Shelved, ...]
    unheld: bool
    deletable: int
    missing: int


class Survey:
    """Keeps the sums that would take too long to make at every look."""

    def __init__(self, state_dir: Path, stock: Stock, limit: int) -> None:
        self.others = 0
        self._state_dir, self._stock, self._limit = state_dir, stock, limit
        self._totals, self._behind, self._base = Totals(NEVER), 0, 0
        self._others_ns = 0

    @property
    def pictures(self) -> int:
        """Pictures that are there."""
        return self._totals.there

    @property
    def bytes(self) -> int:
        """Bytes of the pictures that are there."""
        return self._totals.bytes

    @property
    def written(self) -> int:
        """Bytes of all pictures of this epoch, those that are gone included."""
        return self._base + self._totals.written

    def begin(self, last: Mark | None) -> None:
        """Another database: count anew. `last` is its newest mark."""
        self._totals = Totals(NEVER)
        self._behind, self._base = (0, 0) if last is None else (last.seq, last.written)

    def count(self) -> bool:
        """Count what is new; whether there is more to count before anything is known."""
        return self._stock.add(self._totals, self._behind)

    def changed(self, leaving: Iterable[Shelved], found: int = 0, found_bytes: int = 0) -> None:
        """Pictures were given up, others were found."""
        for one in leaving:
            # One that is too new to have been counted never will be: it is no longer there.
            if one.picture.seq <= self._totals.seq:
                self._totals.there -= 1
                self._totals.bytes -= one.picture.bytes
        self._totals.there += found
        self._totals.bytes += found_bytes

    def measure(self, disk: usage.Disk, unlinking: int, refused: bool, now_ns: int) -> Room:
        """How full it is; `unlinking` bytes are marked as leaving and still there."""
        if now_ns >= self._others_ns:
            self._others_ns = now_ns + OTHERS_NS
            self.others = usage.of_all_but(self._state_dir, APART)
        used = usage.of_database(self._state_dir / DATABASE) + self.others
        used += self._totals.bytes + unlinking
        # What is about to be unlinked is as good as free: it must not cost yet more pictures.
        return Room(used - unlinking, self._limit, disk.free + unlinking, disk.reserve, refused)

    def decide(
        self,
        stored: Inventory,
        room: Room,
        terms: Terms,
        known: Acknowledged | None,
        uploads: Uploads,
        waits: bool,
        most_pages: int,
    ) -> Decided:
        """What goes now. The database may grow to `most_pages`."""
        last = _deletable(stored, room, known, waits)
        idle = stored.free_pages * stored.page_bytes
        wanted = min(self._limit, room.free + room.used) // SHARE_IDLE
        growth = max(most_pages - stored.pages, 0) * stored.page_bytes
        records = Records(stored.first, last, stored.record_bytes, idle, wanted, growth)
        over = max(terms.pictures_through, min(terms.records_through, last))
        found = self._stock.aged(over, uploads.done) if over > NEVER else []
        cheap, complete = self._stock.cheapest(uploads.done)
        if room.short:
            found += cheap
            found += self._stock.held(uploads.done) if complete and room.hard else []
        by_seq = {one.picture.seq: one for one in found}
        made = plan([one.picture for one in by_seq.values()], room, records, terms, complete)
        leaving = tuple(by_seq[seq] for seq in made.leave)
        return Decided(made, leaving, bool(cheap), last, made.missing if complete else 0)


def _deletable(stored: Inventory, room: Room, known: Acknowledged | None, waits: bool) -> int:
    """The newest record that may go: acknowledged where that is asked for, and behind no open
    escalation.

    Unless it is them or the line, also read by the instruments, and behind no spot check: one that
    nobody answers would keep everything for ever.
    """
    last = stored.head
    if waits:
        last = 0 if known is None else min(known.seq, last)
    waiting = stored.escalated if room.hard else stored.waiting
    if waiting is not None:
        last = min(last, waiting - 1)
    if stored.watched is not None and not room.hard:
        last = min(last, stored.watched)
    return last
