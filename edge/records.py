"""The records of a station: frozen, complete, without a place in a chain yet. Pure.

A record's `content()` is everything in its body except `stream`, `epoch` and `seq`, which the
journal gives it when it is written.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Literal, Protocol

Decision = Literal["accept", "reject", "escalate"]
Reason = Literal["confident", "uncertain", "automation", "doubt", "fault", "overrun", "late"]
Fate = Literal["accept", "reject", "hold"]
DecidedBy = Literal["model", "person", "fallback"]
Degree = Literal["human_only", "shadow", "assist", "partial", "full"]
Json = Mapping[str, object]


def uuid7(wall: float, random_bits: int) -> str:
    """A version 7 UUID (RFC 9562): 48 bits of milliseconds since 1970, 74 random bits."""
    milliseconds = int(wall * 1000) & (1 << 48) - 1
    low = random_bits & (1 << 62) - 1
    middle = (random_bits >> 62) & 0xFFF
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | middle << 64 | 2 << 62 | low))


def utc(wall: float) -> str:
    """Seconds since 1970 as `2026-11-20T12:00:00.123Z`."""
    moment = datetime.fromtimestamp(wall, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class Record(Protocol):
    """What the journal can write."""

    @property
    def schema(self) -> str:
        """Kind and version, such as `inspection/1`."""
        ...

    @property
    def id(self) -> str:
        """A version 7 UUID."""
        ...

    def content(self) -> dict[str, object]:
        """The body without stream, epoch and seq."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """What all records of one run of a service share."""

    station: str
    boot_id: str
    config: str
    software: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on both clocks, and whether the wall clock was synchronised then."""

    wall: float
    monotonic_ns: int
    clock_synced: bool = False


@dataclass(frozen=True, slots=True)
class Cuts:
    """The two thresholds in force. `certified` is false for cuts typed by hand."""

    accept_below: float
    reject_above: float
    certified: bool = True
    calibration: str | None = None

    def as_json(self) -> dict[str, object]:
        """The cuts as an inspection carries them."""
        shown: dict[str, object] = {
            "accept_below": self.accept_below,
            "reject_above": self.reject_above,
        }
        if not self.certified:
            shown["certified"] = False
        return shown


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the frame to the decision, in its parts."""

    wait: float = 0.0
    quality: float = 0.0
    inference: float = 0.0
    total: float = 0.0

    def as_json(self) -> dict[str, float]:
        """Rounded to microseconds: more would only be noise in the chain."""
        return {
            "wait": round(self.wait, 3),
            "quality": round(self.quality, 3),
            "inference": round(self.inference, 3),
            "total": round(self.total, 3),
        }


@dataclass(frozen=True, slots=True)
class ImageRef:
    """A picture on disk: its path below the state directory, hash and number of its bytes."""

    path: str
    sha256: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Inspection:
    """The record of one part. Field by field as in docs/wire-format.md."""

    id: str
    origin: Origin
    captured: Moment
    decision: Decision
    reason: Reason
    automation: Degree
    part_id: str | None = None
    model: Json | None = None
    runtime: str | None = None
    cuts: Cuts | None = None
    score: float | None = None
    label: str | None = None
    scores: Mapping[str, float] | None = None
    would_be: Decision | None = None
    doubts: tuple[Json, ...] = ()
    fault: str | None = None
    asked: bool = False
    spot_check: Json | None = None
    latency: Latency = field(default_factory=Latency)
    image: ImageRef | None = None
    image_missing: str | None = None
    view: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    truth: str | None = None

    schema = "inspection/1"

    def content(self) -> dict[str, object]:
        """The body without stream, epoch, seq; `image_missing` and `fault` only when set."""
        shown: dict[str, object] = {
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "part_id": self.part_id,
            "captured_at": utc(self.captured.wall),
            "monotonic_ns": self.captured.monotonic_ns,
            "boot_id": self.origin.boot_id,
            "clock_synced": self.captured.clock_synced,
            "model": self.model,
            "runtime": self.runtime,
            "calibration": self.cuts.calibration if self.cuts else None,
            "cuts": self.cuts.as_json() if self.cuts else None,
            "score": self.score,
            "label": self.label,
            "scores": self.scores,
            "automation": self.automation,
            "decision": self.decision,
            "reason": self.reason,
            "would_be": self.would_be,
            "doubts": self.doubts,
            "asked": self.asked,
            "spot_check": self.spot_check,
            "latency_ms": self.latency.as_json(),
            "image": {"path": self.image.path, "sha256": self.image.sha256} if self.image else None,
            "view": self.view,
            "config": self.origin.config,
            "software": self.origin.software,
            "tags": dict(self.tags),
            "truth": self.truth,
        }
        if self.image_missing is not None:
            shown["image_missing"] = self.image_missing
        if self.fault is not None:
            shown["fault"] = self.fault
        return shown


@dataclass(frozen=True, slots=True)
class Disposition:
    """What finally happened to a part, and who said so. Exactly one per inspection that was asked
    about or decided; `inspection` is its id."""

    id: str
    origin: Origin
    decided: Moment
    inspection: str
    disposition: Fate
    by: DecidedBy
    part_id: str | None = None
    verdict: str | None = None

    schema = "disposition/1"

    def content(self) -> dict[str, object]:
        """The body without stream, epoch and seq."""
        return {
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "inspection": self.inspection,
            "part_id": self.part_id,
            "disposition": self.disposition,
            "by": self.by,
            "verdict": self.verdict,
            **when(self.origin, self.decided),
        }


@dataclass(frozen=True, slots=True)
class Automation:
    """A change of the degree of automation: `set` by a person, or a limit that came or went."""

    id: str
    origin: Origin
    decided: Moment
    action: Literal["set", "limit", "end"]
    degree: Degree
    in_force: Degree
    reason: str
    limit: str | None = None
    by: str | None = None
    account: str | None = None
    request: str | None = None

    schema = "automation/1"

    def content(self) -> dict[str, object]:
        """The body without stream, epoch and seq."""
        return {
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "action": self.action,
            "degree": self.degree,
            "in_force": self.in_force,
            "reason": self.reason,
            "limit": self.limit,
            "by": self.by,
            "account": self.account,
            "request": self.request,
            **when(self.origin, self.decided),
        }


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should know: raised once, ended once."""

    id: str
    origin: Origin
    decided: Moment
    cause: str
    state: Literal["raised", "ended"]
    message: str

    schema = "alarm/1"

    def content(self) -> dict[str, object]:
        """The body without stream, epoch and seq."""
        return {
            "schema": self.schema,
            "id": self.id,
            "station": self.origin.station,
            "cause": self.cause,
            "state": self.state,
            "message": self.message,
            **when(self.origin, self.decided),
        }


def when(origin: Origin, moment: Moment) -> dict[str, object]:
    """What all records but inspections say about the moment they were made."""
    return {
        "at": utc(moment.wall),
        "monotonic_ns": moment.monotonic_ns,
        "boot_id": origin.boot_id,
        "clock_synced": moment.clock_synced,
        "config": origin.config,
        "software": origin.software,
    }
