"""A bundle of this station, and everything that its answers are judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edge.decision.facts import Facts
from edge.inspection import Setup
from edge.workers.applying import Applicable
from edge.workers.ruler import Basis
from inference.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Fitted:
    """Made by `edge.seating.Seating.fit`. They belong together and are replaced together.

    `slot` is `a`, `b` or `factory`. `basis` is what its degree is worked out from: its own cuts, or
    none. `facts` is what is so about the bundle itself. `find` gives a calibration by its id, for
    this very bundle, and raises Refused. Without `bundle` there is no model: the parts go to
    persons.
    """

    slot: str
    bundle: Bundle | None
    setup: Setup
    basis: Basis
    facts: Facts
    find: Callable[[str], Applicable]

    @property
    def digest(self) -> str:
        """That of the bundle; empty without."""
        return "" if self.bundle is None else self.bundle.digest

    @property
    def name(self) -> str:
        """`name version` of the bundle, for people."""
        return "no model" if self.bundle is None else f"{self.bundle.name} {self.bundle.version}"

    def judged_by(self, basis: Basis, facts: Facts | None = None) -> Fitted:
        """The same bundle by other cuts, and what is so about it by now, where that is given."""
        return replace(self, basis=basis, facts=facts or self.facts)
