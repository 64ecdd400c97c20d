"""Many pictures at once: what the model says about each, as on the line. Nothing is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from camera.familiar import Familiar
from camera.folder import FolderSource
from camera.frame import Frame
from camera.quality import doubts, measure
from edge.calibrating.scoring import fitting
from edge.inspection import Model, Setup, shown
from inference.prediction import NoPrediction


@dataclass(frozen=True, slots=True)
class Scored:
    """One picture. `score` and `label` are None where the model gave no answer; `fault` says why.

    `doubts` are the names of the reasons for which the line would ask a person whatever the score.
    """

    file: str
    score: float | None
    label: str | None
    doubts: tuple[str, ...]
    fault: str | None = None

    def as_json(self) -> dict[str, object]:
        """One line of `score --json`."""
        return {
            "file": self.file,
            "score": self.score,
            "label": self.label,
            "doubts": list(self.doubts),
            "fault": self.fault,
        }


def score_all(
    folder: Path, setup: Setup, familiar: Familiar | None, model: Model
) -> Iterator[Scored]:
    """Every picture below `folder`, in order of the paths. Raises CameraError without pictures.

    A picture of another size than the camera's (or the ROI's) is shown whole to the model and has
    the doubt `wrong_size`. One that is damaged has a doubt and no score.
    """
    source = FolderSource(folder)
    source.open()
    try:
        while (frame := source.read()) is not None:
            yield _scored(frame, setup, familiar, model)
    finally:
        source.close()


def _scored(frame: Frame, setup: Setup, familiar: Familiar | None, model: Model) -> Scored:
    file = frame.tags["file"]
    found = [doubt.name for doubt in frame.doubts]
    if frame.image is None:
        return Scored(file, None, None, tuple(found), "no_picture")
    fits = fitting(frame.image, setup)
    if fits is None:
        found.append("wrong_size")
        fits = replace(setup, roi=None, size=None)
    picture, unusable = shown(frame, fits)
    found += [doubt.name for doubt in unusable]
    if picture is None:
        return Scored(file, None, None, tuple(found), "no_picture")
    measures = measure(picture)
    more = doubts(measures, setup.limits)
    more += familiar.doubts(measures) if familiar is not None else ()
    found += [doubt.name for doubt in more]
    try:
        answer = model.predict(picture)
    except NoPrediction as failure:
        return Scored(file, None, None, tuple(found), failure.code)
    if answer.not_a_part:
        found.append("not_a_part")
    return Scored(file, answer.score, answer.label, tuple(dict.fromkeys(found)))
