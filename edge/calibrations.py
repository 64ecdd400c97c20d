"""Calibrations on disk, and which one is in force.

A calibration belongs to one bundle, one runtime on one machine type, and one view. Where any of
them differs there is none, and `Choice.why` says which. The newest id that fits counts (ids are
version 7 UUIDs, in order of their making).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.files import write_atomically
from edge.log import log
from edge.records import Cuts

SCHEMA = "calibration/1"


@dataclass(frozen=True, slots=True)
class Binding:
    """What a calibration belongs to."""

    bundle: str
    runtime: str
    machine: str
    view: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """One calibration: cuts, what they belong to, and the whole file as evidence."""

    id: str
    binding: Binding
    cuts: Cuts
    content: Mapping[str, object]

    @property
    def familiar(self) -> Mapping[str, object] | None:
        """The range of pictures that it was made from, where it was learnt."""
        familiar = self.content.get("familiar")
        return familiar if isinstance(familiar, dict) else None


@dataclass(frozen=True, slots=True)
class Choice:
    """The calibration in force, or why there is none."""

    calibration: Calibration | None
    why: str


def read(path: Path) -> Calibration:
    """One file. Raises ValueError or OSError where it is no calibration."""
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"{path}: not a {SCHEMA}")
    try:
        binding = Binding(
            str(content["bundle"]),
            str(content["runtime"]),
            str(content["machine"]),
            str(content["view"]),
        )
        low, high = float(content["accept_below"]), float(content["reject_above"])
        certified, found_id = content["certified"] is True, str(content["id"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error} is missing or not of its type") from error
    if not (0 <= low <= high <= math.nextafter(1, 2)):
        raise ValueError(f"{path}: cuts {low} and {high} are not in order within 0..1")
    return Calibration(found_id, binding, Cuts(low, high, certified, found_id), content)


def read_all(folders: Iterable[Path]) -> list[Calibration]:
    """Every calibration in these folders; a file that is none is named in the log and left out."""
    found = []
    for folder in folders:
        for path in sorted(folder.glob("*.json")):
            try:
                found.append(read(path))
            except (OSError, ValueError) as error:
                log.warning("calibration.unreadable", file=path, error=error)
    return found


def choose(calibrations: Iterable[Calibration], binding: Binding) -> Choice:
    """The newest that belongs to this bundle, runtime, machine and view."""
    known = sorted(calibrations, key=lambda calibration: calibration.id, reverse=True)
    for calibration in known:
        if calibration.binding == binding:
            return Choice(calibration, f"calibration {calibration.id}")
    if not known:
        return Choice(None, "no calibration was made yet")
    wanted, nearest = asdict(binding), asdict(known[0].binding)
    differs = [name for name in wanted if wanted[name] != nearest[name]]
    return Choice(None, f"the newest calibration was made for another {' and '.join(differs)}")


def write(folder: Path, content: Mapping[str, object]) -> Path:
    """Keep a calibration under its id. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{content['id']}.json"
    write_atomically(path, json.dumps(content, indent=1, allow_nan=False).encode())
    return path
