"""The queue: which cases wait, in which order, who has taken which. Pure.

It knows nothing of files: what is durable is written first and then said here. A restart begins
with an empty board, and nobody has taken anything.
"""

from __future__ import annotations

from edge.review.case import Case
from edge.review.claims import Held
from edge.review.refusal import Refused
from edge.review.roll import Roll
from edge.review.standing import Given, Standing
from edge.review.waiting import Decided, Listed, Waiting


class Board(Roll):
    """Every method takes the monotonic clock in ns. Used from one thread at a time.

    Waiting cases are claimed, answered (`begin`, then `answered` or `give_back`) and perhaps taken
    up again (`reopen`); `decided` ends them. Raises Refused where the queue says no.
    """

    def __init__(self, lease_s: float = 45.0) -> None:
        super().__init__()
        self.lease_s = lease_s

    def claim(
        self, who: str, token: str, now_ns: int, inspection: str | None = None
    ) -> Held | None:
        """The next case, or this one, is theirs for a lease; None where nothing is free.

        Who has one already keeps it, unless another is named, or it has no deadline and an
        escalation is free. Raises Refused: unknown, claimed, answered, too_late.
        """
        self._lineup.settle(now_ns)
        if inspection is not None:
            self._check_open(inspection)
            if not self._claims.free(inspection, now_ns, who):
                raise Refused("claimed", f"{inspection} is in somebody else's hands")
            name: str | None = inspection
        else:
            name = self._own(who, now_ns) or self.next(who, now_ns)
        if name is None:
            self._claims.drop(self._claims.of(who))
            return None
        own = self._claims.of(who)
        until_ns = now_ns + int(self.lease_s * 1e9)
        if own is not None and own.inspection == name:
            return self._claims.renew(own, until_ns)
        held = Held(token, who, name, until_ns)
        self._claims.take(held)
        return held

    def next(self, who: str, now_ns: int, behind: str | None = None) -> str | None:
        """The first case that is free for this person; with `behind`, another one than that.

        An escalation whose time is all but over lets the others go first: where more waits than
        people can answer, each would else reach them too late.
        """
        self._lineup.settle(now_ns)
        first: str | None = None
        for name in self._lineup:
            if name == behind or not self._free(name, now_ns, who):
                continue
            if first is not None and self._known(name).case.kind != "escalation":
                break
            if not self._lineup.short(name, now_ns):
                return name
            first = first or name
        return first

    def renew(self, who: str, token: str, now_ns: int) -> Held:
        """A sign of life. Good after the lease too, while nobody else has taken the case.

        Raises Refused: expired, answered, too_late.
        """
        held = self._claimed(who, token)
        self._check_open(held.inspection)
        return self._claims.renew(held, now_ns + int(self.lease_s * 1e9))

    def release(self, who: str, token: str) -> None:
        """Give it back. A claim that is gone already is no error."""
        self._claims.drop(self._claims.find(who, token))

    def release_all(self, who: str) -> None:
        """Give back whatever this person has."""
        self._claims.drop(self._claims.of(who))

    def skip(self, who: str, token: str, now_ns: int) -> None:
        """Give it back, and ask about the others first. Raises Refused: expired."""
        held = self._claimed(who, token)
        self._claims.drop(held)
        if held.inspection in self._lineup:
            self._lineup.skip(held.inspection, now_ns)

    def begin(self, who: str, token: str, inspection: str) -> Standing:
        """They answer now: the claim is used up, nobody else can take or answer the case.

        A case that was decided while they looked at it can still be answered, as a label. Raises
        Refused: expired, answered, unknown.
        """
        held = self._claimed(who, token)
        if held.inspection != inspection:
            raise Refused("expired", f"the claim is about {held.inspection}, not {inspection}")
        standing = self._known(inspection)
        if standing.given is not None or standing.busy:
            raise _answered(standing)
        self._claims.drop(held)
        standing.busy = True
        return standing

    def begin_free(self, who: str, inspection: str, now_ns: int) -> Standing:
        """The same without a claim, for a waiting case that nobody else has taken."""
        self._check_open(inspection)
        if not self._claims.free(inspection, now_ns, who):
            raise Refused("claimed", f"{inspection} is in somebody else's hands")
        self._claims.drop(self._claims.on(inspection))
        standing = self._known(inspection)
        standing.busy = True
        return standing

    def give_back(self, standing: Standing, held: Held | None = None) -> None:
        """The answer could not be recorded: the case waits as before, in the same hands."""
        standing.busy = False
        if held is not None:
            self._claims.take(held)

    def unsure(self, standing: Standing, now_ns: int) -> None:
        """Recorded, and the case goes on waiting, behind the others."""
        standing.busy = False
        if standing.case.inspection in self._lineup:
            self._lineup.skip(standing.case.inspection, now_ns)

    def answered(self, standing: Standing, given: Given) -> None:
        """Recorded: nobody is asked about it any more."""
        self._leave(standing)
        standing.busy, standing.given = False, given
        self._all.put(standing)

    def reopen(self, standing: Standing) -> None:
        """The answer was taken back: the case waits again, unless the part is decided."""
        standing.given = None
        self._all.put(standing)
        if standing.fate is None:
            self._enter(standing)

    def decided(self, inspection: str, fate: Decided) -> Standing | None:
        """The part has its disposition: nobody is asked any more. Its case, where it is known."""
        standing = self._all.find(inspection)
        if standing is not None and standing.fate is None:
            self._leave(standing, keep_claim=True)
            standing.fate = fate
            self._all.put(standing)
        return standing

    def withdraw(self, inspection: str) -> None:
        """The case is no longer one: a spot check whose answer counts for nothing any more."""
        standing = self._all.find(inspection)
        if standing is not None and not standing.over and not standing.busy:
            self._leave(standing)
            self._all.forget(inspection)

    def waiting(self, now_ns: int, wall: float) -> Waiting:
        """How much waits."""
        self._lineup.settle(now_ns)
        oldest, due_ns = self._since.least(self._since_of), self._deadlines.least(self._due_of)
        return Waiting(
            count=len(self._lineup),
            escalations=len(self._lineup) - self._alone,
            alone=self._alone,
            oldest_s=None if oldest is None else max(0.0, wall - oldest),
            next_deadline_s=None if due_ns is None else max(0.0, (due_ns - now_ns) / 1e9),
            pressing=self._pressing(now_ns),
        )

    def listed(self, most: int, now_ns: int, who: str | None = None) -> list[Listed]:
        """The first cases in their order."""
        self._lineup.settle(now_ns)
        rows: list[Listed] = []
        for name in self._lineup:
            if len(rows) == most:
                break
            rows.append(self._row(self._known(name), now_ns, who))
        return rows

    def holder(self, inspection: str, now_ns: int) -> str | None:
        """Who has this case in hand."""
        held = self._claims.on(inspection)
        return held.who if held is not None and held.until_ns > now_ns else None

    def _own(self, who: str, now_ns: int) -> str | None:
        """What they have already and may go on with."""
        held = self._claims.of(who)
        if held is None or held.inspection not in self._lineup:
            return None
        if self._known(held.inspection).case.kind != "escalation":
            first = self.next(who, now_ns)
            if first is not None and self._known(first).case.kind == "escalation":
                return None
        return held.inspection

    def _claimed(self, who: str, token: str) -> Held:
        held = self._claims.find(who, token)
        if held is None:
            raise Refused("expired", "the claim has ended")
        return held

    def _check_open(self, inspection: str) -> None:
        standing = self._known(inspection)
        if standing.given is not None or standing.busy:
            raise _answered(standing)
        if standing.fate is not None:
            raise Refused("too_late", "the part is decided", standing.fate.as_json())

    def _pressing(self, now_ns: int) -> bool:
        for name in self._lineup:
            if self._free(name, now_ns):
                return self._lineup.pressing(name, now_ns)
        return False

    def _free(self, inspection: str, now_ns: int, who: str | None = None) -> bool:
        """Whether they may have it: nobody else has it, and nobody answers it at this moment."""
        return not self._known(inspection).busy and self._claims.free(inspection, now_ns, who)

    def _row(self, standing: Standing, now_ns: int, who: str | None) -> Listed:
        case = standing.case
        holder = self.holder(case.inspection, now_ns)
        return Listed(
            inspection=case.inspection,
            part_id=case.part_id,
            since=standing.since,
            left_s=left_s(case, now_ns),
            claimed=holder is not None,
            mine=holder is not None and holder == who,
            alone=case.alone,
        )


def left_s(case: Case, now_ns: int) -> float | None:
    """The time to the deadline as it may be told: not of a case that is shown alone."""
    if case.alone or case.deadline_ns is None:
        return None
    return max(0.0, (case.deadline_ns - now_ns) / 1e9)


def _answered(standing: Standing) -> Refused:
    facts = {} if standing.given is None else standing.given.as_json()
    return Refused("answered", f"{standing.case.inspection} has been answered", facts)
