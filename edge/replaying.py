"""The stored picture of a part, run again through the configured bundle, as the line would."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from camera.decode import decode
from camera.frame import Frame
from edge import cameras
from edge.inspection import Ruling, Stopwatch, inspect
from edge.records import Origin
from edge.running import running, with_digest
from edge.seating import make_setup
from edge.store.encoding import lossy
from inference.bundle import Bundle
from inference.worker import Worker

if TYPE_CHECKING:
    from edge.config import Config

READY_WITHIN_S = 20.0


class CannotReplay(Exception):
    """There is nothing to run again, or nothing to run it with; the message says which."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came out, beside what was recorded; `notes` say what is not as it was."""

    score: float | None
    label: str | None
    doubts: tuple[str, ...]
    recorded: float | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "score": self.score,
            "label": self.label,
            "doubts": list(self.doubts),
            "recorded": self.recorded,
            "notes": list(self.notes),
        }

    def in_words(self) -> str:
        """One sentence or a few."""
        if self.score is None:
            said = "Run again, the model gave no score"
        else:
            said = f"Run again, the stored picture has the score {self.score:.6g} ({self.label})"
        was = "none was recorded" if self.recorded is None else f"recorded was {self.recorded:.6g}"
        doubts = f"; doubts now: {', '.join(self.doubts)}" if self.doubts else ""
        return " ".join([f"{said}; {was}{doubts}.", *(f"Note: {note}." for note in self.notes)])


def replay(config: Config, record: Mapping[str, Any]) -> Replayed:
    """Run the picture that an inspection names. Raises CannotReplay, ConfigError.

    The picture is checked against its hash first. Familiar ranges belong to a calibration and are
    not looked at again.
    """
    frame = _stored_frame(config, record)
    bundle = _bundle(config, record)
    view = cameras.view(config, cameras.source(config.camera))
    setup = make_setup(config, Origin(config.station.path, "", config.digest, ""), view, bundle)
    worker = Worker(bundle, config.model.threads)
    worker.start()
    try:
        if not worker.wait_ready(READY_WITHIN_S):
            raise CannotReplay(f"the model does not start: {worker.last_fault}")
        watch = Stopwatch(time.monotonic_ns, time.monotonic_ns())
        made = inspect(
            frame, setup, Ruling("shadow"), worker, watch, new_id="replay", clock_synced=False
        )
    finally:
        worker.close()
    notes = _notes(record, bundle.digest, view, setup.runtime)
    if frame.encoded is not None and lossy(frame.encoded):
        notes += ("the stored picture lost something as it was stored, after it was inspected",)
    names = tuple(str(doubt["name"]) for doubt in made.doubts)
    return Replayed(made.score, made.label, names, record["score"], notes)


def _bundle(config: Config, record: Mapping[str, Any]) -> Bundle:
    """The one that the record names, while this station still has it; else the active one."""
    model = record["model"]
    named = None if model is None else with_digest(config, model["bundle"])
    if named is not None:
        return named
    found = running(config)
    if found.bundle is None:
        raise CannotReplay(f"the bundle cannot be used: {found.why}")
    return found.bundle


def _stored_frame(config: Config, record: Mapping[str, Any]) -> Frame:
    named = record["image"]
    if named is None:
        raise CannotReplay("no picture of this part was kept")
    try:
        data = (config.state_dir / named["path"]).read_bytes()
    except OSError as error:
        raise CannotReplay(f"its picture cannot be read: {error}") from error
    if hashlib.sha256(data).hexdigest() != named["sha256"]:
        raise CannotReplay(f"{named['path']} is not the picture that was recorded")
    image, doubts = decode(data)
    return Frame(image, time.monotonic_ns(), 0.0, 0, encoded=data, doubts=doubts)


def _notes(
    record: Mapping[str, Any], bundle: str, view: str, runtime: str | None
) -> tuple[str, ...]:
    notes = []
    model = record["model"]
    if model is not None and model["bundle"] != bundle:
        notes.append(f"the bundle then was {model['name']} {model['version']}")
    if record["runtime"] not in (None, runtime):
        notes.append(f"the runtime then was {record['runtime']}")
    if record["view"] != view:
        notes.append("the view (camera, size, region) is configured differently now")
    return tuple(notes)
