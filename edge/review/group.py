"""Many escalations of one cause: one thing to mend, not many to look at. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.review.case import Case

FEWEST = 5
MENDABLE = ("fault", "late", "overrun")
"""Reasons that are one cause for many parts. `uncertain` and `automation` are about each part."""


@dataclass(frozen=True, slots=True)
class Group:
    """Open escalations with the same cause, oldest first. `since` is when the first was taken."""

    cause: str
    count: int
    since: str
    inspections: tuple[str, ...]


def cause(case: Case) -> str | None:
    """The first doubt, else the reason where it is a fault of the line; None where every part
    stands for itself, or where the part is shown alone: a group would tell what it is."""
    if case.kind != "escalation" or case.alone:
        return None
    if case.doubts:
        return case.doubts[0]
    return case.reason if case.reason in MENDABLE else None


class Causes:
    """Which waiting cases share a cause."""

    def __init__(self) -> None:
        self._cases: dict[str, dict[str, str]] = {}

    def add(self, case: Case) -> None:
        """The case waits."""
        if (named := cause(case)) is not None:
            self._cases.setdefault(named, {})[case.inspection] = case.captured_at

    def remove(self, case: Case) -> None:
        """It does not any more."""
        named = cause(case)
        if named is None or named not in self._cases:
            return
        self._cases[named].pop(case.inspection, None)
        if not self._cases[named]:
            del self._cases[named]

    def groups(self, most: int) -> list[Group]:
        """The largest first, each with up to `most` of its inspections."""
        found = [
            Group(named, len(cases), min(cases.values()), tuple(cases)[:most])
            for named, cases in self._cases.items()
            if len(cases) >= FEWEST
        ]
        return sorted(found, key=lambda group: (-group.count, group.cause))
