"""What two models said of one part, as records show it. Pure."""

from __future__ import annotations

from edge.decision.challenge import TAG
from edge.records import Decision, Inspection
from edge.rollout.pair import Answer, Pair, Side

ESCALATE: Decision = "escalate"


def answer(inspection: Inspection, run_ms: float) -> Answer | None:
    """What its model said of a part; None where none was asked.

    `run_ms` is what the model itself took; without an answer it is the time until that was known.
    """
    fault = "late" if inspection.reason == "late" else inspection.fault
    if fault is not None:
        without = None if inspection.cuts is None else ESCALATE
        return Answer(None, None, without, fault, inspection.latency.inference)
    if inspection.score is None:
        return None
    would_be = inspection.would_be
    if would_be is not None and inspection.doubts:
        would_be = ESCALATE
    return Answer(inspection.score, inspection.label, would_be, None, run_ms)


def pair(
    inspection: Inspection,
    decided_by: Side,
    decided: Answer,
    other: Answer,
    picture: str | None = None,
) -> Pair:
    """The part of this inspection, which `decided` counted for, as both sides saw it."""
    active, candidate = (decided, other) if decided_by == "active" else (other, decided)
    return Pair(
        inspection=inspection.id,
        part_id=inspection.part_id,
        at=inspection.captured.wall,
        decided_by=decided_by,
        active=active,
        candidate=candidate,
        doubtful=bool(inspection.doubts),
        truth=inspection.truth if TAG in inspection.tags else None,
        picture=picture,
    )
