"""A person takes an answer back or corrects a label. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.records import Moment, Origin, when
from edge.review.verdict import Answer

SCHEMA = "correction/1"


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be thought of an earlier answer about a part.

    `verdict` is the id of the answer that it is about, None where nobody had answered. `to` is the
    new label of the part; None takes the answer back and leaves the part without one. With `undo`
    the person meant to take it back before the line acted: the line then does not act on that
    answer, if it has not yet. A part's fate never changes afterwards.
    """

    id: str
    origin: Origin
    given: Moment
    inspection: str
    verdict: str | None
    to: Answer | None
    by: str
    reason: str | None = None
    undo: bool = False
    part_id: str | None = None
    label: str | None = None
    account: str | None = None
    answer_shown: bool = True

    schema = SCHEMA

    def content(self) -> dict[str, object]:
        """The body without stream, epoch and seq."""
        return {
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "inspection": self.inspection,
            "part_id": self.part_id,
            "verdict": self.verdict,
            "to": self.to,
            "undo": self.undo,
            "label": self.label,
            "reason": self.reason,
            "by": self.by,
            "account": self.account,
            "answer_shown": self.answer_shown,
            **when(self.origin, self.given),
        }
