"""What a station says of its models on `model/state`, read with care. Pure.

Anyone who may write the topic can write anything: what is not as it should be is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sync.fleet.words import spoken

SCHEMA = "model-state/1"
LONGEST_TEXT = 500
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the candidate did beside the active model: counts of parts, so that those of several
    stations can be added up. `compared` are those of the `parts` on which both had cuts.
    `permissive` are those that count against it: accepted though the active one rejects them, or
    a person called them defects; `escalations` and `overkill` are how many more than the other's.
    """

    parts: int = 0
    compared: int = 0
    permissive: int = 0
    stricter: int = 0
    escalations: int = 0
    overkill: int = 0
    deaths: int = 0

    def beyond(self, accepted: Evidence) -> Evidence:
        """What came after `accepted` was. All of it where a station has begun to count anew."""
        if self.parts < accepted.parts or self.deaths < accepted.deaths:
            return self
        known = asdict(accepted)
        return Evidence(**{name: count - known[name] for name, count in asdict(self).items()})


@dataclass(frozen=True, slots=True)
class Trial:
    """A bundle on probation, or the last one that was. `needed` are the labelled pictures, good and
    defect, that are missing for its calibration, which is waited for `until` then."""

    bundle: str
    state: str
    name: str = ""
    version: str = ""
    code: str | None = None
    why: str | None = None
    share: float | None = None
    serial: int | None = None
    rollout: str | None = None
    parts: int = 0
    needed: tuple[int, int] | None = None
    until: str | None = None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Running:
    """The bundle that decides; `trial`: so many parts until it is taken for good."""

    bundle: str
    name: str = ""
    version: str = ""
    trial: int | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """The newest assignment that the station has accepted."""

    bundle: str
    serial: int
    rollout: str = ""
    action: str = "run"
    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that the station does not take, and why: a pack, or a bundle."""

    code: str
    why: str = ""
    mend: str = ""
    at: str = ""
    bundle: str = ""
    serial: int | None = None
    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far the download is. `code` and `why`: what keeps it from going on, or ended it."""

    state: str
    bytes: int = 0
    size: int = 0
    code: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One state of a station. `lost` is the bundle that decided before its line.db was lost, while
    the configured one stands in for it."""

    at: str = ""
    desired: Desired | None = None
    running: Running | None = None
    candidate: Trial | None = None
    last: Trial | None = None
    refused: tuple[Refusal, ...] = ()
    refusal: Refusal | None = None
    delivery: Delivery | None = None
    clock_synced: bool | None = None
    lost: Running | None = None


def read(payload: bytes | str, station: str) -> Said | None:
    """A payload of `model/state`; None for anything that this station would not say."""
    content = spoken(payload, SCHEMA)
    if content is None or content.get("station") != station:
        return None
    listed = content.get("refused")
    refused = [_refusal(one) for one in listed[:64]] if isinstance(listed, list) else []
    synced = content.get("clock_synced")
    return Said(
        _text(content.get("at")),
        _desired(_mapping(content.get("desired"))),
        _running(_mapping(content.get("running"))),
        _trial(_mapping(content.get("candidate"))),
        _trial(_mapping(content.get("last"))),
        tuple(one for one in refused if one is not None),
        _refusal(content.get("refusal")),
        _delivery(_mapping(content.get("delivery"))),
        synced if isinstance(synced, bool) else None,
        _running(_mapping(content.get("lost"))),
    )


def _desired(content: Mapping[str, Any]) -> Desired | None:
    digest, serial = _hash(content.get("digest")), _count(content.get("serial"))
    if digest is None or serial is None:
        return None
    names = (_text(content.get(name)) for name in ("rollout", "action", "name", "version"))
    return Desired(digest, serial, *names)


def _running(content: Mapping[str, Any]) -> Running | None:
    digest = _hash(content.get("bundle"))
    if digest is None:
        return None
    name, version = _text(content.get("name")), _text(content.get("version"))
    return Running(digest, name, version, _count(content.get("trial")))


def _trial(content: Mapping[str, Any]) -> Trial | None:
    digest, state = _hash(content.get("bundle")), _text(content.get("state"))
    if digest is None or not state:
        return None
    needed = _mapping(content.get("needed"))
    good, defect = _count(needed.get("good")), _count(needed.get("defect"))
    return Trial(
        digest,
        state,
        _text(content.get("name")),
        _text(content.get("version")),
        _text(content.get("code")) or None,
        _text(content.get("why")) or None,
        _number(content.get("share")),
        _count(content.get("serial")),
        _text(content.get("rollout")) or None,
        _count(content.get("parts")) or 0,
        (good or 0, defect or 0) if needed else None,
        _text(content.get("until")) or None,
        _evidence(_mapping(content.get("evidence"))),
    )


def _evidence(content: Mapping[str, Any]) -> Evidence:
    permissive, escalated = _mapping(content.get("permissive")), _mapping(content.get("escalated"))
    rejected, deaths = _mapping(content.get("rejected")), _mapping(content.get("deaths"))
    return Evidence(
        _count(content.get("parts")) or 0,
        _count(content.get("compared")) or 0,
        _count(permissive.get("against")) or 0,
        _count(content.get("stricter")) or 0,
        (_count(escalated.get("candidate")) or 0) - (_count(escalated.get("other")) or 0),
        (_count(rejected.get("more")) or 0) - (_count(rejected.get("less")) or 0),
        _count(deaths.get("candidate")) or 0,
    )


def _refusal(value: object) -> Refusal | None:
    content = _mapping(value)
    code = _text(content.get("code"))
    if not code:
        return None
    why, mend, at = (_text(content.get(name)) for name in ("why", "mend", "at"))
    bundle, serial = _hash(content.get("bundle")) or "", _count(content.get("serial"))
    name, version = _text(content.get("name")), _text(content.get("version"))
    return Refusal(code, why, mend, at, bundle, serial, name, version)


def _delivery(content: Mapping[str, Any]) -> Delivery | None:
    state = _text(content.get("state"))
    if not state:
        return None
    here, size = (_count(content.get(name)) or 0 for name in ("bytes", "size"))
    code, why = (_text(content.get(name)) or None for name in ("code", "why"))
    return Delivery(state, here, size, code, why)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """Printable and short: it is shown on terminals."""
    if not isinstance(value, str):
        return ""
    return "".join(one if one.isprintable() else " " for one in value[:LONGEST_TEXT]).strip()


def _hash(value: object) -> str | None:
    return value if isinstance(value, str) and _SHA256.fullmatch(value) else None


def _count(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and isinstance(value, int) and 0 <= value < 1 << 53 else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
