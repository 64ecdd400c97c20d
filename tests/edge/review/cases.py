"""Cases for tests of the queue."""

from __future__ import annotations

from edge.review.case import Case, Kind

SECOND = 10**9


def case(
    name: str,
    kind: Kind = "escalation",
    due_s: float | None = 60.0,
    *,
    doubts: tuple[str, ...] = (),
    reason: str = "uncertain",
    alone: bool | None = None,
    allowed_s: float = 60.0,
) -> Case:
    """`due_s` on the monotonic clock."""
    shown_alone = kind != "escalation" if alone is None else alone
    return Case(
        inspection=name,
        kind=kind,
        part_id=f"P-{name}",
        captured_at="2026-11-20T12:00:00.000Z",
        reason=reason,
        doubts=doubts,
        picture=f"sha-{name}",
        path=f"images/{name}.jpg",
        shows=not shown_alone,
        alone=shown_alone,
        basis="part" if doubts else "picture",
        answer={"score": 0.5},
        deadline_ns=None if kind != "escalation" or due_s is None else round(due_s * SECOND),
        allowed_s=allowed_s if kind == "escalation" else None,
    )
