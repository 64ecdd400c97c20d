"""The station's own clock of running time, and the marks by which the age of a record is known.

The clock counts seconds while the line runs, from the monotonic clock, and goes on where it was at
the last start. It is kept in the database about once a minute.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.retention.forecast import DAY_S, age_s, through
from edge.store.tidying import Mark

STATE = "storage.odometer"
SAVE_S = 60.0
MARK_S = 3600.0
MARKS_A_TERM = 24
"""Where pictures or records are kept for less than a day, marks are this many to the term."""


class Odometer:
    """Seconds of running. `kept` is what the last run has left under STATE."""

    def __init__(self, kept: str | None, now_ns: int) -> None:
        self.seconds = _seconds(kept)
        self._saved = self.seconds
        self._at_ns = now_ns

    def advance(self, now_ns: int) -> None:
        """Time has passed."""
        self.seconds += max(now_ns - self._at_ns, 0) / 1e9
        self._at_ns = now_ns

    def to_save(self) -> dict[str, str]:
        """What to keep, about once a minute; empty in between."""
        if self.seconds - self._saved < SAVE_S:
            return {}
        return self.state()

    def state(self) -> dict[str, str]:
        """What to keep."""
        self._saved = self.seconds
        return {STATE: f"{self.seconds:.1f}"}


class Ages:
    """The marks, oldest first, and which may be forgotten. Terms are in seconds of running."""

    def __init__(self, known: Sequence[Mark], pictures_s: float, records_s: float) -> None:
        self.marks = list(known)
        self._terms = pictures_s, records_s
        self._every_s = min(MARK_S, min(self._terms) / MARKS_A_TERM)

    def due(self, odometer_s: float) -> bool:
        """Whether it is time for another mark."""
        return not self.marks or odometer_s - self.marks[-1].odometer_s >= self._every_s

    def add(self, mark: Mark) -> None:
        """A mark that is about to be written."""
        self.marks.append(mark)

    def forget(self, odometer_s: float) -> float | None:
        """Up to where on the odometer marks are of no use any more, and forget them; or None.

        The newest one beyond the longest term stays: it is the one that says what is over.
        """
        horizon = odometer_s - max(*self._terms, 2 * DAY_S)
        useless = sum(mark.odometer_s <= horizon for mark in self.marks) - 1
        if useless < 1:
            return None
        last = self.marks[useless - 1].odometer_s
        del self.marks[:useless]
        return last

    def pictures_through(self, odometer_s: float) -> int | None:
        """The newest record whose picture has been kept long enough."""
        return through(self.marks, odometer_s, self._terms[0])

    def records_through(self, odometer_s: float) -> int | None:
        """The newest record that has been kept long enough."""
        return through(self.marks, odometer_s, self._terms[1])

    def days(self, odometer_s: float, seq: int | None) -> float | None:
        """How old a record is, in days; None where no mark says so."""
        age = None if seq is None else age_s(self.marks, odometer_s, seq)
        return None if age is None else age / DAY_S


def _seconds(kept: str | None) -> float:
    try:
        seconds = float(kept or 0)
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < 1e12 else 0.0
