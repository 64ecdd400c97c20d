"""The fleet's word on which bundle a station should run. Pure.

It is a target of the fleet's signed metadata, one for each station. Reading reports the first thing
that is wrong; nothing of an assignment that is wrong anywhere counts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SCHEMA = "assignment/1"
LARGEST = 256 * 1024
MOST_PIECES = 4096
LARGEST_PIECE = 1 << 24
Strategy = Literal["shadow", "canary", "blue-green"]
Action = Literal["run", "pause", "cancel", "rollback"]
STRATEGIES: tuple[Strategy, ...] = ("shadow", "canary", "blue-green")
ACTIONS: tuple[Action, ...] = ("run", "pause", "cancel", "rollback")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class AssignmentError(ValueError):
    """A text that is no assignment; the message says where and why."""


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A bundle as one file, in pieces of `piece` bytes (the last may be shorter).

    `digest` is the bundle's own (see inference/bundle.py), `path` its name among the signed
    targets, `sha256` and `size` those of the file, `pieces` the sha256 of each piece in order.
    """

    name: str
    version: str
    digest: str
    path: str
    sha256: str
    size: int
    piece: int
    pieces: tuple[str, ...]

    def length(self, number: int) -> int:
        """Bytes of the piece of this number, from 0."""
        return min(self.piece, self.size - number * self.piece)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a candidate is judged, and what it may not do. Shares are of parts seen by both models.

    `min_parts` is asked for in shadow, and again at each step of a canary. `max_permissive`: parts
    that the candidate accepts though the active one rejects them, or a person called them defects.
    `max_escalation_rise` and `max_overkill_rise` are differences of shares. `max_latency_ratio`
    compares medians of the time that an inference takes. `wait_calibration_s`: how long labels are
    waited for.
    """

    min_parts: int = 200
    max_permissive: float = 0.005
    max_escalation_rise: float = 0.05
    max_overkill_rise: float = 0.02
    max_latency_ratio: float = 3.0
    wait_calibration_s: float = 14 * 86400.0


@dataclass(frozen=True, slots=True)
class Assignment:
    """One station's assignment.

    `serial` rises with every assignment of a station. `action`: *run* brings the bundle up by its
    strategy; *pause* leaves a candidate where it is; *cancel* drops it; *rollback* also goes back
    to the previous bundle where this one is active already. `steps` are the shares of parts, in
    percent, that a canary decides; after the last it is promoted, if `promote` says so. `again`
    lets a digest in that was rolled back here. `not_trained_on_yours`: the sender's word that the
    station's labelled pictures were not trained on.
    """

    station: str
    serial: int
    rollout: str
    issued_at: str
    by: str
    action: Action
    bundle: BundleFile
    strategy: Strategy = "canary"
    steps: tuple[float, ...] = (5.0, 25.0, 100.0)
    promote: bool = True
    again: bool = False
    not_trained_on_yours: bool = False
    limits: Limits = field(default_factory=Limits)

    def as_json(self) -> dict[str, object]:
        """What `parse` reads."""
        return {"schema": SCHEMA, **asdict(self)}

    def as_bytes(self) -> bytes:
        """The canonical text: the same assignment always gives the same bytes."""
        return json.dumps(
            self.as_json(), sort_keys=True, separators=(",", ":"), allow_nan=False
        ).encode()


def parse(data: bytes) -> Assignment:
    """Read an assignment. Raises AssignmentError."""
    if len(data) > LARGEST:
        raise AssignmentError(f"an assignment of more than {LARGEST} bytes")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AssignmentError(f"not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise AssignmentError(f"not a {SCHEMA}")
    return Assignment(
        station=_text(content, "station"),
        serial=_whole(content, "serial", 1, 1 << 53),
        rollout=_text(content, "rollout"),
        issued_at=_text(content, "issued_at"),
        by=_text(content, "by"),
        action=_one_of(content, "action", ACTIONS),
        bundle=_bundle(_mapping(content, "bundle")),
        strategy=_one_of(content, "strategy", STRATEGIES),
        steps=_steps(content),
        promote=_flag(content, "promote"),
        again=_flag(content, "again"),
        not_trained_on_yours=_flag(content, "not_trained_on_yours"),
        limits=_limits(_mapping(content, "limits")),
    )


def _bundle(content: Mapping[str, Any]) -> BundleFile:
    size = _whole(content, "size", 1, 1 << 40)
    piece = _whole(content, "piece", 1, LARGEST_PIECE)
    pieces = content.get("pieces")
    if not isinstance(pieces, list) or len(pieces) != -(-size // piece):
        raise AssignmentError("bundle.pieces does not fit its size")
    if len(pieces) > MOST_PIECES:
        raise AssignmentError(f"more than {MOST_PIECES} pieces")
    if not all(isinstance(one, str) and _SHA256.fullmatch(one) for one in pieces):
        raise AssignmentError("bundle.pieces holds what is no sha256")
    return BundleFile(
        name=_text(content, "name"),
        version=_text(content, "version"),
        digest=_hash(content, "digest"),
        path=_text(content, "path"),
        sha256=_hash(content, "sha256"),
        size=size,
        piece=piece,
        pieces=tuple(pieces),
    )


def _limits(content: Mapping[str, Any]) -> Limits:
    return Limits(
        min_parts=_whole(content, "min_parts", 1, 10**9),
        max_permissive=_number(content, "max_permissive", 1.0),
        max_escalation_rise=_number(content, "max_escalation_rise", 1.0),
        max_overkill_rise=_number(content, "max_overkill_rise", 1.0),
        max_latency_ratio=_number(content, "max_latency_ratio", 1000.0),
        wait_calibration_s=_number(content, "wait_calibration_s", 366 * 86400.0),
    )


def _steps(content: Mapping[str, Any]) -> tuple[float, ...]:
    steps = content.get("steps")
    if not isinstance(steps, list) or not 1 <= len(steps) <= 20:
        raise AssignmentError("steps: expected 1 to 20 percentages")
    found = tuple(_plain(step, "steps") for step in steps)
    if not all(0 < step <= 100 for step in found) or list(found) != sorted(set(found)):
        raise AssignmentError("steps: expected rising percentages above 0, at most 100")
    return found


def _mapping(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = content.get(name)
    if not isinstance(value, dict):
        raise AssignmentError(f"{name} is missing or no mapping")
    return value


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 300:
        raise AssignmentError(f"{name} is missing or no short text")
    return value


def _hash(content: Mapping[str, Any], name: str) -> str:
    value = _text(content, name)
    if not _SHA256.fullmatch(value):
        raise AssignmentError(f"{name} is no sha256")
    return value


def _whole(content: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise AssignmentError(f"{name} is no whole number from {low} to {high}")
    return value


def _number(content: Mapping[str, Any], name: str, high: float) -> float:
    value = _plain(content.get(name), name)
    if not 0 <= value <= high:
        raise AssignmentError(f"{name} is not within 0..{high:g}")
    return value


def _plain(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AssignmentError(f"{name} is missing or no number")
    return float(value)


def _flag(content: Mapping[str, Any], name: str) -> bool:
    value = content.get(name)
    if not isinstance(value, bool):
        raise AssignmentError(f"{name} is neither true nor false")
    return value


def _one_of(content: Mapping[str, Any], name: str, words: tuple[Any, ...]) -> Any:
    value = content.get(name)
    if value not in words or not isinstance(value, str):
        raise AssignmentError(f"{name}: expected one of {', '.join(words)}")
    return value
