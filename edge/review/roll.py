"""All cases, and what follows from one of them beginning or ceasing to wait. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from edge.records import utc
from edge.review.case import Case
from edge.review.claims import Claims
from edge.review.group import Causes, Group
from edge.review.least import Least
from edge.review.lineup import Lineup
from edge.review.refusal import Refused
from edge.review.standing import Standing, Standings

MOST_IN_A_GROUP = 60


class Roll:
    """The cases of a board. Used from one thread at a time."""

    def __init__(self) -> None:
        self._lineup = Lineup()
        self._claims = Claims()
        self._causes = Causes()
        self._all = Standings()
        self._since: Least[float] = Least()
        self._deadlines: Least[int] = Least()
        self._numbers = 0
        self._alone = 0

    def __len__(self) -> int:
        return len(self._lineup)

    def __contains__(self, inspection: str) -> bool:
        return inspection in self._lineup

    def fill(self, cases: Iterable[tuple[Case, float]]) -> None:
        """Many new cases with the wall time since when each waits, the oldest first. One that comes
        twice is one."""
        each = {case.inspection: (case, since_s) for case, since_s in cases}
        new = [
            self._new(case, since_s)
            for case, since_s in each.values()
            if self.find(case.inspection) is None
        ]
        self._lineup.fill((one.case, one.number) for one in new)
        for one in new:
            self._wait(one)

    def add(self, case: Case, since_s: float) -> None:
        """A case that waits since then (wall clock). One that is known gets its new deadline."""
        known = self._all.find(case.inspection)
        if known is None:
            self.fill([(case, since_s)])
        elif not known.over and known.case.deadline_ns != case.deadline_ns:
            self._leave(known)
            known.case = case
            self._enter(known)

    def find(self, inspection: str) -> Standing | None:
        """Where a case stands; None where it is not known, or has been over for long."""
        return self._all.find(inspection)

    def by_verdict(self, verdict: str) -> Standing | None:
        """The case that this answer is about."""
        return self._all.by_verdict(verdict)

    def groups(self, most: int = MOST_IN_A_GROUP) -> list[Group]:
        """Open escalations of one cause, where there are many."""
        return self._causes.groups(most)

    def _new(self, case: Case, since_s: float) -> Standing:
        self._numbers += 1
        return Standing(case, utc(since_s), since_s, self._numbers)

    def _enter(self, standing: Standing) -> None:
        self._lineup.add(standing.case, standing.number)
        self._wait(standing)

    def _wait(self, standing: Standing) -> None:
        """What follows from its being in the line-up."""
        case = standing.case
        self._all.put(standing)
        self._causes.add(case)
        self._alone += case.alone
        self._since.add(standing.since_s, case.inspection)
        if case.deadline_ns is not None:
            self._deadlines.add(case.deadline_ns, case.inspection)

    def _leave(self, standing: Standing, keep_claim: bool = False) -> None:
        case = standing.case
        if case.inspection in self._lineup:
            self._lineup.remove(case.inspection)
            self._causes.remove(case)
            self._alone -= case.alone
        if not keep_claim:
            self._claims.drop(self._claims.on(case.inspection))

    def _since_of(self, inspection: str) -> float | None:
        return self._known(inspection).since_s if inspection in self._lineup else None

    def _due_of(self, inspection: str) -> int | None:
        return self._known(inspection).case.deadline_ns if inspection in self._lineup else None

    def _known(self, inspection: str) -> Standing:
        standing = self._all.find(inspection)
        if standing is None:
            raise Refused("unknown", f"{inspection} does not wait for anybody")
        return standing
