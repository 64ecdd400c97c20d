"""Records for tests of the store."""

from __future__ import annotations

import uuid

from edge.records import Alarm, Decision, Disposition, Inspection, Moment, Origin, uuid7
from edge.store.escalations import Deadline

ORIGIN = Origin("plant-a/line-3/caps", "boot-1", "c" * 64, "0.1.0")
NOON = 1_795_000_000.0


def inspection(
    number: int, decision: Decision = "accept", asked: bool = False, part: str | None = None
) -> Inspection:
    return Inspection(
        id=uuid7(NOON + number, uuid.uuid4().int),
        origin=ORIGIN,
        captured=Moment(NOON + number, number * 1_000_000_000),
        decision=decision,
        reason="uncertain" if decision == "escalate" else "confident",
        automation="partial",
        part_id=part,
        score=0.25,
        label="good",
        scores={"good": 0.75, "defect": 0.25},
        asked=asked,
    )


def disposition(about: Inspection, by: str = "model", fate: str | None = None) -> Disposition:
    return Disposition(
        id=uuid7(about.captured.wall, uuid.uuid4().int),
        origin=ORIGIN,
        decided=about.captured,
        inspection=about.id,
        disposition=fate or ("reject" if about.decision == "reject" else "accept"),
        by=by,
        part_id=about.part_id,
    )


def alarm(number: int, cause: str = "camera") -> Alarm:
    moment = Moment(NOON + number, number * 1_000_000_000)
    return Alarm(uuid7(NOON, uuid.uuid4().int), ORIGIN, moment, cause, "raised", "it is gone")


def sure(count: int) -> list[Inspection | Disposition]:
    """Accepted parts, each followed by its disposition."""
    return [
        record
        for number in range(count)
        for part in [inspection(number)]
        for record in (part, disposition(part))
    ]


def due(about: Inspection, seconds: float = 60.0) -> dict[str, Deadline]:
    return {about.id: Deadline(int(seconds * 1e9), seconds)}
