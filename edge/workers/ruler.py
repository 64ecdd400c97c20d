"""What is in force for the next part: degree, cuts, familiar range; and the records of a change.

Owned by the tend thread. The inspect thread only reads the `Ruling` that is handed to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from camera.familiar import Familiar
from edge.decision.automation import Change, InForce, Limit, Limits, in_force
from edge.decision.facts import Facts, live_limits
from edge.decision.policy import DEGREES, rank
from edge.inspection import Ruling
from edge.records import Automation, Cuts, Degree, Moment, Origin, Record

STATE_DEGREE = "automation.degree"
STATE_LATCHED = "automation.latched"
UNKNOWN: Degree = "shadow"
"""What holds where the state of an earlier run cannot be understood."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What the degree is worked out from, besides the facts about the model.

    Replaced as a whole, by one assignment, when a calibration is applied. `no_cuts` says in words
    why there are none.
    """

    ceiling: Degree
    ask_all: bool
    cuts: Cuts | None
    familiar: Familiar | None
    no_cuts: str | None = None

    def among(self, facts: Facts) -> Facts:
        """The facts, with what is so about the cuts."""
        uncertified = self.cuts is not None and not self.cuts.certified
        return replace(
            facts,
            no_cuts=self.no_cuts or facts.no_cuts,
            uncertified=uncertified or facts.uncertified,
        )


class Ruler:
    """Keeps the limits, works out the degree, makes a record of each change."""

    def __init__(
        self,
        basis: Basis,
        origin: Origin,
        new_id: Callable[[], str],
        state: Callable[[str], str | None],
        facts: Facts | None = None,
    ) -> None:
        self.basis = basis
        self._facts = facts or Facts()
        self._origin = origin
        self._new_id = new_id
        self._limits = Limits(_latched(state(STATE_LATCHED)))
        self.chosen = _chosen(state(STATE_DEGREE))
        self.now = self._work_out()

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Every limit that holds now."""
        return self._limits.active

    @property
    def ruling(self) -> Ruling:
        """What the inspect thread works by."""
        return self.ruling_for(self.basis, self._facts)

    def ruling_for(self, basis: Basis, facts: Facts) -> Ruling:
        """What a model with this basis, of which these facts are so, may do.

        Never more than the active one: every limit holds for both. The degree is worked out for
        this very basis: before the first `look`, and just after a calibration was applied, live
        limits that have no record yet hold all the same.
        """
        held = in_force(self.now.degree, None, live_limits(basis.among(facts)))
        return Ruling(held.degree, basis.cuts, basis.familiar, basis.ask_all)

    def rebase(self, basis: Basis, facts: Facts) -> None:
        """Another model is active: its cuts, and what is so about it. What limits held for the one
        before it hold until the next `look`."""
        self.basis, self._facts = basis, facts

    def look(self, facts: Facts, moment: Moment) -> list[Record]:
        """Work out the degree anew; a record for each limit that came or went.

        A limit that allows what the ceiling allows holds nothing and is left out.
        """
        self._facts = facts
        ceiling = rank(self.basis.ceiling)
        found = live_limits(self.basis.among(facts))
        live = [limit for limit in found if rank(limit.degree) < ceiling]
        changes = self._limits.update(live, moment.monotonic_ns)
        self.now = self._work_out()
        return [self._limit_record(change, moment) for change in changes]

    def latch(self, limit: Limit, moment: Moment) -> Automation:
        """Hold automation down until a person clears this limit; the record of it."""
        change = self._limits.latch(limit)
        self.now = self._work_out()
        return self._limit_record(change, moment)

    def choose(
        self,
        degree: Degree,
        reason: str,
        by: str,
        account: str | None,
        request: str,
        moment: Moment,
    ) -> Automation:
        """A person sets the degree; the record of it."""
        self.chosen = degree
        self.now = self._work_out()
        return Automation(
            id=self._new_id(),
            origin=self._origin,
            decided=moment,
            action="set",
            degree=degree,
            in_force=self.now.degree,
            reason=reason,
            by=by,
            account=account,
            request=request,
        )

    def clear(
        self,
        limit: str,
        reason: str,
        by: str,
        account: str | None,
        request: str,
        moment: Moment,
    ) -> Automation | None:
        """A person ends a latched limit; the record of it, None when there is none of that name."""
        change = self._limits.clear(limit)
        if change is None:
            return None
        self.now = self._work_out()
        return Automation(
            id=self._new_id(),
            origin=self._origin,
            decided=moment,
            action="end",
            degree=change.limit.degree,
            in_force=self.now.degree,
            reason=reason,
            limit=limit,
            by=by,
            account=account,
            request=request,
        )

    def state(self) -> Mapping[str, str]:
        """What must be remembered over a restart."""
        latched = [[limit.name, limit.degree, limit.reason] for limit in self._limits.latched]
        kept = {STATE_LATCHED: json.dumps(latched)}
        if self.chosen is not None:
            kept[STATE_DEGREE] = self.chosen
        return kept

    def _work_out(self) -> InForce:
        return in_force(self.basis.ceiling, self.chosen, self._limits.active)

    def _limit_record(self, change: Change, moment: Moment) -> Automation:
        return Automation(
            id=self._new_id(),
            origin=self._origin,
            decided=moment,
            action="limit" if change.began else "end",
            degree=change.limit.degree,
            in_force=self.now.degree,
            reason=change.limit.reason,
            limit=change.limit.name,
        )


def unknown_state() -> Mapping[str, str]:
    """The state of a ruler that lost it: no automation, until a person has looked and said so."""
    why = "the database was damaged: what was set and latched is not known; set the degree again"
    latched = [["unreadable", "human_only", why]]
    return {STATE_DEGREE: UNKNOWN, STATE_LATCHED: json.dumps(latched)}


def _degree(text: object) -> Degree | None:
    return next((degree for degree in DEGREES if degree == text), None)


def _chosen(text: str | None) -> Degree | None:
    """What a person had set. A word that this version does not know must not free the model."""
    return None if text is None else _degree(text) or UNKNOWN


def _latched(text: str | None) -> list[Limit]:
    """The limits that were latched. What cannot be read holds automation down as well."""
    if text is None:
        return []
    try:
        return [
            Limit(str(name), _degree(degree) or UNKNOWN, str(reason), latched=True)
            for name, degree, reason in json.loads(text)
        ]
    except (ValueError, TypeError):
        return [Limit("unreadable", UNKNOWN, "the latched limits cannot be read", latched=True)]
