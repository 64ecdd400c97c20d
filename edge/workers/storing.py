"""Retention on the tend thread: looks how full it is, makes the plan, unlinks, orders the rest.

Small steps: a look is a few short reads, a few dozen files go at a time, and what is written to
the database is an errand of the record thread. It never holds up a decision.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edge.clock import Clock
from edge.log import log
from edge.records import utc
from edge.retention.ages import STATE, Ages, Odometer
from edge.retention.ballast import Ballast
from edge.retention.elsewhere import Elsewhere
from edge.retention.plan import NEVER, Room, Terms
from edge.retention.stock import Inventory, Stock
from edge.retention.strays import Strays, hours
from edge.retention.survey import Decided, Survey
from edge.retention.unlinking import Unlinking
from edge.store import usage
from edge.store.errors import StoreError
from edge.store.images import ImageStore
from edge.store.pruning import Acknowledged, Prune
from edge.store.tidying import Found, Mark, Tidying
from edge.workers.entry import Entry
from edge.workers.errands import Bound, Errand, Errands
from edge.workers.prospect import Prospect, View

BUSY_NS, IDLE_NS, AGAIN_NS = 50_000_000, 10**9, 5 * 10**9
LEAST_RECORDS, MOST_RECORDS = 16, 500
LEAST_PAGES, LEAST_LOG, MOST_LOG = 64, 64, 2000
NEWEST_PATHS = 64
WALKED = "storage.walked"
"""Key of the state: the epoch for which all of `images/` was looked through."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration asks for. `waits`: records have to be acknowledged first."""

    max_bytes: int
    pictures_s: float
    records_s: float
    waits: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """What retention works with. `refusal` says why a record could not be written."""

    state_dir: Path
    stock: Stock
    elsewhere: Elsewhere
    errands: Errands
    images: ImageStore
    ballast: Ballast
    clock: Clock
    refusal: Callable[[], str | None]


class Storing:
    """A helper of the tend thread. `failing` says why retention cannot work."""

    def __init__(self, parts: Parts, limits: Limits) -> None:
        self.failing: str | None = None
        self._parts, self._limits = parts, limits
        self._epoch: str | None = None
        self._odometer = Odometer(None, parts.clock.monotonic_ns())
        self._ages = Ages((), limits.pictures_s, limits.records_s)
        self._survey = Survey(parts.state_dir, parts.stock, limits.max_bytes)
        self._prospect = Prospect(parts.stock, limits.max_bytes, limits.waits)
        self._unlinking = Unlinking(parts.state_dir)
        self._strays: Strays | None = None
        self._gone: list[int] = []
        self._found: list[Found] = []
        self._newest: str | None = None
        self._errand: Errand | None = None
        self._decided: Decided | None = None
        self._bound: Bound | None = None
        self._most = MOST_RECORDS
        self._refused = self._housework_refused = False
        self._prune_ns = self._next_ns = 0

    @property
    def trouble(self) -> str | None:
        """What is to be raised as the alarm `storage`; None when all is well."""
        if self.failing is not None:
            return f"old pictures and records do not make room: {self.failing}"
        return self._prospect.trouble

    def step(self, now_ns: int) -> Iterable[Entry]:
        """A little of it."""
        self._odometer.advance(now_ns)
        if now_ns < self._next_ns:
            return ()
        try:
            busy = self._work(now_ns)
        except (sqlite3.Error, StoreError, OSError, ValueError) as error:
            if self.failing is None:
                log.error("storage.failing", error=error)
            self.failing, busy = str(error) or repr(error), False
        else:
            self.failing = None
        self._next_ns = now_ns + (BUSY_NS if busy else IDLE_NS)
        return ()

    def close(self) -> None:
        """Let the files go."""
        self._parts.stock.close()
        self._parts.elsewhere.close()

    def figures(self) -> Mapping[str, object]:
        """The member `storage` of the status."""
        shown = {
            "pictures": self._survey.pictures,
            "pictures_bytes": self._survey.bytes,
            "ballast": self._parts.ballast.aboard,
            **self._prospect.figures(),
        }
        return {"storage": shown}

    def _work(self, now_ns: int) -> bool:
        """One look; whether there is more to do at once."""
        parts = self._parts
        if self._errand is not None and self._errand.done:
            self._learn(self._errand, now_ns)
        self._gone += self._unlinking.step(self._newest)
        if self._errand is not None:
            return True
        disk = usage.disk(parts.state_dir)
        self._refused = self._housework_refused or _no_room(parts.refusal())
        aboard = parts.ballast.balance(disk.free, self._refused)
        stored = parts.stock.look()
        if stored is None:
            return False
        if stored.epoch != self._epoch:
            self._begin(stored, now_ns)
        if self._survey.count():
            return True
        room = self._survey.measure(disk, self._unlinking.bytes, self._refused, now_ns)
        known = parts.elsewhere.acknowledged(stored.epoch) if self._limits.waits else None
        self._decided = self._decide(stored, room, known)
        parts.images.closed = not aboard or (room.used >= room.limit and self._decided.missing > 0)
        mark, held = self._mark(stored, room), self._survey.bytes
        pages = self._most_pages
        view = View(stored, room, known, self._decided, held, pages, self._ages, mark)
        self._prospect.look(view, now_ns)
        self._order(stored, room, known, now_ns)
        return self._errand is not None or bool(len(self._unlinking))

    def _begin(self, stored: Inventory, now_ns: int) -> None:
        """A database not known before: at the start, or in the place of a damaged one."""
        stock = self._parts.stock
        if self._epoch is None:
            self._odometer = Odometer(stock.state(STATE), now_ns)
        self._epoch = stored.epoch
        marks = stock.marks()
        self._ages = Ages(marks, self._limits.pictures_s, self._limits.records_s)
        self._survey.begin(marks[-1] if marks else None)
        self._unlinking.clear()
        self._unlinking.add(stock.leaving())
        self._gone, self._found = [], []
        newest = stock.newest_paths(NEWEST_PATHS)
        walked = stock.state(WALKED) == stored.epoch
        folders = hours(self._parts.state_dir, newest) if walked else None
        self._strays = Strays(self._parts.state_dir, stock.strangers, folders)

    def _decide(self, stored: Inventory, room: Room, known: Acknowledged | None) -> Decided:
        parts, seconds = self._parts, self._odometer.seconds
        pictures = self._ages.pictures_through(seconds)
        records = self._ages.records_through(seconds)
        terms = Terms(
            NEVER if pictures is None else pictures, NEVER if records is None else records
        )
        uploads = parts.elsewhere.uploads(stored.epoch)
        waits, pages = self._limits.waits, self._most_pages
        return self._survey.decide(stored, room, terms, known, uploads, waits, pages)

    @property
    def _most_pages(self) -> int:
        return 1 << 40 if self._bound is None else self._bound.pages

    def _mark(self, stored: Inventory, room: Room) -> Mark:
        return Mark(self._odometer.seconds, stored.head, self._survey.written, room.used)

    def _order(
        self, stored: Inventory, room: Room, known: Acknowledged | None, now_ns: int
    ) -> None:
        """Leave an errand for the record thread, if there is one."""
        assert self._decided is not None
        newest = self._parts.stock.newest_paths(1)
        self._newest = str(PurePosixPath(newest[0]).parent) if newest else None
        seconds = self._odometer.seconds
        state = self._odometer.to_save()
        if self._strays is not None and not self._found and self.failing is None:
            self._found = [] if self._refused else self._strays.step(now_ns)
            if self._strays.done and not self._found:
                self._strays = None
                state[WALKED] = stored.epoch
        mark = self._mark(stored, room) if self._ages.due(seconds) else None
        if mark is not None:
            self._ages.add(mark)
        tidying = Tidying(
            stored.epoch,
            [one.picture.seq for one in self._decided.leaving],
            tuple(self._gone),
            tuple(self._found),
            mark,
            self._ages.forget(seconds),
            state,
        )
        errand = Errand(
            None if tidying.empty else tidying,
            self._prune(known, now_ns),
            self._new_bound(stored, room),
            checkpoint=self._refused,
        )
        if errand.tidying or errand.prune or errand.bound or errand.checkpoint:
            self._errand = errand
            self._parts.errands.give(errand)

    def _prune(self, known: Acknowledged | None, now_ns: int) -> Prune | None:
        assert self._decided is not None
        through = self._decided.plan.prune_through
        if not through or now_ns < self._prune_ns:
            return None
        at = utc(self._parts.clock.wall())
        return Prune(through, at, self._limits.waits, known, self._most, self._epoch)

    def _new_bound(self, stored: Inventory, room: Room) -> Bound | None:
        """How far the database may grow: below what limit and disk allow, where that changed."""
        page = stored.page_bytes
        whole = min(self._limits.max_bytes, room.free + room.used)
        log_pages = min(max(whole // page // 64, LEAST_LOG), MOST_LOG)
        by_limit, by_disk = self._limits.max_bytes, room.used + room.free - room.reserve // 2
        most = min(by_limit, by_disk) - self._survey.others - 2 * log_pages * page
        pages = max(most // page, LEAST_PAGES)
        known = self._bound
        if known is not None and abs(pages - known.pages) <= max(known.pages // 64, 16):
            return None
        self._bound = Bound(pages, log_pages)
        return self._bound

    def _learn(self, errand: Errand, now_ns: int) -> None:
        """What became of the errand."""
        self._errand = None
        if errand.tidying is not None and errand.tidied:
            leaving = self._decided.leaving if self._decided is not None else ()
            forced = 0 if self._decided is None else len(self._decided.plan.forced)
            self._unlinking.add(leaving)
            found = errand.tidying.found
            self._survey.changed(leaving, len(found), sum(one.bytes for one in found))
            self._gone = self._gone[len(errand.tidying.gone) :]
            self._found = []
            self._prospect.gave_up(len(leaving), forced)
        self._housework_refused = _no_room(errand.refused)
        if errand.refused is not None:
            log.warning("storage.refused", error=errand.refused)
            self._most = max(self._most // 2, LEAST_RECORDS)
        elif errand.prune is not None:
            self._prospect.deleted(errand.pruned.deleted, errand.not_ours)
            self._most = min(self._most * 2, MOST_RECORDS)
            at_work = self._decided is not None and bool(self._decided.leaving)
            if not errand.pruned.through and not at_work:
                self._prune_ns = now_ns + AGAIN_NS


def _no_room(refusal: str | None) -> bool:
    return refusal is not None and any(
        word in refusal for word in ("full", "No space left", "quota", "disk I/O")
    )
