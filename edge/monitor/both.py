"""The instruments of two calibrations: the one in force, and the one beside it. Pure.

A canary decides by cuts of its own. Its parts say nothing about the cuts in force, and must not
make their instruments begin anew; they are watched beside them. Where the canary becomes active,
or goes back, the two change places, and nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.monitor.bounds import Bounds

CANARY = "canary"
"""An inspection with this tag was decided by a candidate; the value is the share of parts, as the
probability with which it was drawn."""
Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Watched:
    """The instruments of one calibration, and since when (wall time) they watch it."""

    key: str
    began: float
    bounds: Bounds

    def as_json(self) -> dict[str, object]:
        """To be kept over a restart."""
        return {"key": self.key, "began": self.began, "bounds": self.bounds.as_json()}


class Both:
    """Give it every record in order. `make` gives new instruments for a calibration."""

    def __init__(self, make: Callable[[str], Bounds]) -> None:
        self.now: Watched | None = None
        self.beside: Watched | None = None
        self._make = make

    @property
    def each(self) -> tuple[Bounds, ...]:
        """All instruments, those in force first."""
        return tuple(one.bounds for one in (self.now, self.beside) if one is not None)

    @property
    def open_checks(self) -> list[str]:
        """Sure answers that a person is asked about."""
        return [name for bounds in self.each for name in bounds.open_checks]

    def of(self, calibration: str) -> Bounds | None:
        """The instruments of this calibration."""
        known = (one for one in (self.now, self.beside) if one is not None)
        return next((one.bounds for one in known if one.key == calibration), None)

    def inspection(self, record: Record, wall: float) -> bool:
        """One part; whether it is watched. One that nobody's cuts decided is not."""
        key = key_of(record)
        if key is None:
            return False
        if CANARY in record["tags"]:
            if self.beside is None or self.beside.key != key:
                self.beside = Watched(key, wall, self._make(key))
            self.beside.bounds.inspection(record)
            return True
        if self.now is None or self.now.key != key:
            known = self.beside if self.beside is not None and self.beside.key == key else None
            self.beside = self.now
            self.now = known or Watched(key, wall, self._make(key))
        self.now.bounds.inspection(record)
        return True

    def waits_for(self, inspection: str) -> bool:
        """Whether an answer about this part would count."""
        return any(bounds.waits_for(inspection) for bounds in self.each)

    def verdict(self, record: Record) -> None:
        """A person's answer."""
        for bounds in self.each:
            bounds.verdict(record)

    def as_json(self) -> dict[str, object]:
        """To be kept over a restart; `restore` takes it up."""
        beside = None if self.beside is None else self.beside.as_json()
        empty = {"key": None, "began": 0.0, "bounds": None}
        return {**(empty if self.now is None else self.now.as_json()), "beside": beside}

    def restore(self, content: Mapping[str, Any]) -> None:
        """Raises ValueError, KeyError or TypeError for what it cannot take up; then nothing is
        known."""
        now, beside = self._restored(content), self._restored(content.get("beside"))
        self.now, self.beside = now, beside

    def _restored(self, kept: Mapping[str, Any] | None) -> Watched | None:
        if kept is None or kept["key"] is None:
            return None
        found = Watched(str(kept["key"]), float(kept["began"]), self._make(str(kept["key"])))
        found.bounds.restore(kept["bounds"])
        return found


def key_of(record: Record) -> str | None:
    """The calibration that decided this part, or its cuts typed by hand; None without cuts."""
    if record["calibration"] is not None:
        return str(record["calibration"])
    cuts = record["cuts"]
    return None if cuts is None else f"{cuts['accept_below']}/{cuts['reject_above']}"
