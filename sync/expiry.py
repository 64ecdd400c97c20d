"""When certificates begin and end, and whether it is the clock that is wrong. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from sync.link import Trouble

WARN_DAYS = 30
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One certificate's time, in seconds since 1970. `whose` names it in a sentence, `mend` says
    how it is replaced."""

    whose: str
    not_before: float
    not_after: float
    mend: str

    def early(self, now: float) -> bool:
        """Whether it is not valid yet."""
        return now < self.not_before

    def over(self, now: float) -> bool:
        """Whether it is not valid any more."""
        return now > self.not_after


@dataclass(frozen=True, slots=True)
class Facts:
    """What this machine knows of the time: its clock, whether the kernel says that it is
    synchronised, and when its software was put here (0: unknown)."""

    now: float
    synced: bool = True
    software_from: float = 0.0


def date(seconds: float) -> str:
    """The day in UTC, such as `2026-12-03`."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return "a date beyond all calendars"


def days_left(lifetime: Lifetime, now: float) -> int:
    """Whole days until it ends; negative afterwards."""
    return math.floor((lifetime.not_after - now) / DAY_S)


def warnings(lifetimes: Iterable[Lifetime], now: float) -> list[Trouble]:
    """What ends within 30 days or has ended, earliest first.

    The words hold the date and not the days left: they stay the same until it is mended.
    """
    ending = sorted(lifetimes, key=lambda one: one.not_after)
    return [
        Trouble(
            f"{one.whose} {'expired' if one.over(now) else 'ends'} on {date(one.not_after)}",
            one.mend,
        )
        for one in ending
        if one.not_after - now < WARN_DAYS * DAY_S
    ]


def refused(peer: Lifetime, others: Sequence[Lifetime], facts: Facts) -> Trouble | None:
    """Why `peer` is not valid by our clock: it itself, or the clock. None when it is valid."""
    if peer.early(facts.now):
        return _early(peer, others, facts)
    if peer.over(facts.now):
        return _over(peer, others, facts)
    return None


def _early(peer: Lifetime, others: Sequence[Lifetime], facts: Facts) -> Trouble:
    """A certificate from the future. Nobody uses one before its time, so with a clock that is not
    synchronised, or a second thing from the future, the clock is what is wrong."""
    begins = [one.not_before for one in others if one.not_before > facts.now]
    begins += [facts.software_from] if facts.software_from > facts.now else []
    if begins or not facts.synced:
        behind = _span(max(peer.not_before, *begins, facts.now) - facts.now)
        return Trouble(
            f"this machine's clock is at least {behind} behind: it says {date(facts.now)}, and "
            f"{peer.whose} is valid from {date(peer.not_before)} on",
            "set the clock: sudo timedatectl set-ntp true",
        )
    return Trouble(
        f"{peer.whose} is not valid before {date(peer.not_before)}; this machine's clock says "
        f"{date(facts.now)}, and that it is synchronised",
        "check the clock of the machine that issued the certificate, and this one: timedatectl",
    )


def _over(peer: Lifetime, others: Sequence[Lifetime], facts: Facts) -> Trouble:
    """An expired certificate. When everything else here has expired too and the clock is not
    synchronised, the clock is what is wrong; without such evidence both are named."""
    if not facts.synced and others and all(one.over(facts.now) for one in others):
        ahead = _span(facts.now - max(peer.not_after, *(one.not_after for one in others)))
        return Trouble(
            f"this machine's clock is {ahead} or more ahead: it says {date(facts.now)}, and every "
            f"certificate here has expired, the last on "
            f"{date(max(peer.not_after, *(one.not_after for one in others)))}",
            "set the clock: sudo timedatectl set-ntp true",
        )
    clock = f"this machine's clock ({date(facts.now)}, not synchronised)"
    doubt = "" if facts.synced else f", or {clock} is wrong"
    return Trouble(f"{peer.whose} expired on {date(peer.not_after)}{doubt}", peer.mend)


def _span(seconds: float) -> str:
    """A number of days; of hours when it is less than two days."""
    if seconds < 2 * DAY_S:
        return f"{max(1, math.ceil(seconds / 3600))} h"
    return f"{math.floor(seconds / DAY_S)} days"
