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
        self._times: deque[tuple[int, bool]] = deque(maxlen=100)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def times(self) -> tuple[int, ...]:
        """Nanoseconds."""
        return tuple(at for at, _ in self._times)

    @property
    def killed(self) -> tuple[int, ...]:
        """Those that were somebody else's doing."""
        return tuple(at for at, killed in self._times if killed)

    def count(self, now_ns: int, killed: bool = False) -> int:
        """One more; when the next child may be started. `killed` says that it was ended by
        somebody else: see `Child.killed_by_others`."""
        self._times.append((now_ns, killed))
        recent = sum(1 for death in self.times if now_ns - death < _MINUTE_NS)
        if recent < CALM_DEATHS:
            return now_ns
        pause = BACK_OFF_S[min(recent - CALM_DEATHS, len(BACK_OFF_S) - 1)]
        return now_ns + int(pause * 1e9)
