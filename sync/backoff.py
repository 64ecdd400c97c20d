"""How long to wait before trying again. Pure."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Doubles from `first_s` to `most_s`; each wait is drawn from its upper half, so that a
    thousand stations do not come back in the same second.

    `chance` gives numbers from 0 to below 1.
    """

    def __init__(self, chance: Callable[[], float], first_s: float, most_s: float) -> None:
        self._chance = chance
        self._first_s = first_s
        self._most_s = most_s
        self._next_s = first_s

    def next_s(self) -> float:
        """Seconds to wait now; the following wait is longer."""
        wait, self._next_s = self._next_s, min(self._next_s * 2, self._most_s)
        return wait * (0.5 + self._chance() / 2)

    def reset(self) -> None:
        """It worked: start from the beginning next time."""
        self._next_s = self._first_s
