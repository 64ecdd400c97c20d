"""The models of a station as a command sees them, with the line running or not. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from edge import bundles
from edge.rollout.course import Known
from edge.rollout.pairs import FOLDER
from edge.rollout.shown import shown
from edge.rollout.spare import Spare, recalled
from edge.rollout.standing import FACTORY, NOTHING, SLOTS, Place, Standing
from edge.rollout.starting import starting
from edge.status import of_service
from edge.store.archive import Archive

if TYPE_CHECKING:
    from edge.config import Config

WORDS = ("active", "candidate", "previous", FACTORY, *SLOTS)
"""Names of the station's own bundles, wherever a command takes a bundle."""


def standing(config: Config) -> Standing:
    """What line.db remembers, as the line would begin with it. Must run as the owner. Raises
    sqlite3.Error, ConfigError."""
    bundle, _ = bundles.usable(config.model.bundle)
    factory = NOTHING
    if bundle is not None:
        factory = Place(FACTORY, bundle.digest, bundle.name, bundle.version)
    with Archive(config.state_dir / "line.db") as archive:
        found = recalled(archive.state, factory, Spare(config.state_dir))
    return starting(found, lambda _: True, 0.0, "").standing


def rollout(config: Config) -> Mapping[str, object]:
    """The member `rollout` of the line's status: as it says, or, while it is stopped, from what it
    remembers. Raises sqlite3.Error, ConfigError."""
    line = of_service(config, "line")
    told = line.content.get("rollout")
    if line.running and isinstance(told, dict):
        return told
    return shown(standing(config), Known(), {}, 0.0)


def folder(config: Config, slot: str) -> Path:
    """Where the bundle of a slot lies. Raises ConfigError for a factory bundle that is not."""
    if slot == FACTORY:
        return bundles.folder(config.model.bundle)
    return config.state_dir / "slots" / slot


def slot_of(found: Standing, word: str) -> str | None:
    """The slot that one of WORDS means now; None where there is no such bundle."""
    if word in (FACTORY, *SLOTS):
        return word
    if word == "active":
        return found.active.slot
    if word == "previous":
        return None if found.back is None else found.back.slot
    return None if found.candidate is None else found.candidate.slot


def calibration_of(found: Standing, slot: str) -> str | None:
    """The calibration by which the bundle of a slot decides, or is going to."""
    candidate = found.beside
    if candidate is not None and candidate.slot == slot:
        return candidate.calibration
    places = (found.active, found.previous, found.factory)
    return next((one.calibration for one in places if one is not None and one.slot == slot), None)


def roles(found: Standing) -> dict[str, str]:
    """What the bundle of each slot is for now, by slot."""
    told = {FACTORY: "configured"}
    if found.back is not None:
        told[found.back.slot] = "previous"
    beside = found.beside
    if beside is not None and beside.slot is not None:
        told[beside.slot] = f"candidate, {beside.state}"
    told[found.active.slot] = "active, on trial" if found.on_trial else "active"
    return told


def pairs_file(config: Config, found: Standing) -> Path | None:
    """What both models said of the same parts: of the candidate, else of the one before."""
    places = config.state_dir / FOLDER
    for one in (found.candidate, found.last):
        path = None if one is None else places / f"{one.id}.jsonl"
        if path is not None and path.exists():
            return path
    return max(places.glob("*.jsonl"), default=None, key=lambda path: path.name)
