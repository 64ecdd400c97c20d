"""How long two models took, kept in bounded room. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

STEP = 1.05
"""Times in one bin differ by at most 5 %."""
LEAST_MS = 0.01


@dataclass(slots=True)
class Times:
    """Milliseconds, counted in bins."""

    bins: dict[int, int] = field(default_factory=dict)
    n: int = 0

    def add(self, ms: float) -> None:
        """Count one."""
        number = round(math.log(max(ms, LEAST_MS)) / math.log(STEP))
        self.bins[number] = self.bins.get(number, 0) + 1
        self.n += 1

    def quantile(self, share: float) -> float | None:
        """The time that this share of all stays at or below, to 2.5 %; None without any."""
        left = share * self.n
        for number in sorted(self.bins):
            left -= self.bins[number]
            if left <= 0:
                return float(f"{STEP**number:.3g}")
        return None

    def restore(self, bins: Iterable[tuple[int, int]]) -> None:
        """Take up the items of `bins`. Raises ValueError or TypeError for anything else."""
        self.bins = {int(number): int(count) for number, count in bins}
        self.n = sum(self.bins.values())
