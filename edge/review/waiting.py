"""What the queue says about itself and about one case. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edge.records import DecidedBy, Fate
from edge.review.case import Case
from edge.review.refusal import Code

State = Literal["waiting", "claimed", "answered", "decided"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits. `pressing`: an escalation that nobody has taken is in the last third of its
    time, so that whoever looks at a case without a deadline should give way."""

    count: int
    escalations: int
    alone: int
    oldest_s: float | None
    next_deadline_s: float | None
    pressing: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the queue. `left_s` is None where there is no deadline, or where it is not told:
    a case that is shown alone says nothing of itself."""

    inspection: str
    part_id: str | None
    since: str
    left_s: float | None
    claimed: bool
    mine: bool
    alone: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """What happened to a part: `at` in UTC, `verdict` the id of the answer that decided it."""

    disposition: Fate
    by: DecidedBy
    at: str
    verdict: str | None = None

    def as_json(self) -> dict[str, object]:
        """As the page is told it."""
        return {"disposition": self.disposition, "by": self.by, "at": self.at}


@dataclass(frozen=True, slots=True)
class Claim:
    """A case in somebody's hands until `lease_s` after the last renewal.

    `since` is when it began to wait, `left_s` the time to its deadline where that may be told.
    `next` would be theirs after it; it is not claimed. `may_see`: this person may see the model's
    answer now, because the case shows it or because they have seen it already.
    """

    token: str
    case: Case
    lease_s: float
    since: str
    left_s: float | None
    may_see: bool
    next: Case | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an answer, an undo or a correction.

    `state`: `recorded`; `undone`, for certain; `undoing`, the line has not said yet; `too_late`,
    the line had acted or the model's answer was shown, and `corrected` says that the label was
    taken back instead; `refused` (only where several were answered together), with the `refused`
    code. `undo_s` is how long it can still be undone. `answer` is what the model said, where it is
    revealed now; `fate` what has happened to the part already.
    """

    state: Literal["recorded", "undone", "undoing", "too_late", "refused"]
    inspection: str
    id: str | None = None
    undo_s: float = 0.0
    answer: Mapping[str, Any] | None = None
    fate: Decided | None = None
    corrected: bool = False
    refused: Code | None = None


@dataclass(frozen=True, slots=True)
class HandOver:
    """The end of somebody's shift. The note is for whoever comes next, and in no record."""

    by: str
    at: str
    note: str
    waiting: int
    escalations: int
    answered: int

    def as_json(self) -> dict[str, object]:
        """As it is kept and shown."""
        return {
            "by": self.by,
            "at": self.at,
            "note": self.note,
            "waiting": self.waiting,
            "escalations": self.escalations,
            "answered": self.answered,
        }
