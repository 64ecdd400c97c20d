"""Which pieces to ask for, and when: a window, a rate, and patience. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sync.assignment import BundleFile
from sync.backoff import Backoff

WINDOW_BYTES = 256 * 1024
"""Under way at most: on a slow link a collector's word waits behind it."""
WINDOW_SHARE = 0.01
"""Of the file: what is under way when the connection breaks comes twice."""
SLOWER = 4.0
"""A piece may take so many times as long as the last one did."""
SILENT_AFTER = 3


class Asking:
    """Asks for a few pieces at a time, for more as they come, and for the same again, later and
    later, when nothing comes. `per_s` is the most bytes a second to ask for, on average."""

    def __init__(self, bundle: BundleFile, per_s: int | None, backoff: Backoff) -> None:
        most = min(WINDOW_BYTES, int(bundle.size * WINDOW_SHARE))
        self.window = max(1, most // bundle.piece)
        self._bundle = bundle
        self._per_s = per_s
        self._depth = float(max(per_s or 0, bundle.piece))
        self._budget, self._filled_at = self._depth, 0.0
        self._backoff = backoff
        self._wait_s = 0.0
        self._under_way: set[int] = set()
        self._asked: set[int] = set()
        self._silences = 0
        self._moved_at = self._again_at = 0.0

    @property
    def under_way(self) -> int:
        """Pieces that were asked for and did not come yet."""
        return len(self._under_way)

    @property
    def silent(self) -> bool:
        """Whether several requests in a row were not answered."""
        return self._silences >= SILENT_AFTER

    def asked_for(self, number: int) -> bool:
        """Whether the piece was asked for since the connection began."""
        return number in self._asked

    def lost(self) -> None:
        """A new connection: nothing of what was asked for will come."""
        self._under_way.clear()
        self._asked.clear()
        self._backoff.reset()
        self._silences = 0

    def next(self, missing: Iterable[int], now: float) -> list[int]:
        """The pieces to ask for now, in order; none when it is not time. They count as asked."""
        self._fill(now)
        if self._under_way and now >= self._again_at:
            self._silences += 1
            self._under_way.clear()
            self._wait_s = self._backoff.next_s()
        if len(self._under_way) > self.window // 2:
            return []
        found: list[int] = []
        for number in missing:
            if len(self._under_way) + len(found) >= self.window or not self._afford(number):
                break
            if number not in self._under_way:
                found.append(number)
                self._budget -= self._bundle.length(number)
        if found:
            self._went_out(found, now)
        return found

    def came(self, number: int, now: float) -> None:
        """A piece has come, and is right."""
        self._under_way.discard(number)
        self._backoff.reset()
        self._silences = 0
        self._wait_s = max(self._backoff.next_s(), SLOWER * (now - self._moved_at))
        self._moved_at = now
        self._again_at = now + self._wait_s

    def _went_out(self, numbers: list[int], now: float) -> None:
        if not self._wait_s:
            self._wait_s = self._backoff.next_s()
        if not self._under_way:
            self._moved_at = now
        self._under_way.update(numbers)
        self._asked.update(numbers)
        self._again_at = now + self._wait_s

    def _fill(self, now: float) -> None:
        if self._per_s is not None:
            grown = self._budget + self._per_s * max(0.0, now - self._filled_at)
            self._budget = min(self._depth, grown)
            self._filled_at = now

    def _afford(self, number: int) -> bool:
        return self._per_s is None or self._budget >= self._bundle.length(number)
