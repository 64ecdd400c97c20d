"""Every figure about one list of scores of known parts under two cuts, together. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.monitor.auroc import Auroc, auroc
from edge.monitor.confusion import Confusion, confusion
from edge.monitor.curve import Curve, accept_curve, reject_curve
from edge.monitor.histogram import Histogram, histogram


@dataclass(frozen=True, slots=True)
class Figures:
    """What the data show. `auroc` and `confusion` are None where they have no meaning."""

    histogram: Histogram
    auroc: Auroc | None
    accepting: Curve
    rejecting: Curve
    confusion: Confusion | None


def figures(
    scores: NDArray[np.float64],
    defect: NDArray[np.bool_],
    cuts: tuple[float, float] | None,
    confidence: float = 0.95,
) -> Figures:
    """Figures of these parts. The bands of both curves hold together with `confidence`."""
    good, bad = scores[~defect], scores[defect]
    alpha = (1 - confidence) / 2
    return Figures(
        histogram(scores, defect),
        auroc(good, bad, confidence),
        accept_curve(good, bad, alpha),
        reject_curve(good, bad, alpha),
        None if cuts is None else confusion(scores, defect, *cuts),
    )
