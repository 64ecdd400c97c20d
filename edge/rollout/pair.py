"""One part as two models saw it: the active one and the one beside it. Pure.

The bundle on probation is the `candidate`, also in its trial, when it decides and the one before it
is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.records import Decision

Side = Literal["active", "candidate"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one model said of a part. `would_be` is what *partial* would decide by that model's own
    cuts, doubts about the picture included; None where it has no cuts.

    `fault` is a code of ModelFault, or `late`; then there is no score. `ms` is from hand-over to
    answer.
    """

    score: float | None
    label: str | None = None
    would_be: Decision | None = None
    fault: str | None = None
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """The same picture, both answers. `decided_by` says whose answer counted for the part.

    `at` is wall time in seconds; `truth` is known of challenge parts (`good`, `defect`) only;
    `picture` is the path of the stored picture below the state directory, where one is kept.
    """

    inspection: str
    part_id: str | None
    at: float
    decided_by: Side
    active: Answer
    candidate: Answer
    doubtful: bool = False
    truth: str | None = None
    picture: str | None = None
