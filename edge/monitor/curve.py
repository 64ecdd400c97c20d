"""Risk against coverage: what each possible cut would risk, and what it would settle. Pure.

People choose from a curve, so its bounds are a band that holds for all cuts at once
(`edge/decision/band.py`), wider than the bound of one cut that was fixed beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decision.band import upper_band

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in order of rising coverage, the first at no coverage and no risk.

    `coverage` is the share of the parts that should be settled this way and are, `risk` the share
    of the others that are settled so wrongly, `bound` the upper bound of the risk, for all points
    at once with probability 1 - `alpha`.
    """

    coverage: Floats
    risk: Floats
    bound: Floats
    alpha: float


def accept_curve(good: Floats, defect: Floats, alpha: float) -> Curve:
    """For every accept cut: good parts accepted against defects accepted (the escape rate)."""
    return _curve(good, defect, alpha)


def reject_curve(good: Floats, defect: Floats, alpha: float) -> Curve:
    """For every reject cut: defects rejected against good parts rejected (the overkill rate)."""
    return _curve(-defect, -good, alpha)


def _curve(helped: Floats, harmed: Floats, alpha: float) -> Curve:
    """Everything below a cut is settled. Between two harmed parts the risk does not change, so the
    cuts that count are their scores and one behind all; of those that settle no more, the first."""
    harmed, helped = np.sort(harmed), np.sort(helped)
    cuts = np.unique(harmed)
    errors = np.searchsorted(harmed, cuts, "left")
    settled = np.searchsorted(helped, cuts, "left")
    errors = np.concatenate((errors, [len(harmed)]))
    settled = np.concatenate((settled, [len(helped)]))
    keep = np.concatenate(([True], np.diff(settled) > 0))
    band = upper_band(len(harmed), alpha)
    zero = np.zeros(1)
    return Curve(
        np.concatenate((zero, settled[keep] / max(1, len(helped)))),
        np.concatenate((zero, errors[keep] / max(1, len(harmed)))),
        np.concatenate((zero, band.over(errors[keep]))),
        alpha,
    )
