"""Labelled pictures in a folder: what each file's name, bytes and sidecar say about it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from camera.folder import SUFFIXES, truth_of
from edge.calibrating.gathered import Unusable
from edge.calibrating.once import Shot

SIDECAR = "captured/1"
PART = re.compile(r"(?:^|[^a-z])part[-_=]([a-z0-9]*\d[a-z0-9]*)", re.IGNORECASE)
"""A part id in a file's name: `part-17.jpg`, `left_part=A17_2.png`; up to the next separator."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One file. `kind` is good or defect; `type` the defect's, where its folder says so.

    `source` is the view that the camera command noted, without ROI and rotation.
    """

    path: Path
    kind: str
    type: str | None
    shot: Shot
    source: Mapping[str, object] | None


def listing(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures below `good/` and `defect/`, in order of their paths; then those elsewhere.

    Raises Unusable where there is no labelled picture.
    """
    if not folder.is_dir():
        raise Unusable(f"{folder} is no folder")
    labelled: list[Path] = []
    others: list[Path] = []
    for path in sorted(folder.rglob("*")):
        file = _below(folder, path)
        if path.suffix.lower() in SUFFIXES and not _hidden(file) and path.is_file():
            (others if truth_of(file) is None else labelled).append(path)
    if not labelled:
        raise Unusable(
            f"{folder} has no pictures in good/ or defect/TYPE/",
            "edge-inspect camera capture DIR --label good takes them",
        )
    return labelled, others


def read_labelled(folder: Path, path: Path) -> tuple[Labelled, bytes]:
    """The file's bytes, and what is known about it. Raises OSError."""
    data = path.read_bytes()
    truth = truth_of(_below(folder, path)) or ""
    kind, _, type_ = truth.partition("/")
    note = _sidecar(path)
    part = note.get("part_id")
    named = PART.search(path.stem)
    shot = Shot(
        sha256=hashlib.sha256(data).hexdigest(),
        label=kind,
        part=part if isinstance(part, str) and part else named[1].lower() if named else None,
        taken=_seconds(note.get("captured_at")),
    )
    source = note.get("source")
    return Labelled(
        path, kind, type_ or None, shot, source if isinstance(source, dict) else None
    ), data


def _sidecar(path: Path) -> Mapping[str, object]:
    """What `camera capture` noted beside the picture; nothing where there is no such note."""
    try:
        note = json.loads(path.with_suffix(".json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) and note.get("schema") == SIDECAR else {}


def _seconds(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _below(folder: Path, path: Path) -> PurePosixPath:
    return PurePosixPath(path.relative_to(folder).as_posix())


def _hidden(file: PurePosixPath) -> bool:
    return any(part.startswith(".") for part in file.parts)
