"""One part's whole journey, from a frame to its record. Pure: everything is passed in.

frame → doubts found by the source → ROI → measured → model → decided → Inspection
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2

from camera.familiar import Familiar
from camera.frame import Doubt, Frame, Image, Roi
from camera.quality import Limits, doubts, measure
from edge.decision.policy import Choice, Trouble, decide, valid
from edge.records import (
    Cuts,
    Degree,
    Inspection,
    Json,
    Latency,
    Moment,
    Origin,
)
from inference.prediction import Late, NoPrediction, Prediction

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
WITHOUT_PICTURE = frozenset({"wrong_size"})
"""Doubts after which there is nothing that the model could be shown."""


class Model(Protocol):
    """What the inspection needs of a model."""

    def predict(self, image: Image) -> Prediction:
        """The answer for this picture, or NoPrediction."""
        ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What stays the same for every part of a run."""

    origin: Origin
    view: str
    model: Json | None
    runtime: str | None
    roi: Roi | None = None
    rotate: int = 0
    size: tuple[int, int] | None = None
    limits: Limits = Limits()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is in force for the next part. Replaced as a whole, never changed."""

    degree: Degree
    cuts: Cuts | None = None
    familiar: Familiar | None = None
    ask_all: bool = True


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """The monotonic clock and the moment at which the line began to work on the part."""

    now_ns: Callable[[], int]
    began_ns: int


def inspect(
    frame: Frame,
    setup: Setup,
    ruling: Ruling,
    model: Model | None,
    watch: Stopwatch,
    *,
    new_id: str,
    clock_synced: bool,
    more_doubts: tuple[Doubt, ...] = (),
) -> Inspection:
    """The record of one part. Never raises for anything that a picture or a model can do.

    `more_doubts` are those that need memory of earlier frames (`frozen`, `stale`).
    """
    picture, found = look(frame, setup, ruling.familiar)
    found = (*frame.doubts, *found, *more_doubts)
    measured_ns = watch.now_ns()
    answer: Prediction | None = None
    trouble: NoPrediction | None = None
    if picture is not None and model is not None and ruling.degree != "human_only":
        try:
            answer = model.predict(picture)
        except NoPrediction as failure:
            trouble = failure
    if answer is not None and answer.not_a_part:
        found = (*found, Doubt("not_a_part"))
    score = None if answer is None else answer.score
    choice = _choose(score, trouble, found, ruling)
    said = answer if valid(score) else None
    decided_ns = watch.now_ns()
    return Inspection(
        id=new_id,
        origin=setup.origin,
        captured=Moment(frame.captured_at, frame.monotonic_ns, clock_synced),
        decision=choice.decision,
        reason=choice.reason,
        automation=ruling.degree,
        part_id=frame.part_id,
        model=setup.model if said else None,
        runtime=setup.runtime if said else None,
        cuts=ruling.cuts,
        score=said.score if said else None,
        label=said.label if said else None,
        scores=said.scores if said else None,
        would_be=choice.would_be,
        doubts=tuple(doubt.as_json() for doubt in found),
        fault=_fault(score, trouble),
        asked=choice.decision == "escalate" and ruling.ask_all,
        latency=_latency(frame, watch.began_ns, measured_ns, decided_ns),
        view=setup.view,
        tags=frame.tags,
        truth=frame.truth,
    )


def overrun(
    frame: Frame, setup: Setup, ruling: Ruling, *, new_id: str, clock_synced: bool
) -> Inspection:
    """The record of a part that came while the line was busy: a person must look."""
    return Inspection(
        id=new_id,
        origin=setup.origin,
        captured=Moment(frame.captured_at, frame.monotonic_ns, clock_synced),
        decision="escalate",
        reason="overrun",
        automation=ruling.degree,
        part_id=frame.part_id,
        cuts=ruling.cuts,
        asked=True,
        view=setup.view,
        tags=frame.tags,
        truth=frame.truth,
    )


def look(
    frame: Frame, setup: Setup, familiar: Familiar | None = None
) -> tuple[Image | None, tuple[Doubt, ...]]:
    """The picture that the model is shown (None: there is none to show), and what is doubtful."""
    image = frame.image
    if image is None:
        return None, () if frame.doubts else (Doubt("no_picture"),)
    if wrong := _wrong_size(image, setup):
        return None, (wrong,)
    if setup.roi is not None:
        image = setup.roi.crop(image)
    if setup.rotate:
        image = cv2.rotate(image, TURNS[setup.rotate]).astype("uint8", copy=False)
    measures = measure(image)
    found = doubts(measures, setup.limits)
    if familiar is not None:
        found = (*found, *familiar.doubts(measures))
    return image, found


def _wrong_size(image: Image, setup: Setup) -> Doubt | None:
    height, width = image.shape[:2]
    if setup.size is not None and (width, height) != setup.size:
        return Doubt("wrong_size", float(width * height), float(setup.size[0] * setup.size[1]))
    if setup.roi is not None and not setup.roi.fits(image):
        return Doubt("wrong_size", float(width * height))
    return None


def _choose(
    score: float | None,
    trouble: NoPrediction | None,
    found: tuple[Doubt, ...],
    ruling: Ruling,
) -> Choice:
    kind: Trouble | None = None
    if trouble is not None:
        kind = "late" if isinstance(trouble, Late) else "fault"
    return decide(score, ruling.cuts, ruling.degree, doubtful=bool(found), trouble=kind)


def _fault(score: float | None, trouble: NoPrediction | None) -> str | None:
    if trouble is not None:
        return None if isinstance(trouble, Late) else trouble.code
    return "nonsense" if score is not None and not valid(score) else None


def _latency(frame: Frame, began_ns: int, measured_ns: int, decided_ns: int) -> Latency:
    return Latency(
        wait=max(0, began_ns - frame.monotonic_ns) / 1e6,
        quality=(measured_ns - began_ns) / 1e6,
        inference=(decided_ns - measured_ns) / 1e6,
        total=max(0, decided_ns - frame.monotonic_ns) / 1e6,
    )
