"""Everything that can be configured: names, types, limits, defaults. Frozen once read.

`edge/config_file.py` reads these from YAML. Units are in the names. A secret is never a value here:
only the path of a file that holds it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from edge.config_cameras import Camera
from edge.config_section import Section
from edge.config_values import (
    DAY_MS,
    BundleName,
    ByteSize,
    FilePath,
    Milliseconds,
    Name,
    Share,
    Url,
)
from edge.records import Degree


class Station(Section):
    """Which inspection point this is."""

    site: Name
    line: Name
    name: Name
    time_zone: str = "UTC"
    shifts: tuple[Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")], ...] = ()

    @property
    def path(self) -> str:
        """`site/line/station`, as in records and topics."""
        return f"{self.site}/{self.line}/{self.name}"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("no such time zone; try Europe/Berlin or UTC") from error
        return zone


class Trigger(Section):
    """What makes a part: every picture, or a tick of the clock."""

    source: Literal["continuous", "interval"] = "continuous"
    every_ms: float | None = Field(default=None, ge=1, le=DAY_MS)

    @model_validator(mode="after")
    def _interval(self) -> Trigger:
        if (self.source == "interval") != (self.every_ms is not None):
            raise ValueError("every_ms goes with source: interval, and only there")
        return self


class Model(Section):
    """Which bundle decides. `deadline_ms` overrides the bundle's own; 0 means none."""

    bundle: BundleName
    deadline_ms: Milliseconds | None = None
    threads: int = Field(default=1, ge=1, le=64)


class DecisionRules(Section):
    """The ceiling of automation and the errors that the plant can bear."""

    automation: Degree = "shadow"
    max_escape: Share = 0.01
    max_overkill: Share = 0.01
    confidence: Share = 0.95
    max_slip: Share | None = None
    spot_checks_per_day: int = Field(default=20, ge=0)
    ask: Literal["all", "sample"] = "all"
    accept_below: float | None = Field(default=None, ge=0, le=1)
    reject_above: float | None = Field(default=None, ge=0, le=1)
    allow_uncertified: bool = False

    @model_validator(mode="after")
    def _cuts(self) -> DecisionRules:
        if (self.accept_below is None) != (self.reject_above is None):
            raise ValueError("accept_below and reject_above are given together")
        if (self.accept_below or 0.0) > (1.0 if self.reject_above is None else self.reject_above):
            raise ValueError("accept_below must not be above reject_above")
        return self


class Escalation(Section):
    """How long a person may take, and what happens to the part then (never accept).

    The line acts on an answer `undo_s` after it was given, or at the deadline if that comes first:
    until then it can be taken back.
    """

    deadline_s: float = Field(default=60.0, gt=0, le=31 * 24 * 3600)
    fallback: Literal["hold", "reject"] = "hold"
    undo_s: float = Field(default=2.0, ge=0, le=30)
    answers_per_hour: float | None = Field(default=None, gt=0)


class Sync(Section):
    """The broker. Without this section nothing leaves the station."""

    broker: Annotated[Url, Field(pattern=r"^mqtts?://[^/\s]+$")]
    acknowledge: Literal["broker", "collector"] = "broker"
    ack_key_file: FilePath | None = None
    images: Literal["none", "escalated", "labelled+random"] = "none"
    images_bytes_per_day: ByteSize = 500 * 10**6
    credentials_file: FilePath | None = None
    ca_file: FilePath | None = None
    certificate_file: FilePath | None = None
    key_file: FilePath | None = None
    trust_root_file: FilePath | None = None
    models_bytes_per_s: ByteSize | None = None


class Rollout(Section):
    """How a new model proves itself here before it decides anything.

    `shadow_share` is the share of one processor core that the model beside the active one may use.
    `trial_parts`: so many parts after a promotion the previous model is kept warm, and its return
    is automatic.
    """

    shadow_share: float = Field(default=0.2, ge=0.01, le=1)
    min_parts: int = Field(default=200, ge=1)
    trial_parts: int = Field(default=500, ge=1)
    max_bundle_bytes: ByteSize = 200 * 10**6
    memory_mb: int = Field(default=512, ge=64)
    pinned_bytes: ByteSize = 1000 * 10**6


class Web(Section):
    """Where the operators' page listens, and its rules.

    Beyond this machine it speaks TLS only: the files of `edge-inspect web certificate` where no
    others are given. `names` are the other host names that browsers may use for it.
    """

    listen: Annotated[str, Field(pattern=r"^[^\s]+:[0-9]{1,5}$")] = "127.0.0.1:8080"
    certificate_file: FilePath | None = None
    key_file: FilePath | None = None
    names: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.:\[\]-]+$")], ...] = ()
    lock_after_s: float = Field(default=300.0, ge=10, le=24 * 3600)
    lease_s: float = Field(default=45.0, ge=5, le=3600)
    seeded_per_day: int = Field(default=0, ge=0, le=10_000)
    look: bool = True

    @field_validator("listen")
    @classmethod
    def _port(cls, listen: str) -> str:
        if int(listen.rpartition(":")[2]) > 65535:
            raise ValueError("a port is at most 65535")
        return listen

    @model_validator(mode="after")
    def _both(self) -> Web:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file are given together")
        return self


class Storage(Section):
    """What is kept, how much of it, and for how long."""

    images: str = "escalated+rejected+random"
    encoding: Literal["jpeg", "png"] = "jpeg"
    max_bytes: ByteSize = 20 * 10**9
    keep_pictures_days: float = Field(default=30, gt=0)
    keep_records_days: float = Field(default=730, gt=0)

    @field_validator("images")
    @classmethod
    def _policy(cls, policy: str) -> str:
        from edge.store.images import parse_policy

        parse_policy(policy)
        return policy


class Config(Section):
    """One station."""

    station: Station
    state_dir: FilePath
    status_dir: FilePath | None = None
    camera: Camera
    trigger: Trigger = Trigger()
    model: Model
    decision: DecisionRules = DecisionRules()
    escalation: Escalation = Escalation()
    sync: Sync | None = None
    rollout: Rollout = Rollout()
    web: Web = Web()
    storage: Storage = Storage()

    @property
    def status_folder(self) -> Path:
        """Where the services leave their world-readable status files."""
        if self.status_dir is not None:
            return self.status_dir
        if self.state_dir == Path("/var/lib/edge-inspect"):
            return Path("/run/edge-inspect")
        return self.state_dir / "status"

    @property
    def digest(self) -> str:
        """SHA-256 of the values in force: comments and spelling do not change it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
