"""What a person should know about the room that is left: figures, words, and alarms. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.retention.forecast import Forecast, Rate, days

ALARM_SHARE = 0.9
"""With nothing left to give up, this share of the limit is an alarm: the line works on."""
OUTAGE_DAYS = 3.0
STUCK_S = 600.0
"""Records that wait for so long are waiting for a person, not for the network."""


@dataclass(frozen=True, slots=True)
class Level:
    """How full it is, in bytes. `limit` is the lower of the configured one and what the disk
    allows; from `begin` on room is made. `pictures` and `deletable` records could still be given
    up, held ones included; `idle` bytes of the database are free to be used again, by `growth` it
    may grow. `unheld`: whether there is a picture that nobody waits for."""

    used: int
    limit: int
    begin: int = 0
    pictures: int = 0
    deletable: int = 0
    idle: int = 0
    growth: int = 1 << 62
    unheld: bool = True

    @property
    def at_the_end(self) -> bool:
        """Whether it is nearly full, and nothing may be given up without loss."""
        if self.deletable > 0:
            return False
        database = self.idle + self.growth < self.limit * (1 - ALARM_SHARE) / 2
        return database or (self.used >= self.limit * ALARM_SHARE and not self.unheld)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records without acknowledgement: how many, and for how long there was no progress."""

    records: int = 0
    stuck_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast, and what is wrong, if anything is."""

    forecast: Forecast = field(default_factory=Forecast)
    trouble: str | None = None


def outlook(
    level: Level,
    rate: Rate | None,
    waiting: Waiting,
    reach: Sequence[float | None],
    missing: int = 0,
) -> Outlook:
    """`reach`: days that pictures and records reach back. `missing`: bytes that should have gone
    and could not."""
    room = level.begin - level.used
    growth = min(level.limit - level.used + level.pictures, level.growth)
    possible = growth + level.deletable + level.idle
    forecast = Forecast(
        days(room, None if rate is None else rate.both),
        days(possible, None if rate is None else rate.records),
        *reach,
    )
    return Outlook(forecast, _trouble(level, forecast, waiting, missing))


def _trouble(level: Level, forecast: Forecast, waiting: Waiting, missing: int) -> str | None:
    share = f"{size(level.used)} of {size(level.limit)} are used"
    if level.at_the_end or missing:
        why = (
            f"{waiting.records:,} records are not acknowledged"
            if waiting.records and waiting.stuck_s >= STUCK_S
            else "nothing is left that may be deleted"
        )
        return f"{share}: {why}"
    outage = forecast.outage_days
    if outage is not None and outage < OUTAGE_DAYS and waiting.stuck_s >= STUCK_S:
        return (
            f"{waiting.records:,} records are not acknowledged; there is room for"
            f" {outage:.1f} days of them"
        )
    return None


def size(count: float) -> str:
    """Bytes for people."""
    for unit, name in ((10**9, "GB"), (10**6, "MB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count / 1000:.0f} kB"
