"""How much of a processor core something may use, and how much it did. Pure: time comes in."""

from __future__ import annotations

from collections import deque

BURST_S = 1.0
"""So much of the allowance can be saved up, in seconds of waiting."""
OVER_NS = 60 * 10**9
"""The measured share is that of the last minute."""


class Budget:
    """A bucket that fills with `share` ns of processor time each ns, and may run into debt once.

    Before a piece of work `may` says whether it may begin; afterwards `spend` says what it took.
    Over any stretch of time T the work takes at most share x (T + 1 s), and one piece of work more.
    """

    def __init__(self, share: float, now_ns: int) -> None:
        self.share = share
        self._most = share * BURST_S * 1e9
        self._left = self._most
        self._at_ns = self._since_ns = now_ns
        self._spent: deque[tuple[int, int]] = deque()
        self._sum = 0

    def may(self, now_ns: int) -> bool:
        """Whether there is anything left now."""
        self._fill(now_ns)
        return self._left > 0

    def wait_s(self, now_ns: int) -> float:
        """How long until there is; 0 where there is now."""
        self._fill(now_ns)
        return 0.0 if self._left > 0 else (1 - self._left) / self.share / 1e9

    def spend(self, ns: int, now_ns: int) -> None:
        """So much processor time was used until now."""
        self._fill(now_ns)
        if ns > 0:
            self._left -= ns
            self._spent.append((now_ns, ns))
            self._sum += ns

    def used(self, now_ns: int) -> float:
        """The share of one core that was used within the last minute, or since the beginning."""
        while self._spent and now_ns - self._spent[0][0] > OVER_NS:
            self._sum -= self._spent.popleft()[1]
        over_ns = min(OVER_NS, now_ns - self._since_ns)
        return self._sum / over_ns if over_ns > 0 else 0.0

    def _fill(self, now_ns: int) -> None:
        gone_ns = max(0, now_ns - self._at_ns)
        self._at_ns = max(now_ns, self._at_ns)
        self._left = min(self._most, self._left + gone_ns * self.share)
