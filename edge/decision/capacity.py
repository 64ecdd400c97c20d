"""What if persons can answer N questions an hour: the tightest escape bound that fits. Pure.

The accept cut is picked from a curve, so its bound is the one that holds for all cuts at once
(`band.py`). The reject cut follows from its own target alone, as in `calibration.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decision.band import upper_band
from edge.decision.binomial import order_statistic, samples, upper_bound
from edge.decision.calibration import (
    ACCEPT_NONE,
    NOTHING,
    REJECT_NONE,
    Bound,
    Calibrated,
    CannotCertify,
    Scores,
    Targets,
    limits,
)


@dataclass(frozen=True, slots=True)
class Load:
    """What arrives, and what persons can answer.

    `rate_per_hour` parts/h of which the share `prevalence` is defective; `answers_per_hour` is how
    many parts/h persons can look at.
    """

    rate_per_hour: float
    prevalence: float
    answers_per_hour: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate_per_hour) and self.rate_per_hour > 0):
            raise ValueError(f"rate {self.rate_per_hour}: parts/h must be more than 0")
        if not 0 <= self.prevalence <= 1:
            raise ValueError(f"prevalence {self.prevalence}: a share of all parts, 0 to 1")
        if not (math.isfinite(self.answers_per_hour) and self.answers_per_hour >= 0):
            raise ValueError(f"capacity {self.answers_per_hour}: answers/h must be 0 or more")


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The cuts with the tightest escape bound whose escalations fit.

    `cuts.escape.upper_bound` (also its target) holds although the cut was picked by looking at the
    data: it is the simultaneous band. 1 says that the capacity is too small for any statement.
    `escalations_per_hour` is expected from the shares seen, not a bound.
    """

    cuts: Calibrated
    escalations_per_hour: float


def tightest_for_capacity(
    good: Sequence[float] | Scores, defect: Sequence[float] | Scores, load: Load, targets: Targets
) -> WhatIf:
    """The cuts with the tightest escape bound that leaves persons no more than they can answer.

    `targets.max_escape` is not used. With `only` "accept" nothing is rejected. Both bounds hold
    together with `targets.confidence`. Raises CannotCertify where the good parts do not suffice for
    `max_overkill` or there are no parts of a kind, ValueError for `only` "reject" or a score that
    is no probability.
    """
    if targets.only == "reject":
        raise ValueError("with --only reject nothing is accepted: there is no escape to bound")
    good_scores, defect_scores = _checked(good), _checked(defect)
    _refuse_too_few(len(good_scores), len(defect_scores), targets)
    reject_above, overkill_bound = _reject_cut(good_scores, targets)
    accept_below = _accept_cut(good_scores, defect_scores, reject_above, load)
    if accept_below > reject_above:
        accept_below = reject_above = (accept_below + reject_above) / 2
    asked = _escalated(good_scores, defect_scores, np.array([accept_below]), reject_above, load)
    cuts = Calibrated(
        accept_below,
        reject_above,
        _escape(defect_scores, accept_below, targets.alpha),
        _overkill(good_scores, reject_above, overkill_bound, targets),
    )
    return WhatIf(cuts, float(asked[0]))


def _accept_cut(good: Scores, defect: Scores, reject_above: float, load: Load) -> float:
    """The lowest candidate that fits.

    Between two neighbouring defect scores the bound is the same, so only the upper ends count.
    """
    candidates = np.concatenate(([ACCEPT_NONE], np.unique(defect), [REJECT_NONE]))
    asked = _escalated(good, defect, candidates, reject_above, load)
    # it falls to 0 where the cuts meet, so one fits
    return float(candidates[np.argmax(asked <= load.answers_per_hour)])


def _escalated(
    good: Scores, defect: Scores, accept: NDArray[np.float64], reject_above: float, load: Load
) -> NDArray[np.float64]:
    """Expected escalations/h for each accept cut; none where the cuts meet."""
    shares = []
    for scores in (good, defect):
        up_to = int(np.searchsorted(scores, reject_above, "left"))
        between = up_to - np.searchsorted(scores, accept, "left")
        shares.append(np.maximum(0, between) / len(scores))
    mixed = (1 - load.prevalence) * shares[0] + load.prevalence * shares[1]
    expected: NDArray[np.float64] = load.rate_per_hour * mixed
    return expected


def _reject_cut(good: Scores, targets: Targets) -> tuple[float, float]:
    """The cut of the rule, and the bound that the rule proves for it."""
    if targets.only == "accept":
        return REJECT_NONE, 0.0
    k = order_statistic(len(good), targets.max_overkill, targets.alpha)
    cut = math.nextafter(float(good[-k]), math.inf)
    return cut, upper_bound(k - 1, len(good), targets.alpha)


def _escape(defect: Scores, accept_below: float, alpha: float) -> Bound:
    if accept_below == ACCEPT_NONE:
        return Bound(0.0, 0.0, 0.0)
    errors = int(np.searchsorted(defect, accept_below, "left"))
    at_most = upper_band(len(defect), alpha).at(errors)
    return Bound(at_most, errors / len(defect), at_most)


def _overkill(good: Scores, reject_above: float, bound: float, targets: Targets) -> Bound:
    if targets.only == "accept":
        return NOTHING
    errors = len(good) - int(np.searchsorted(good, reject_above, "left"))
    return Bound(targets.max_overkill, errors / len(good), bound)


def _refuse_too_few(n_good: int, n_defect: int, targets: Targets) -> None:
    """Any defect gives some escape bound; a reject cut needs enough good parts."""
    least = 1 if targets.only else samples(targets.max_overkill, targets.alpha)
    lacking = {"good": max(0, least - n_good), "defect": max(0, 1 - n_defect)}
    if any(lacking.values()):
        raise CannotCertify(limits(n_good, n_defect, targets.alpha), lacking)


def _checked(scores: Sequence[float] | Scores) -> Scores:
    values = np.sort(np.asarray(scores, dtype=np.float64))
    if not np.all((values >= 0) & (values <= 1)):
        raise ValueError("a score is a probability: a finite number in 0..1")
    return values
