"""A person's answer about one part. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edge.records import Moment, Origin, when

Answer = Literal["accept", "reject", "unsure"]
Basis = Literal["picture", "part"]
Via = Literal["command", "page", "api"]
SHOWN_FROM = ("assist", "partial", "full")

SCHEMA = "verdict/1"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person said. It decides the part only if the line says so in `disposition/1`.

    `basis` is what the person looked at, `picture` the SHA-256 of the picture. `answer_shown` says
    whether the person could see the model's answer before giving their own. With `hold`, which goes
    with `unsure`, the part is to be held back now. `by` is an opaque id where `via` is the page.
    """

    id: str
    origin: Origin
    given: Moment
    inspection: str
    verdict: Answer
    by: str
    account: str | None = None
    part_id: str | None = None
    label: str | None = None
    note: str | None = None
    basis: Basis = "picture"
    picture: str | None = None
    answer_shown: bool = False
    hold: bool = False
    via: Via = "command"

    schema = SCHEMA

    def content(self) -> dict[str, object]:
        """The body without stream, epoch and seq."""
        return {
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "inspection": self.inspection,
            "part_id": self.part_id,
            "verdict": self.verdict,
            "label": self.label,
            "note": self.note,
            "by": self.by,
            "account": self.account,
            "basis": self.basis,
            "picture": self.picture,
            "answer_shown": self.answer_shown,
            "hold": self.hold,
            "via": self.via,
            **when(self.origin, self.given),
        }


def shows_answer(inspection: Mapping[str, Any]) -> bool:
    """Whether a person asked about this part may see what the model said.

    Not in human_only and shadow, and not where the part was drawn for a spot check: the answer
    must not lead the person.
    """
    return inspection["automation"] in SHOWN_FROM and not drawn(inspection)


def drawn(inspection: Mapping[str, Any]) -> bool:
    """Whether this part was drawn, independently of its score."""
    check = inspection["spot_check"]
    return isinstance(check, dict) and check.get("drawn") is True
