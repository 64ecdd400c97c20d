"""How many pictures look almost like another one. Pure; said to people, never acted upon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIKE = 1.0
"""Root mean square difference of two 32 × 32 thumbnails, in grey levels."""
MOST = 10_000
BLOCK = 500


def resembling(thumbnails: Sequence[NDArray[Any]]) -> int:
    """How many of them are within ALIKE of another one. Of the first 10,000 only: it is a hint.

    A fixed fixture makes many different parts look alike; only content, ids and time say that two
    pictures show one part.
    """
    if not thumbnails:
        return 0
    flat = np.stack(thumbnails[:MOST]).reshape(min(len(thumbnails), MOST), -1).astype(np.float32)
    flat -= flat.mean(axis=0)
    squares = np.square(flat).sum(axis=1)
    limit = ALIKE**2 * flat.shape[1]
    count = 0
    for start in range(0, len(flat), BLOCK):
        block = flat[start : start + BLOCK]
        distances = squares[start : start + BLOCK, None] + squares - 2 * block @ flat.T
        distances[np.arange(len(block)), np.arange(start, start + len(block))] = np.inf
        count += int(np.count_nonzero(distances.min(axis=1) <= limit)) if len(flat) > 1 else 0
    return count
