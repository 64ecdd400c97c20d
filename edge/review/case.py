"""One part that a person is asked about, and what the person may see of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edge.decision.challenge import TAG
from edge.review.verdict import Basis, drawn, shows_answer

Kind = Literal["escalation", "check", "seeded"]
ANSWER = ("score", "label", "scores", "would_be", "decision", "cuts", "model", "calibration")


@dataclass(frozen=True, slots=True)
class Case:
    """What the queue keeps of an inspection: it needs nothing else of the line to be answered.

    `deadline_ns` is on the monotonic clock of this boot; None where nothing happens by itself.
    `shows` says whether the person may see the model's `answer` before their own. A case that is
    `alone` (spot check, challenge, seeded picture) is shown as the picture and nothing else.
    """

    inspection: str
    kind: Kind
    part_id: str | None
    captured_at: str
    reason: str
    doubts: tuple[str, ...]
    picture: str | None
    path: str | None
    shows: bool
    alone: bool
    basis: Basis
    answer: Mapping[str, Any]
    deadline_ns: int | None = None
    allowed_s: float | None = None
    station: str = ""
    bundle: str | None = None


def case_of(
    inspection: Mapping[str, Any],
    kind: Kind,
    deadline_ns: int | None = None,
    allowed_s: float | None = None,
) -> Case:
    """The case of an inspection's record. Raises KeyError, TypeError for what is none."""
    image, model = inspection["image"], inspection["model"]
    doubts = tuple(str(doubt["name"]) for doubt in inspection["doubts"])
    alone = kind != "escalation" or drawn(inspection) or TAG in (inspection["tags"] or {})
    return Case(
        inspection=inspection["id"],
        kind=kind,
        part_id=inspection["part_id"],
        captured_at=inspection["captured_at"],
        reason=inspection["reason"],
        doubts=doubts,
        picture=None if image is None else image["sha256"],
        path=None if image is None else image["path"],
        shows=not alone and shows_answer(inspection),
        alone=alone,
        basis="part" if doubts or image is None else "picture",
        answer={name: inspection[name] for name in ANSWER},
        deadline_ns=deadline_ns,
        allowed_s=allowed_s,
        station=inspection["station"],
        bundle=None if model is None else model["bundle"],
    )
