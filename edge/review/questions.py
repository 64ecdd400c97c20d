"""What waits for a person: open escalations, and spot checks that nobody has answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge.review.verdicts import fate_of, latest
from edge.store.archive import Archive

OPEN_CHECKS = "watch.checks"
"""Key of the line's state: the ids of the spot checks that it still waits for, as JSON."""


@dataclass(frozen=True, slots=True)
class Question:
    """One part that a person is asked about. `left_s` is None where nothing happens by itself:
    a spot check has been decided already."""

    inspection: str
    part_id: str | None
    since: str
    reason: str
    left_s: float | None

    def as_json(self) -> dict[str, object]:
        """As `queue list --json` prints it."""
        return {
            "id": self.inspection,
            "part_id": self.part_id,
            "since": self.since,
            "reason": self.reason,
            "left_s": None if self.left_s is None else round(self.left_s, 1),
        }


def questions(line: Archive, queue: Archive, boot_id: str, now_ns: int) -> Iterator[Question]:
    """The most urgent first: escalations by their deadline, then spot checks, oldest first.

    An escalation of an earlier boot has its whole time left: the line gives it again. One that was
    answered waits for the line alone.
    """
    waiting = sorted(line.open_escalations(), key=lambda one: (one.deadline_ns, one.seq))
    for one in waiting:
        if _sure(latest(queue, one.inspection)):
            continue
        content = inspection(line, one.inspection)
        if content is not None:
            same = one.boot_id == boot_id
            left_s = (one.deadline_ns - now_ns) / 1e9 if same else one.allowed_s
            yield Question(
                one.inspection, one.part_id, content["captured_at"], content["reason"], left_s
            )
    for name in open_checks(line):
        content = inspection(line, name)
        if content is None or latest(queue, name) is not None:
            continue
        yield Question(name, content["part_id"], content["captured_at"], "spot check", None)


def _sure(last: dict[str, Any] | None) -> bool:
    return last is not None and fate_of(last) is not None


def open_checks(line: Archive) -> list[str]:
    """Inspections that were drawn for a spot check and whose answer still counts, oldest first."""
    kept = line.state(OPEN_CHECKS)
    return [] if kept is None else [str(name) for name in json.loads(kept)]


def inspection(line: Archive, name: str) -> dict[str, Any] | None:
    """The record of one inspection by its id."""
    found = [json.loads(row.body) for row in line.find(name)]
    return next((content for content in found if content["id"] == name), None)
