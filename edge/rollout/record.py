"""The record of a step of a candidate. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge.records import Json, Moment, Origin, when
from edge.rollout.changes import Step


@dataclass(frozen=True, slots=True)
class Rollout:
    """Something happened to a model on probation. `evidence` are the figures that led to it."""

    id: str
    origin: Origin
    decided: Moment
    step: Step
    evidence: Json = field(default_factory=dict)

    schema = "rollout/1"

    def content(self) -> dict[str, object]:
        """The body without stream, epoch and seq."""
        probation, word = self.step.probation, self.step.word
        orders = probation.orders
        evidence: Mapping[str, object] | None = self.evidence or None
        return {
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "bundle": probation.digest,
            "name": probation.name,
            "version": probation.version,
            "from": self.step.before,
            "event": self.step.event,
            "to": probation.state,
            "code": probation.code,
            "why": probation.why,
            "share": probation.share,
            "serial": orders.serial,
            "rollout": orders.rollout,
            "by": None if word is None else word.by,
            "account": None if word is None else word.account,
            "request": None if word is None else word.request,
            "calibration": probation.calibration,
            "evidence": evidence,
            **when(self.origin, self.decided),
        }
