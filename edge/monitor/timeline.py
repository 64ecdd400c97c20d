"""A change detector whose looks are answered late, out of order, or never. Pure.

Looks stay in the order in which their parts came. Until a look is answered it counts in the way
that helps an alarm least, so that what people answer first cannot raise a false one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from edge.monitor.change import charged, evidence, fresh, stepped

Outcome = Literal["error", "miss", "charge", "skip"]
"""`charge`: not answered, and no error or no look at all; `skip`: it was no look at all."""
LONGEST = 500
"""Looks behind an unanswered one that are kept; beyond it the oldest stays as it is for good."""


@dataclass(slots=True)
class _Look:
    name: str
    outcome: Outcome
    open: bool


class Timeline:
    """Watches one limit; alarms when the evidence reaches `between` (edge/monitor/change.py)."""

    def __init__(self, limit: float, between: float) -> None:
        self.limit = limit
        self.between = between
        self.raised = False
        self._sums = self._now = fresh()
        self._late: list[_Look] = []

    def add(self, name: str, outcome: Outcome, *, open: bool = False) -> None:
        """One more look; while it is `open`, `settle` may still change its outcome."""
        self._late.append(_Look(name, outcome, open))
        self._now = self._after(self._now, outcome)
        self._close()

    def settle(self, name: str, outcome: Outcome) -> None:
        """An open look was answered. One that is not known, or no longer open, changes nothing."""
        for look in self._late:
            if look.name == name and look.open:
                look.outcome, look.open = outcome, False
                self._work_out()

    def give_up(self, name: str) -> None:
        """An open look will not be answered any more: it stays as it is."""
        for look in self._late:
            if look.name == name:
                look.open = False
        self._close()

    def reset(self) -> None:
        """Begin anew: a person has looked into the alarm. Open looks count for nothing."""
        self.raised = False
        self._sums = self._now = fresh()
        self._late.clear()

    def _work_out(self) -> None:
        self._close()
        self._now = self._sums
        for look in self._late:
            self._now = self._after(self._now, look.outcome)

    def _close(self) -> None:
        while self._late and (not self._late[0].open or len(self._late) > LONGEST):
            self._sums = self._after(self._sums, self._late.pop(0).outcome)

    def _after(self, sums: Any, outcome: Outcome) -> Any:
        if outcome == "skip":
            return sums
        if outcome == "charge":
            return charged(sums, self.limit)
        after = stepped(sums, outcome == "error", self.limit)
        self.raised = self.raised or bool(evidence(after) >= self.between)
        return after

    def as_json(self) -> dict[str, object]:
        """To be kept over a restart."""
        late = [[look.name, look.outcome, look.open] for look in self._late]
        return {"sums": self._sums.tolist(), "late": late, "raised": self.raised}

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take up what `as_json` gave. Raises ValueError, KeyError, TypeError for anything else."""
        sums = np.array(content["sums"], np.float64)
        if sums.shape != self._sums.shape:
            raise ValueError("the sums of another version")
        self._late = [_Look(name, outcome, open) for name, outcome, open in content["late"]]
        self._sums, self.raised = sums, bool(content["raised"])
        self._work_out()
