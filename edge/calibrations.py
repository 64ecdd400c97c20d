"""Calibrations on disk, and which one is in force.

A calibration counts only once a person has applied it: the line then remembers its id and the hash
of its file. It belongs to one bundle, one runtime on one machine type, and one view. Where any of
them differs there is none in force, and `Choice.why` says what.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.files import write_atomically
from edge.log import log
from edge.records import Cuts
from edge.store.durable import make_directory

SCHEMA = "calibration/1"
STATE_APPLIED = "calibration.applied"
STATE_DIGEST = "calibration.applied_sha256"
ID = re.compile(r"^[0-9a-f-]{36}$")
MOST_SHOWN = 60


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
    return _parse(path.read_bytes(), path)


def _parse(data: bytes, path: Path) -> Calibration:
    try:
        content = json.loads(data, parse_constant=_no_number)
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


def find(folders: Iterable[Path], calibration_id: str) -> tuple[Calibration, str]:
    """The calibration with this id, and the sha256 of its file.

    Raises ValueError where there is none or it cannot be read, OSError.
    """
    if not ID.match(calibration_id):
        raise ValueError(f"{calibration_id!r} is no id of a calibration")
    for folder in folders:
        path = folder / f"{calibration_id}.json"
        if path.exists():
            data = path.read_bytes()
            made = _parse(data, path)
            if made.id != calibration_id:
                raise ValueError(f"{path} holds the calibration {made.id}")
            return made, hashlib.sha256(data).hexdigest()
    raise ValueError(f"there is no calibration {calibration_id} at this station")


def in_force(
    folders: Iterable[Path],
    binding: Binding,
    made_with: Mapping[str, object],
    state: Callable[[str], str | None],
) -> Choice:
    """The calibration that was applied, where it still belongs to this station.

    `state` is what the line remembers, `made_with` what is so now; it only says in words what
    differs.
    """
    folders = list(folders)
    applied = state(STATE_APPLIED)
    if applied is None:
        return Choice(None, _none_applied(folders, binding))
    try:
        calibration, digest = find(folders, applied)
    except (OSError, ValueError) as error:
        return Choice(None, f"the calibration that was applied cannot be read: {error}")
    if digest != state(STATE_DIGEST):
        return Choice(None, f"the file of calibration {applied} was changed after it was applied")
    if why := misfit(calibration, binding, made_with):
        return Choice(None, f"calibration {applied} was made for {why}")
    return Choice(calibration, f"calibration {applied}")


def misfit(
    calibration: Calibration, binding: Binding, made_with: Mapping[str, object]
) -> str | None:
    """In words what of its binding differs from this one; None where nothing does."""
    then, now = asdict(calibration.binding), asdict(binding)
    differs = [name for name in then if then[name] != now[name]]
    if not differs:
        return None
    noted = calibration.content.get("made_with")
    known = noted if isinstance(noted, dict) else {}
    changed = [
        f"{name} was {_short(known.get(name))}, is {_short(made_with.get(name))}"
        for name in sorted(known.keys() | made_with.keys())
        if known.get(name) != made_with.get(name)
    ]
    said = f"another {' and '.join(differs)}"
    return f"{said} ({'; '.join(changed)})" if known and changed else said


def _none_applied(folders: list[Path], binding: Binding) -> str:
    known = read_all(folders)
    fitting = [calibration for calibration in known if calibration.binding == binding]
    if fitting:
        newest = max(fitting, key=lambda calibration: calibration.id)
        return f"no calibration is applied; {newest.id} fits"
    return "no calibration is applied" if known else "no calibration was made yet"


def _short(value: object) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def write(folder: Path, content: Mapping[str, object]) -> Path:
    """Keep a calibration under its id. Raises OSError."""
    make_directory(folder)
    path = folder / f"{content['id']}.json"
    write_atomically(path, json.dumps(content, indent=1, allow_nan=False).encode())
    return path
