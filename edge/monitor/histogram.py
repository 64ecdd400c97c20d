"""How the scores of good and defective parts lie. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 50


@dataclass(frozen=True, slots=True)
class Histogram:
    """Parts by score in equal steps from 0 to 1; a score of 1 lies in the last one."""

    edges: tuple[float, ...]
    good: tuple[int, ...]
    defect: tuple[int, ...]


def histogram(
    scores: NDArray[np.float64], defect: NDArray[np.bool_], bins: int = BINS
) -> Histogram:
    """Counts of both kinds on the same steps."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    good_counts, _ = np.histogram(scores[~defect], edges)
    defect_counts, _ = np.histogram(scores[defect], edges)
    return Histogram(
        tuple(edges.tolist()), tuple(good_counts.tolist()), tuple(defect_counts.tolist())
    )
