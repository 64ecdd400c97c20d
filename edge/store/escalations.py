"""Parts that wait for a person, and until when."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the fall-back decides: a moment on the monotonic clock, and the time allowed for it."""

    monotonic_ns: int
    allowed_s: float


@dataclass(frozen=True, slots=True)
class Escalation:
    """One open escalation. `deadline_ns` counts on the monotonic clock of the boot `boot_id`."""

    inspection: str
    seq: int
    part_id: str | None
    boot_id: str
    deadline_ns: int
    allowed_s: float


def read_open(database: sqlite3.Connection) -> list[Escalation]:
    """All open escalations, oldest part first."""
    rows = database.execute(
        "SELECT inspection, seq, part_id, boot_id, deadline_ns, allowed_s"
        " FROM escalations ORDER BY seq"
    )
    return [Escalation(*row) for row in rows]


def read_one(database: sqlite3.Connection, inspection: str) -> Escalation | None:
    """The open escalation of this inspection; None where it is not open."""
    row = database.execute(
        "SELECT inspection, seq, part_id, boot_id, deadline_ns, allowed_s"
        " FROM escalations WHERE inspection = ?",
        (inspection,),
    ).fetchone()
    return None if row is None else Escalation(*row)


def restart_clocks(database: sqlite3.Connection, boot_id: str, now_ns: int) -> None:
    """Give escalations from an earlier boot their whole time again.

    Monotonic clocks of two boots do not compare, and after a power cut the person needs time too.
    """
    database.execute(
        "UPDATE escalations SET boot_id = ?, deadline_ns = ? + CAST(allowed_s * 1e9 AS INTEGER)"
        " WHERE boot_id <> ?",
        (boot_id, now_ns, boot_id),
    )
