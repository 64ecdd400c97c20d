"""Real parts of known truth, sent through on purpose. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from edge.records import Moment, Origin, when

Truth = Literal["good", "defect"]
TAG = "challenge"
"""An inspection with this tag is of a challenge part; the value is the id of the start's record."""
MOST = 10_000
STATE_STARTED = "challenge.started"
STATE_DONE = "challenge.done"
STATE_STOPPED = "challenge.stopped"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The next `left` parts are of this truth. `id` is that of the record of the start."""

    id: str
    truth: Truth
    count: int
    left: int

    def one_less(self) -> Challenge:
        """After one of them was decided."""
        return replace(self, left=self.left - 1)

    def started(self) -> dict[str, str]:
        """What the line must remember across a restart: parts on the belt do not go away."""
        kept = {"id": self.id, "truth": self.truth, "count": self.count}
        return {STATE_STARTED: json.dumps(kept)}

    def done(self) -> dict[str, str]:
        """How many have come, kept with each of them.

        Another key than `started`: an inspection of an earlier challenge may reach the disk after
        the start of the next one.
        """
        return {STATE_DONE: f"{self.id} {self.count - self.left}"}

    def stopped(self) -> dict[str, str]:
        """A person has ended it."""
        return {STATE_STOPPED: self.id}


def interrupted(state: Callable[[str], str | None]) -> Challenge | None:
    """The challenge that a restart interrupted; None when none was running."""
    started = state(STATE_STARTED)
    if started is None:
        return None
    kept = json.loads(started)
    done_id, _, done = (state(STATE_DONE) or "").partition(" ")
    left = kept["count"] - (int(done) if done_id == kept["id"] else 0)
    if left < 1 or state(STATE_STOPPED) == kept["id"]:
        return None
    truth: Truth = "good" if kept["truth"] == "good" else "defect"
    return Challenge(kept["id"], truth, kept["count"], left)


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
