"""Several pictures of one part count once. Pure; design section 6.

Different parts that look alike are different samples: nothing here looks at pixels.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Shot:
    """What is known about one picture besides its pixels.

    `taken` is when, in seconds since 1970, where the camera's own note says so; never a file's
    time. `label` is good or defect: pictures of different truth are different parts.
    """

    sha256: str
    label: str
    part: str | None = None
    taken: float | None = None


def once(shots: Sequence[Shot]) -> list[int]:
    """For each picture the index of the one that counts for its part: the lowest sha256.

    One part are pictures of equal content, with the same part id, or taken within 2 s of each
    other, also over several steps. Time joins only pictures without a part id: two ids are two
    parts, however quick the line.
    """
    groups = _Groups(len(shots))
    seen: dict[Hashable, int] = {}
    for index, shot in enumerate(shots):
        groups.join(index, seen.setdefault(("content", shot.label, shot.sha256), index))
        if shot.part is not None:
            groups.join(index, seen.setdefault(("part", shot.label, shot.part), index))
    timed = [i for i, shot in enumerate(shots) if shot.taken is not None and shot.part is None]
    timed.sort(key=lambda i: (shots[i].label, shots[i].taken))
    for earlier, later in pairwise(timed):
        before, after = shots[earlier], shots[later]
        assert before.taken is not None
        assert after.taken is not None
        if before.label == after.label and after.taken - before.taken <= WITHIN_S:
            groups.join(earlier, later)
    chosen: dict[int, int] = {}
    for index in sorted(range(len(shots)), key=lambda i: (shots[i].sha256, i)):
        chosen.setdefault(groups.of(index), index)
    return [chosen[groups.of(index)] for index in range(len(shots))]


class _Groups:
    """Disjoint sets (Tarjan, 1975)."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def of(self, index: int) -> int:
        """The same number for all of one set."""
        while (parent := self._parents[index]) != index:
            self._parents[index] = index = self._parents[parent]
        return index

    def join(self, one: int, other: int) -> None:
        """Make one set of the sets of both."""
        self._parents[self.of(one)] = self.of(other)
