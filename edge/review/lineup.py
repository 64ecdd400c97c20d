"""The order in which cases are asked about. Pure.

Escalations by their deadline, then the others, oldest first. A case that was skipped goes behind
all others of its kind; an escalation comes back to its place for the last third of its time.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

from edge.review.case import Case

Key = tuple[int, int, str]
ESCALATION, SKIPPED, OTHER, OTHER_SKIPPED = range(4)
LAST = 3
"""The last of so many equal shares of its time brings a skipped escalation back."""
SHORT_NS = 5_000_000_000
"""Less time than this, or than the last share if that is less, is too short to look and answer."""


class Lineup:
    """Cases in order. Adding, removing and skipping cost a search, not a walk."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._order: list[Key] = []
        self._returning: list[tuple[int, str]] = []
        self._cases: dict[str, Case] = {}
        self._skips = 0

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, inspection: str) -> bool:
        return inspection in self._keys

    def __iter__(self) -> Iterator[str]:
        """All cases, the next one first."""
        return (name for _, _, name in self._order)

    def add(self, case: Case, number: int) -> None:
        """Put it in its place; `number` orders those without a deadline. Moves one that is here."""
        self.remove(case.inspection)
        self._insert(case, _key(case, number))

    def fill(self, cases: Iterable[tuple[Case, int]]) -> None:
        """Add many at once, none of which is here."""
        for case, number in cases:
            key = _key(case, number)
            self._cases[case.inspection], self._keys[case.inspection] = case, key
            self._order.append(key)
        self._order.sort()

    def remove(self, inspection: str) -> None:
        """Take it out, if it is here."""
        key = self._keys.pop(inspection, None)
        if key is not None:
            del self._order[bisect_left(self._order, key)]
            del self._cases[inspection]

    def skip(self, inspection: str, now_ns: int) -> None:
        """Put it behind all others of its kind; not an escalation in the last third."""
        case, (rank, _, _) = self._cases[inspection], self._keys[inspection]
        back_ns = _back_ns(case)
        if back_ns is not None and now_ns >= back_ns:
            return
        self._skips += 1
        self.remove(inspection)
        last = SKIPPED if rank in (ESCALATION, SKIPPED) else OTHER_SKIPPED
        self._insert(case, (last, self._skips, inspection))
        if back_ns is not None:
            heapq.heappush(self._returning, (back_ns, inspection))

    def settle(self, now_ns: int) -> None:
        """Bring back the skipped escalations whose last third has begun."""
        while self._returning and self._returning[0][0] <= now_ns:
            _, inspection = heapq.heappop(self._returning)
            case = self._cases.get(inspection)
            back_ns = None if case is None else _back_ns(case)
            if case is None or self._keys[inspection][0] != SKIPPED or back_ns is None:
                continue
            if back_ns > now_ns:  # it has been given more time meanwhile
                heapq.heappush(self._returning, (back_ns, inspection))
                continue
            self.add(case, 0)

    def pressing(self, inspection: str, now_ns: int) -> bool:
        """Whether the last third of its time has begun."""
        back_ns = _back_ns(self._cases[inspection])
        return back_ns is not None and now_ns >= back_ns

    def short(self, inspection: str, now_ns: int) -> bool:
        """Whether too little of its time is left for a person who has yet to see it."""
        case = self._cases[inspection]
        if case.deadline_ns is None:
            return False
        share_ns = int((case.allowed_s or 0.0) * 1e9) // LAST
        return case.deadline_ns - now_ns < min(SHORT_NS, share_ns)

    def _insert(self, case: Case, key: Key) -> None:
        self._cases[case.inspection], self._keys[case.inspection] = case, key
        insort(self._order, key)


def _key(case: Case, number: int) -> Key:
    if case.deadline_ns is not None:
        return ESCALATION, case.deadline_ns, case.inspection
    return (ESCALATION if case.kind == "escalation" else OTHER), number, case.inspection


def _back_ns(case: Case) -> int | None:
    """When the last third of its time begins; None where it has no end."""
    if case.deadline_ns is None:
        return None
    return case.deadline_ns - int((case.allowed_s or 0.0) * 1e9) // LAST
