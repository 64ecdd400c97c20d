"""Numbers, shares and times as a person reads them: language, station's time zone. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, tzinfo

from edge.report import numbers

NONE = "–"
THIN = numbers.THIN


@dataclass(frozen=True, slots=True)
class Formats:
    """How one person reads. `language`: en or de."""

    language: str
    zone: tzinfo

    @property
    def german(self) -> bool:
        """Whether a comma divides, and days come first."""
        return self.language == "de"

    def count(self, value: float | None) -> str:
        """A number of things: thousands apart, decimals only where it is small."""
        return NONE if value is None else self._turned(numbers.count(value))

    def percent(self, share: float | None, digits: int = 3) -> str:
        """A share as per cent: `0.48 %`; only 0 and 1 are shown as 0 and 100."""
        return self._turned(numbers.percent(share, digits))

    def number(self, value: float | None, digits: int = 3) -> str:
        """A measured number with so many decimals."""
        return NONE if value is None else self._turned(f"{value:.{digits}f}")

    def bytes(self, size: float | None) -> str:
        """`9.1 GB`."""
        if size is None:
            return NONE
        unit = 0 if size < 1000 else min(4, int(math.log(size, 1000)))
        names = ("B", "kB", "MB", "GB", "TB")
        return self._turned(f"{size / 1000**unit:.{1 if unit else 0}f}") + f" {names[unit]}"

    def clock(self, at: str | float | None) -> str:
        """`14:02:31`."""
        moment = self._local(at)
        return NONE if moment is None else f"{moment:%H:%M:%S}"

    def minute(self, at: str | float | None) -> str:
        """`14:02`."""
        moment = self._local(at)
        return NONE if moment is None else f"{moment:%H:%M}"

    def day(self, at: str | float | None) -> str:
        """`2026-11-20`, `20.11.2026`."""
        moment = self._local(at)
        if moment is None:
            return NONE
        return f"{moment:%d.%m.%Y}" if self.german else f"{moment:%Y-%m-%d}"

    def moment(self, at: str | float | None) -> str:
        """Day and time."""
        return NONE if self._local(at) is None else f"{self.day(at)} {self.clock(at)}"

    def field(self, at: str | None) -> str:
        """As a field of a form for a local time holds it: `2026-11-20T14:02`."""
        moment = self._local(at)
        return "" if moment is None else f"{moment:%Y-%m-%dT%H:%M}"

    def _local(self, at: str | float | None) -> datetime | None:
        if at is None or at == "":
            return None
        try:
            if isinstance(at, str):
                return datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone(self.zone)
            return datetime.fromtimestamp(at, self.zone)
        except (ValueError, OverflowError, OSError):
            return None

    def _turned(self, text: str) -> str:
        return text.translate(str.maketrans(",.", ".,")) if self.german else text
