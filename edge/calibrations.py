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
    try:
        content = json.loads(path.read_bytes(), parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError(f"{path}: nested too deep") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ValueError(f"{path}: not a {SCHEMA}")
    binding = Binding(*(_text(content, name, path) for name in Binding.__slots__))
    low, high = _share(content, "accept_below", path), _share(content, "reject_above", path)
    if not low <= high:
        raise ValueError(f"{path}: accept_below {low} is above reject_above {high}")
    certified, found_id = content.get("certified") is True, _text(content, "id", path)
    made = Calibration(found_id, binding, Cuts(low, high, certified, found_id), content)
    if made.familiar is not None:
        from camera.familiar import Familiar

        Familiar.from_json(made.familiar)
    return made


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _text(content: Mapping[str, object], name: str, path: Path) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{path}: {name} is missing or no text")
    return value


def _share(content: Mapping[str, object], name: str, path: Path) -> float:
    """A cut: in 0..1, or the next float after 1, which nothing reaches."""
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{path}: {name} is missing or no number")
    if not 0 <= value <= math.nextafter(1, 2):
        raise ValueError(f"{path}: {name} {value} is not within 0..1")
    return float(value)


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
