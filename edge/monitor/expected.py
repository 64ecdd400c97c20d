"""What cuts would mean on the line: parts per hour and per million. Pure.

The *escape rate* is a share of the defects, the *slip* a share of the accepted parts. Both come
from the same counts and are different quantities; nothing here turns one into the other silently.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.monitor.confusion import Confusion

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Expected:
    """Expected figures at one prevalence. `None` where a kind of part is missing in the data.

    `escapes_per_million`: defects accepted per million parts inspected, and `_at_most` with the
    upper bound of the escape rate. `overkill_per_million` likewise. `slip_per_million`: defects per
    million *accepted* parts; `_at_most` takes the bound of the escape rate and the share of good
    parts accepted as it was seen. `escalated` is the share of all parts that persons are asked
    about, `escalations_per_hour` None without a rate.
    """

    prevalence: float
    rate_per_hour: float | None
    escalated: float
    escalations_per_hour: float | None
    escapes_per_million: float
    escapes_per_million_at_most: float
    overkill_per_million: float
    overkill_per_million_at_most: float
    slip_per_million: float | None
    slip_per_million_at_most: float | None


def expected(
    found: Confusion,
    escape_bound: float,
    overkill_bound: float,
    prevalence: float,
    rate_per_hour: float | None = None,
) -> Expected | None:
    """From shares among good and defective parts to a line with this share of defects.

    The bounds are those that the calibration proved. None without parts of both kinds.
    """
    if not found.good.n or not found.defect.n:
        return None
    good, defect = 1 - prevalence, prevalence
    escape, overkill = found.defect.accept / found.defect.n, found.good.reject / found.good.n
    accepted = good * found.good.accept / found.good.n
    asked = good * found.good.escalate / found.good.n
    asked += defect * found.defect.escalate / found.defect.n
    return Expected(
        prevalence,
        rate_per_hour,
        asked,
        None if rate_per_hour is None else rate_per_hour * asked,
        MILLION * defect * escape,
        MILLION * defect * escape_bound,
        MILLION * good * overkill,
        MILLION * good * overkill_bound,
        _slip(defect * escape, accepted),
        _slip(defect * escape_bound, accepted),
    )


def _slip(defects: float, good: float) -> float | None:
    accepted = defects + good
    return MILLION * defects / accepted if accepted else None
