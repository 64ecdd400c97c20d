"""When a model's children died, and how long to wait before the next one is started. Pure."""

from __future__ import annotations

from collections import deque

BACK_OFF_S = (1.0, 2.0, 5.0)
CALM_DEATHS = 3
"""A child is started again at once; from this many deaths within a minute on, after a pause."""
_MINUTE_NS = 60 * 10**9


class Deaths:
    """The last hundred deaths, on the monotonic clock, oldest first."""

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=100)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def times(self) -> tuple[int, ...]:
        """Nanoseconds."""
        return tuple(self._times)

    def count(self, now_ns: int) -> int:
        """One more; when the next child may be started."""
        self._times.append(now_ns)
        recent = sum(1 for death in self._times if now_ns - death < _MINUTE_NS)
        if recent < CALM_DEATHS:
            return now_ns
        pause = BACK_OFF_S[min(recent - CALM_DEATHS, len(BACK_OFF_S) - 1)]
        return now_ns + int(pause * 1e9)
