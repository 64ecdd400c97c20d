"""`access/1`: who came, who was refused, who changed what others may do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.records import Moment, Origin, when

SCHEMA = "access/1"


@dataclass(frozen=True, slots=True)
class Access:
    """Something about persons that an audit asks for. Never a name, a number, a PIN or a token.

    `action` is such as `sign_in`, `locked_out`, `person_added`, `role_set`, `hand_over`; `about` is
    the id of the person or machine that it was done to.
    """

    id: str
    origin: Origin
    given: Moment
    action: str
    by: str | None = None
    about: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    schema = SCHEMA

    def content(self) -> dict[str, object]:
        """The body without stream, epoch and seq."""
        return {
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "action": self.action,
            "by": self.by,
            "about": self.about,
            "details": dict(self.details),
            **when(self.origin, self.given),
        }
