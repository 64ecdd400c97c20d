"""What the simulated line really made of its parts: only a simulation knows the truth."""

from __future__ import annotations

import json
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from edge.store.archive import Archive

ROWS = 2000
LAST = 8


@dataclass(slots=True)
class Tally:
    """Counts over every inspection read so far, and the last few of them."""

    decisions: Counter[str] = field(default_factory=Counter)
    dispositions: Counter[str] = field(default_factory=Counter)
    of_defects: Counter[str] = field(default_factory=Counter)
    of_good: Counter[str] = field(default_factory=Counter)
    last: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LAST))
    seq: int = 0

    def read(self, archive: Archive) -> None:
        """Take in what was recorded since the last call."""
        while rows := archive.rows(self.seq, ROWS, 1 << 24):
            for row in rows:
                self._count(json.loads(row.body))
            self.seq = rows[-1].seq

    @property
    def inspections(self) -> int:
        """How many parts were recorded."""
        return sum(self.decisions.values())

    @property
    def escapes(self) -> tuple[int, int]:
        """Defects that were accepted, of all defects."""
        return self.of_defects["accept"], sum(self.of_defects.values())

    @property
    def overkill(self) -> tuple[int, int]:
        """Good parts that were rejected, of all good parts."""
        return self.of_good["reject"], sum(self.of_good.values())

    def _count(self, record: dict[str, Any]) -> None:
        if record["schema"] == "disposition/1":
            self.dispositions[f"{record['disposition']} by {record['by']}"] += 1
        if record["schema"] != "inspection/1":
            return
        self.decisions[record["decision"]] += 1
        self.last.append(record)
        truth = record["truth"] or ""
        if truth.startswith("defect"):
            self.of_defects[record["decision"]] += 1
        elif truth == "good":
            self.of_good[record["decision"]] += 1
