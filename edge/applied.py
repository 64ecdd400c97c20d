"""The record of a calibration that was put in force. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from edge.records import Json, Moment, Origin, when


@dataclass(frozen=True, slots=True)
class CalibrationApplied:
    """A person put a calibration in force. `id` and `calibration` are those of its file.

    One calibration may be applied again and again; `application` is another id each time.
    """

    id: str
    origin: Origin
    decided: Moment
    application: str
    calibration: Json
    reason: str
    by: str
    account: str | None = None
    request: str | None = None

    schema = "calibration/1"

    def content(self) -> dict[str, object]:
        """The file's content without pictures, and who applied it; without stream, epoch, seq."""
        made = {name: value for name, value in self.calibration.items() if name != "familiar"}
        return {
            **made,
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "application": self.application,
            "made_by": made.get("by"),
            "made_because": made.get("reason"),
            "reason": self.reason,
            "by": self.by,
            "account": self.account,
            "request": self.request,
            **when(self.origin, self.decided),
        }
