"""Real parts of known truth, sent through on purpose. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal

from edge.records import Moment, Origin, when

Truth = Literal["good", "defect"]
TAG = "challenge"
"""An inspection with this tag is of a challenge part; the value is the id of the start's record."""
STATE = "challenge"
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Challenge:
    """The next `left` parts are of this truth."""

    id: str
    truth: Truth
    left: int

    def one_less(self) -> Challenge:
        """After one of them was decided."""
        return replace(self, left=self.left - 1)

    def as_state(self) -> dict[str, str]:
        """What the line must remember across a restart: parts on the belt do not go away."""
        kept = {"id": self.id, "truth": self.truth, "left": self.left}
        return {STATE: json.dumps(kept)}


def read_state(text: str | None) -> Challenge | None:
    """The challenge that a restart interrupted; None when none was running."""
    if text is None:
        return None
    kept = json.loads(text)
    if kept["left"] < 1:
        return None
    return Challenge(kept["id"], "good" if kept["truth"] == "good" else "defect", kept["left"])


@dataclass(frozen=True, slots=True)
class ChallengeRecord:
    """A challenge that a named person started, or ended before all its parts had come."""

    id: str
    origin: Origin
    decided: Moment
    action: Literal["start", "stop"]
    challenge: str
    truth: Truth
    count: int
    by: str
    account: str | None = None
    request: str | None = None

    schema = "challenge/1"

    def content(self) -> dict[str, object]:
        """The body without stream, epoch and seq. `count`: parts announced, or those left over."""
        return {
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "action": self.action,
            "challenge": self.challenge,
            "truth": self.truth,
            "count": self.count,
            "by": self.by,
            "account": self.account,
            "request": self.request,
            **when(self.origin, self.decided),
        }
