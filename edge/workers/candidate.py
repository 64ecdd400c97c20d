"""A model on probation, as the line has loaded it: one child to compare, one to decide."""

from __future__ import annotations

from collections.abc import Iterator

from edge.workers.fitted import Fitted
from edge.workers.ruler import Ruler
from edge.workers.runner import Runner
from edge.workers.seats import Seat
from edge.workers.shadow import Other


class Candidate:
    """Its `twin` has the lowest priority and answers for comparison only; `main`, once it is
    there, may decide parts."""

    def __init__(self, twin: Runner) -> None:
        self.twin = twin
        self.main: Runner | None = None

    @property
    def fitted(self) -> Fitted:
        """The bundle, and what its answers are judged by."""
        return self.twin.fitted

    @property
    def runners(self) -> Iterator[Runner]:
        """Every child of it."""
        yield self.twin
        if self.main is not None:
            yield self.main

    @property
    def prepared(self) -> bool:
        """Whether it has a warm child that may decide parts."""
        return self.main is not None and self.main.up

    @property
    def deaths(self) -> tuple[int, ...]:
        """When its children died since it was loaded, on the monotonic clock in ns, oldest first.
        A hang is a death."""
        return tuple(sorted(at for one in self.runners for at in one.process.deaths))

    @property
    def fault(self) -> tuple[str, str] | None:
        """Code and words of what went wrong with its children last."""
        deciding = None if self.main is None else self.main.fault
        return deciding or self.twin.fault

    @property
    def hopeless(self) -> bool:
        """Whether a child of it lives, and even so has never answered."""
        return any(one.hopeless for one in self.runners)

    def seat(self, ruler: Ruler) -> Seat | None:
        """What decides its share of the parts; None before it is warm."""
        if self.main is None or not self.main.warm:
            return None
        fitted = self.fitted
        ruling = ruler.ruling_for(fitted.basis, fitted.facts)
        return Seat(fitted.setup, ruling, self.main.process, fitted.digest)

    def judged_by(self, fitted: Fitted) -> None:
        """The same bundle by other cuts."""
        for runner in self.runners:
            runner.fitted = fitted


def others(active: str, candidate: Candidate | None, mirror: Runner | None) -> dict[str, Other]:
    """Who answers afterwards, by the digest of the bundle that decided; `active` is that of the
    active one. `mirror` is the copy of the model that the candidate is compared with."""
    if candidate is None:
        return {} if mirror is None else {active: Other(mirror, "candidate")}
    found = {active: Other(candidate.twin, "active")}
    if mirror is not None:
        found[candidate.fitted.digest] = Other(mirror, "candidate")
    return found
