"""What an instrument would notice, and when, in plain words. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.monitor.change import looks_until_noticed

LONGEST_DAYS = 30.0
"""An instrument that needs longer does not watch its target by itself."""
CHANGES = ((2.0, "a doubled"), (10.0, "a tenfold"))
ASSUMED_PREVALENCE = 0.01
CHANCE = 0.9


@dataclass(frozen=True, slots=True)
class Instrument:
    """One detector as the sentence needs it.

    `rate` is what it watches, `look` what it counts, in words. `looks_a_day` is 0 where none come.
    `note` says on which assumption `looks_a_day` rests.
    """

    name: str
    rate: str
    look: str
    limit: float
    between: float
    looks_a_day: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Power:
    """What one instrument would make of one change; `days` is None where it never looks.

    `between`: looks between two false alarms on average, were the rate exactly at its limit.
    """

    instrument: str
    change: str
    limit: float
    rate: float
    looks: int
    days: float | None
    between: float
    sentence: str

    @property
    def watches(self) -> bool:
        """Whether it would notice within 30 days."""
        return self.days is not None and self.days <= LONGEST_DAYS

    def as_json(self) -> dict[str, object]:
        """As the status file carries it."""
        return {
            "instrument": self.instrument,
            "change": self.change,
            "limit": self.limit,
            "rate": self.rate,
            "looks": self.looks,
            "days": None if self.days is None else round(self.days, 1),
            "watches": self.watches,
            "looks_between_false_alarms": self.between,
            "sentence": self.sentence,
        }


def power(instrument: Instrument) -> list[Power]:
    """How long a doubled and a tenfold rate would go unnoticed, in nine cases of ten."""
    found = []
    for times, word in CHANGES:
        rate = min(1.0, instrument.limit * times)
        if rate <= instrument.limit:
            continue
        looks = looks_until_noticed(instrument.limit, rate, instrument.between, CHANCE)
        days = looks / instrument.looks_a_day if instrument.looks_a_day > 0 else None
        change = f"{word} {instrument.rate}"
        sentence = _sentence(instrument, change, rate, looks, days)
        found.append(
            Power(
                instrument=instrument.name,
                change=change,
                limit=instrument.limit,
                rate=rate,
                looks=looks,
                days=days,
                between=instrument.between,
                sentence=sentence,
            )
        )
    return found


def _sentence(
    instrument: Instrument, change: str, rate: float, looks: int, days: float | None
) -> str:
    what = f"{change} ({rate:.3g} instead of {instrument.limit:.3g})"
    if days is None:
        return (
            f"{instrument.name}: {what} would take {looks:,} {instrument.look}, and none come:"
            " this does not watch the target"
        )
    told = (
        f"{instrument.name}: {what} would be noticed in about {_days(days)}"
        f" ({looks:,} {instrument.look}, {instrument.looks_a_day:.3g} a day{instrument.note})"
    )
    return told if days <= LONGEST_DAYS else f"{told}: this alone does not watch the target"


def _days(days: float) -> str:
    if days < 1:
        return "a day"
    return f"{math.ceil(days):,} days"


def least_looks(limit: float, rate: float, alpha: float = 0.05) -> float:
    """The mean number of looks that the best test of `limit` against `rate` needs, at the least.

    log(1 / alpha) over the Kullback-Leibler divergence (Wald 1947): no instrument that is wrong
    with at most `alpha` can do with fewer. 1 % against 2 %: 765 challenge parts.
    """
    divergence = rate * math.log(rate / limit)
    divergence += (1 - rate) * math.log((1 - rate) / (1 - limit))
    return -math.log(alpha) / divergence


def least_answers(
    limit: float, rate: float, prevalence: float, sure: float = 0.9, alpha: float = 0.05
) -> float:
    """The same by spot checks: only a drawn part that is a defect says anything.

    `prevalence` is the share of defects, `sure` the share of parts that need an extra answer: the
    others are asked about anyway. 1 % against 2 % at a prevalence of 1 %: about 69,000 answers.
    """
    return least_looks(limit, rate, alpha) / prevalence * sure
