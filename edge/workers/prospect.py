"""How long the room lasts, as the status and the alarm say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.retention.ages import Ages
from edge.retention.forecast import rate
from edge.retention.outlook import Level, Outlook, Waiting, outlook
from edge.retention.plan import BEGIN, Room
from edge.retention.stock import Inventory, Stock
from edge.retention.survey import Decided
from edge.store.pruning import Acknowledged
from edge.store.tidying import Mark

EVERY_NS = 2 * 10**9


@dataclass(frozen=True, slots=True)
class View:
    """What is known at one look."""

    stored: Inventory
    room: Room
    known: Acknowledged | None
    decided: Decided
    pictures_bytes: int
    most_pages: int
    ages: Ages
    now: Mark


class Prospect:
    """Looks ahead now and then, and counts what was given up since the start."""

    def __init__(self, stock: Stock, limit: int, waits: bool) -> None:
        self._stock, self._limit, self._waits = stock, limit, waits
        self._level, self._outlook = Level(0, limit), Outlook()
        self._waiting = Waiting()
        self._progress: tuple[int, float] | None = None
        self._not_ours: str | None = None
        self._pictures = self._forced = self._records = 0
        self._next_ns = 0

    @property
    def trouble(self) -> str | None:
        """What a person has to know; None when all is well."""
        return self._not_ours or self._outlook.trouble

    def gave_up(self, pictures: int, forced: int) -> None:
        """So many pictures, some of which somebody waited for."""
        self._pictures += pictures
        self._forced += forced

    def deleted(self, records: int, not_ours: str | None) -> None:
        """So many records; or none, since the acknowledgement was about others."""
        self._records += records
        self._not_ours = not_ours

    def look(self, seen: View, now_ns: int) -> None:
        """Look ahead, when it is time."""
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + EVERY_NS
        stored, room, ages, now = seen.stored, seen.room, seen.ages, seen.now
        size = stored.record_bytes
        self._waiting = self._wait(stored, seen.known, now.odometer_s)
        self._level = Level(
            room.used,
            min(room.limit, room.used + room.free),
            min(int(room.limit * BEGIN), room.used + max(room.free - room.reserve, 0)),
            seen.pictures_bytes,
            int(max(seen.decided.deletable - stored.first + 1, 0) * size),
            stored.free_pages * stored.page_bytes,
            max(seen.most_pages - stored.pages, 0) * stored.page_bytes,
            seen.decided.unheld,
        )
        first = stored.first if stored.head >= stored.first else None
        reach = (
            ages.days(now.odometer_s, self._stock.oldest()),
            ages.days(now.odometer_s, first),
        )
        found = rate(ages.marks, now, size)
        self._outlook = outlook(self._level, found, self._waiting, reach, seen.decided.missing)

    def _wait(self, stored: Inventory, known: Acknowledged | None, odometer_s: float) -> Waiting:
        """What is not acknowledged, and since when there was no progress."""
        through = stored.first - 1 if known is None else known.seq
        records = max(stored.head - through, 0) if self._waits else 0
        if records == 0 or self._progress is None or self._progress[0] != through:
            self._progress = through, odometer_s
        return Waiting(records, odometer_s - self._progress[1])

    def figures(self) -> Mapping[str, object]:
        """Members of the status."""
        forecast = self._outlook.forecast
        return {
            "limit_bytes": self._level.limit,
            "used_bytes": self._level.used,
            "given_up": self._pictures,
            "given_up_though_awaited": self._forced,
            "deleted": self._records,
            "unacknowledged": self._waiting.records if self._waits else None,
            **forecast.as_json(),
            "words": forecast.in_words(self._waits),
        }
