"""How many bytes may still go out on this day. Pure."""

from __future__ import annotations

import re

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Allowance:
    """At most `cap` bytes on each day; `day` and `spent` are what was used when it was saved.

    A day is whatever the caller's calendar says: where it changes, in either direction, a new
    count begins, so that a clock that was wrong holds nothing up after it is set.
    """

    def __init__(self, cap: int, day: object = None, spent: object = None) -> None:
        self.cap = cap
        known = isinstance(day, str) and _DAY.fullmatch(day)
        whole = isinstance(spent, int) and not isinstance(spent, bool) and spent >= 0
        self._day = str(day) if known and whole else ""
        self._spent = spent if known and isinstance(spent, int) and whole else 0

    def spent(self, today: str) -> int:
        """Bytes that went out today."""
        return self._spent if today == self._day else 0

    def fits(self, today: str, size: int) -> bool:
        """Whether `size` more bytes may go out today."""
        return self.spent(today) + size <= self.cap

    def spend(self, today: str, size: int) -> None:
        """`size` bytes go out now."""
        self._spent = self.spent(today) + size
        self._day = today

    def as_json(self) -> dict[str, object]:
        """What to keep over a restart."""
        return {"day": self._day, "bytes": self._spent}
