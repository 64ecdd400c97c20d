"""The pace of the paced runs, and the figures of what was timed."""

from __future__ import annotations

import statistics

PACE = 20.0
"""Parts per second of the paced runs."""


def percentiles(taken: list[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    ordered = sorted(taken)
    return {"p50": statistics.median(ordered), "p99": ordered[int(0.99 * (len(ordered) - 1))]}
