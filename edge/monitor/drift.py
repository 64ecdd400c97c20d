"""Whether the pictures, and what the model makes of them, are still those of the calibration. Pure.

Two shares of all production parts are watched against a limit: pictures outside the familiar range
of the calibration, and scores that fall between the cuts. The familiar range doubts about 0.1 % of
ordinary pictures (camera/familiar.py); the limits are far above, since with thousands of parts a
day a change that harms nobody would be noticed too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.monitor.change import LARGEST, e_values, fresh

UNFAMILIAR_LIMIT = 0.05
UNSURE_LIMIT = 0.5
"""Where the calibration does not say how many parts fall between its cuts."""
UNSURE_TIMES = 2.0
UNSURE_MORE = 0.05
BETWEEN = 1e9
"""Parts between two false alarms, were a share exactly at its limit: 30 years at one a second."""


class Drift:
    """Watches both shares, part by part."""

    def __init__(self, unsure: float | None = None) -> None:
        self.limits = {"unfamiliar": UNFAMILIAR_LIMIT, "unsure": unsure_limit(unsure)}
        self.raised: set[str] = set()
        self.parts = dict.fromkeys(self.limits, 0)
        self.counted = dict.fromkeys(self.limits, 0)
        self._sums = self._fresh()
        # lists and floats: this runs for every part, and is ten times as quick as small arrays
        self._factors = {
            name: (miss.tolist(), hit.tolist())
            for name, limit in self.limits.items()
            for hit, miss in [e_values(limit)]
        }

    def see(self, unfamiliar: bool, unsure: bool | None) -> None:
        """One part; `unsure` is None where there was no score or no cut."""
        for name, error in (("unfamiliar", unfamiliar), ("unsure", unsure)):
            if error is not None:
                self.parts[name] += 1
                self.counted[name] += error
                self._step(name, error)

    def _step(self, name: str, error: bool) -> None:
        factors = self._factors[name][error]
        sums = [
            min((one + 1.0) * factor, LARGEST)
            for one, factor in zip(self._sums[name], factors, strict=True)
        ]
        self._sums[name] = sums
        if sum(sums) >= BETWEEN * len(sums):
            self.raised.add(name)

    def _fresh(self) -> dict[str, list[float]]:
        return {name: [0.0] * fresh().size for name in self.limits}

    @property
    def reason(self) -> str | None:
        """What has drifted, in words; None while nothing has."""
        words = {
            "unfamiliar": "pictures outside the familiar range of the calibration",
            "unsure": "scores between the cuts",
        }
        told = [
            f"more than {self.limits[name]:.0%} of the parts have {words[name]}"
            for name in sorted(self.raised)
        ]
        return "; ".join(told) or None

    def reset(self) -> None:
        """Begin anew: a person has looked into it."""
        self.raised.clear()
        self._sums = self._fresh()

    def figures(self) -> dict[str, object]:
        """Both shares with their limits, as the status file carries them."""
        return {
            name: {
                "parts": self.parts[name],
                "share": round(self.counted[name] / self.parts[name], 6)
                if self.parts[name]
                else None,
                "limit": limit,
            }
            for name, limit in self.limits.items()
        }

    def as_json(self) -> dict[str, object]:
        """To be kept over a restart."""
        return {
            "parts": self.parts,
            "counted": self.counted,
            "raised": sorted(self.raised),
            "sums": self._sums,
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take up what `as_json` gave. Raises ValueError, KeyError, TypeError for anything else."""
        sums = {name: [float(one) for one in content["sums"][name]] for name in self.limits}
        if any(len(kept) != fresh().size for kept in sums.values()):
            raise ValueError("the sums of another version")
        self.parts = {name: int(content["parts"][name]) for name in self.limits}
        self.counted = {name: int(content["counted"][name]) for name in self.limits}
        self.raised = {name for name in content["raised"] if name in self.limits}
        self._sums = sums


def unsure_limit(expected: float | None) -> float:
    """Twice the share that the calibration leads one to expect and 5 % more, at most 90 %."""
    if expected is None:
        return UNSURE_LIMIT
    return min(0.9, UNSURE_TIMES * expected + UNSURE_MORE)
