"""How long the room lasts, and how far back it reaches: from marks on the station's clock. Pure.

Age is running time of the station (its odometer), never wall time: a clock that jumps makes
nothing older. Days are days of running time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from edge.store.tidying import Mark

DAY_S = 86_400.0
OVER_S = DAY_S
"""The rate is that of the last day of running."""
LEAST_S = 600.0
"""Less than this says nothing about a rate."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Bytes a second of running: of new pictures, and of new records in the database."""

    pictures: float
    records: float

    @property
    def both(self) -> float:
        """All bytes a second."""
        return self.pictures + self.records


@dataclass(frozen=True, slots=True)
class Forecast:
    """Days at today's rate, None where there is none yet or it is no number.

    `days_left` until the limit; from then on the oldest pictures make room. `outage_days`: for how
    long records could still be kept that nobody acknowledges. Then how far back pictures and
    records reach now.
    """

    days_left: float | None = None
    outage_days: float | None = None
    pictures_reach: float | None = None
    records_reach: float | None = None

    def in_words(self, waits: bool) -> str:
        """One sentence. `waits`: records have to be acknowledged."""
        words = [_left(self.days_left)]
        if waits and self.outage_days is not None:
            words.append(f"without acknowledgement, records for {_days(self.outage_days)}")
        reach = [
            f"{name} reach back {_days(days)}"
            for name, days in (("pictures", self.pictures_reach), ("records", self.records_reach))
            if days is not None
        ]
        return "; ".join([*words, *reach])

    def as_json(self) -> dict[str, object]:
        """As the status carries it."""
        return {
            "days_left": _rounded(self.days_left),
            "outage_days": _rounded(self.outage_days),
            "pictures_reach_days": _rounded(self.pictures_reach),
            "records_reach_days": _rounded(self.records_reach),
        }


def rate(marks: Sequence[Mark], now: Mark, record_bytes: float) -> Rate | None:
    """The rate of the last day, or of as much of it as is known; None before LEAST_S of it."""
    begin = now.odometer_s - OVER_S
    place = max(bisect_right(marks, begin, key=_odometer) - 1, 0)
    if not marks or now.odometer_s - marks[place].odometer_s < LEAST_S:
        return None
    then = marks[place]
    seconds = now.odometer_s - then.odometer_s
    records = max(now.seq - then.seq, 0) * record_bytes
    return Rate(max(now.written - then.written, 0) / seconds, records / seconds)


def through(marks: Sequence[Mark], odometer_s: float, age_s: float) -> int | None:
    """The newest record that is known to be at least `age_s` old; None when none is."""
    place = bisect_right(marks, odometer_s - age_s, key=_odometer)
    return marks[place - 1].seq if place else None


def age_s(marks: Sequence[Mark], odometer_s: float, seq: int) -> float | None:
    """How old the record `seq` is, to within a mark; None where no mark says so."""
    place = bisect_right(marks, seq, key=_seq) - 1
    return odometer_s - marks[place].odometer_s if place >= 0 else None


def days(room: float, rate_: float | None) -> float | None:
    """For how long `room` bytes last; None where nothing comes."""
    if rate_ is None or rate_ <= 0:
        return None
    return max(room, 0.0) / rate_ / DAY_S


def _odometer(mark: Mark) -> float:
    return mark.odometer_s


def _seq(mark: Mark) -> int:
    return mark.seq


def _left(left: float | None) -> str:
    if left is None:
        return "no forecast yet"
    if left == 0:
        return "the limit is reached, the oldest pictures make room"
    return f"{_days(left)} left at today's rate"


def _days(days: float) -> str:
    if days >= 10:
        return f"{days:,.0f} days"
    if days >= 1:
        return f"{days:.1f} days"
    return f"{days * 24:.1f} hours" if days * 24 >= 1 else f"{days * 1440:.0f} minutes"


def _rounded(days: float | None) -> float | None:
    return None if days is None else round(days, 3)
