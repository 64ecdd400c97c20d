"""From scores of known parts to cuts and everything that is said about them. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.decision.binomial import upper_bound
from edge.decision.calibration import Calibrated, Targets, calibrate
from edge.decision.capacity import Load, tightest_for_capacity
from edge.decision.evidence import Result, Samples, TypeRow


def judge(
    samples: Samples, targets: Targets, prevalence: float | None, load: Load | None = None
) -> Result:
    """The rule applied, each defect type under the cuts, and how much is decided without a person.

    With `load` the accept cut is the one with the tightest bound that persons can keep up with.

    Raises CannotCertify where the data do not suffice, ValueError where a score is no probability.
    """
    good_scores, defect_scores = samples.good_scores, samples.defect_scores
    if load is None:
        found = calibrate(good_scores, defect_scores, targets)
    else:
        found = tightest_for_capacity(good_scores, defect_scores, load, targets).cuts
    good = _decided(good_scores, found)
    defect = _decided(defect_scores, found)
    mixed = None
    if prevalence is not None and good is not None and defect is not None:
        mixed = (1 - prevalence) * good + prevalence * defect
    return Result(
        accept_below=found.accept_below,
        reject_above=found.reject_above,
        escape=found.escape,
        overkill=found.overkill,
        automation_good=good,
        automation_defect=defect,
        at_prevalence=mixed,
        types=_types(samples, found, targets.alpha),
    )


def _decided(scores: NDArray[np.float64], cuts: Calibrated) -> float | None:
    """The share that is accepted or rejected without a person; None without samples."""
    if not len(scores):
        return None
    sure = (scores < cuts.accept_below) | (scores >= cuts.reject_above)
    return float(np.count_nonzero(sure) / len(scores))


def _types(samples: Samples, cuts: Calibrated, alpha: float) -> tuple[TypeRow, ...]:
    rows = []
    for index, name in enumerate(samples.types):
        scores = samples.scores[samples.defect & (samples.type_of == index)]
        if len(scores):
            rows.append(_row(name, scores, cuts, alpha))
    return tuple(sorted(rows, key=lambda row: row.type))


def _row(name: str, scores: NDArray[np.float64], cuts: Calibrated, alpha: float) -> TypeRow:
    accepted = int(np.count_nonzero(scores < cuts.accept_below))
    rejected = int(np.count_nonzero(scores >= cuts.reject_above))
    n = len(scores)
    return TypeRow(
        type=name,
        n=n,
        accepted=accepted,
        escalated=n - accepted - rejected,
        rejected=rejected,
        upper_bound=upper_bound(accepted, n, alpha),
    )
