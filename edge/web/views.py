"""Inspections as the pages and the API show them, each to whoever asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.access.person import Machine, Person
from edge.recovery.history import History
from edge.review.refusal import Refused
from edge.store.rows import Row
from edge.web.sight import Sight, leads, seen, sight

if TYPE_CHECKING:
    from edge.review.answers import Answers

HAND = ("waiting", "claimed")
Said = Mapping[str, Any]
"""The last answer about an inspection, as the queue's state keeps it."""


@dataclass(frozen=True, slots=True)
class Views:
    """What `who` may see, read with this thread's reader of the line."""

    who: Person | Machine
    line: History
    answers: Answers

    def item(self, record: Mapping[str, Any], said: Said | None) -> dict[str, Any]:
        """One row of a list. `hidden`: something is not shown to this person.

        Raises KeyError, TypeError, ValueError for a damaged record.
        """
        fate = _read(self.line.disposition(record["id"]))
        return self.listed(record, fate, said)

    def listed(
        self, record: Mapping[str, Any], fate: Mapping[str, Any] | None, said: Said | None
    ) -> dict[str, Any]:
        """The same, where it is known already what became of the part."""
        asked = self.asked(record["id"])
        allowed = self.allowed(record, asked, said)
        shown = seen(record, allowed, self.lead)
        tells = allowed != "picture"
        image = record["image"]
        return {
            "inspection": str(record["id"]),
            "part_id": record["part_id"],
            "captured_at": str(record["captured_at"]),
            "picture": None if image is None else image["sha256"],
            "decision": shown.get("decision"),
            "reason": shown.get("reason"),
            "doubts": [str(doubt["name"]) for doubt in shown.get("doubts", ())],
            "score": shown.get("score"),
            "label": shown.get("label"),
            "disposition": fate["disposition"] if tells and fate else None,
            "by": fate["by"] if tells and fate else None,
            "verdict": self.said(said) if tells and not asked else None,
            "waits": asked,
            "hidden": allowed != "all",
        }

    @property
    def lead(self) -> bool:
        """Whether they may see what was known beforehand."""
        return leads(self.who)

    def asked(self, inspection: str) -> bool:
        """Whether a person is being asked about it now."""
        if self.answers.case(inspection) is None:
            return False
        try:
            return self.answers.state(inspection, self.who.id)["state"] in HAND
        except Refused:
            return False

    def allowed(self, record: Mapping[str, Any], asked: bool, said: Said | None) -> Sight:
        """How much of it they may see. An answer that was taken back is none."""
        answered = said is not None and said.get("verdict") is not None
        return sight(record, self.who, asked, answered)

    def said(self, said: Said | None) -> dict[str, Any] | None:
        """An answer in a list; who gave it only where that is for them to know."""
        if said is None or said.get("verdict") is None:
            return None
        return {
            "verdict": said["verdict"],
            "at": said.get("at"),
            "by": self.name_of(said.get("by")),
            "mine": said.get("by") == self.who.id,
            "corrected": "correction" in said,
        }

    def name_of(self, by: object) -> str | None:
        """The id of who answered, for leads and for oneself."""
        return str(by) if by is not None and (self.lead or by == self.who.id) else None


def _read(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    try:
        found = json.loads(row.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
