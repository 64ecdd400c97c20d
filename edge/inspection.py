"""One part's whole journey, from a frame to its record. Pure: everything is passed in.

frame → doubts found by the source → ROI → measured → model → decided → Inspection
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import cv2

from camera.familiar import Familiar
from camera.frame import Doubt, Frame, Image, Roi
from camera.quality import Limits, doubts, measure
from edge.decision.policy import Choice, Trouble, decide, valid
from edge.decision.spot_checks import Draw
from edge.records import (
    Cuts,
    Degree,
    Inspection,
    Json,
    Latency,
    Moment,
    Origin,
)
from inference.prediction import Late, ModelFault, NoPrediction, Prediction

TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
PILOT: frozenset[Degree] = frozenset({"human_only", "shadow"})
"""Where a person decides every part, and may be asked about a sample only."""


class Model(Protocol):
    """What the inspection needs of a model."""

    def predict(self, image: Image, meanwhile: Callable[[], object] | None = None) -> Prediction:
        """The answer for this picture, or NoPrediction. `meanwhile` may be called while waiting."""
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
    """What is in force for the next part. Replaced as a whole, never changed.

    Without `ask_all`, in human_only and shadow, nobody is asked: the line's existing inspection has
    the word. Where the model decides, what it leaves open is always asked.
    """

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
    draw: Draw | None = None,
) -> Inspection:
    """The record of one part. Never raises for anything that a picture or a model can do.

    `more_doubts` are those that need memory of earlier frames (`frozen`, `stale`). `draw` is the
    draw for a spot check, made before anything about the part was known; it never changes the
    decision.
    """
    picture, unusable = shown(frame, setup)
    examination = _Examination(picture, setup, ruling.familiar, watch.now_ns)
    asked_ns = watch.now_ns()
    model = None if ruling.degree == "human_only" else model
    answer, trouble = _predict(model, picture, examination)
    answered_ns = watch.now_ns()
    found = (*frame.doubts, *unusable, *examination.make(), *more_doubts)
    if answer is not None and answer.not_a_part:
        found = (*found, Doubt("not_a_part"))
    choice = _choose(answer, trouble, found, ruling)
    decided_ns = watch.now_ns()
    return Inspection(
        id=new_id,
        origin=setup.origin,
        captured=Moment(frame.captured_at, frame.monotonic_ns, clock_synced),
        decision=choice.decision,
        reason=choice.reason,
        automation=ruling.degree,
        part_id=_plain(frame.part_id),
        model=setup.model if answer else None,
        runtime=setup.runtime if answer else None,
        cuts=ruling.cuts,
        score=answer.score if answer else None,
        label=answer.label if answer else None,
        scores=answer.scores if answer else None,
        would_be=choice.would_be,
        doubts=tuple(_recordable(doubt) for doubt in found),
        fault=None if trouble is None or isinstance(trouble, Late) else trouble.code,
        asked=_drawn(draw) or (choice.decision == "escalate" and _asks(ruling)),
        spot_check=None if draw is None else draw.as_json(),
        latency=Latency(
            wait=max(0, watch.began_ns - frame.monotonic_ns) / 1e6,
            quality=examination.took_ns / 1e6,
            inference=(answered_ns - asked_ns) / 1e6,
            total=max(0, decided_ns - frame.monotonic_ns) / 1e6,
        ),
        view=setup.view,
        tags=_plain_tags(frame.tags),
        truth=_plain(frame.truth),
    )


def overrun(
    frame: Frame, setup: Setup, ruling: Ruling, *, new_id: str, clock_synced: bool
) -> Inspection:
    """The record of a part that came while the line was busy. There is no picture of it."""
    return Inspection(
        id=new_id,
        origin=setup.origin,
        captured=Moment(frame.captured_at, frame.monotonic_ns, clock_synced),
        decision="escalate",
        reason="overrun",
        automation=ruling.degree,
        part_id=_plain(frame.part_id),
        cuts=ruling.cuts,
        asked=_asks(ruling),
        view=setup.view,
        tags=_plain_tags(frame.tags),
        truth=_plain(frame.truth),
    )


def shown(frame: Frame, setup: Setup) -> tuple[Image | None, tuple[Doubt, ...]]:
    """The picture that the model is shown; None and a doubt where there is none to show."""
    image = frame.image
    if image is None:
        return None, () if frame.doubts else (Doubt("no_picture"),)
    if wrong := _unusable(image, setup):
        return None, (wrong,)
    if setup.roi is not None:
        image = setup.roi.crop(image)
    if setup.rotate:
        image = cv2.rotate(image, TURNS[setup.rotate]).astype("uint8", copy=False)
    return image, ()


def examine(image: Image, setup: Setup, familiar: Familiar | None = None) -> tuple[Doubt, ...]:
    """What is doubtful about a picture as the model is shown it."""
    measures = measure(image)
    found = doubts(measures, setup.limits)
    return found if familiar is None else (*found, *familiar.doubts(measures))


class _Examination:
    """The examination of one picture: made once, while the child works if it is asked."""

    __slots__ = ("_familiar", "_found", "_image", "_now_ns", "_setup", "took_ns")

    def __init__(
        self,
        image: Image | None,
        setup: Setup,
        familiar: Familiar | None,
        now_ns: Callable[[], int],
    ) -> None:
        self.took_ns = 0
        self._image = image
        self._setup = setup
        self._familiar = familiar
        self._now_ns = now_ns
        self._found: tuple[Doubt, ...] | None = () if image is None else None

    def make(self) -> tuple[Doubt, ...]:
        """The doubts; looked for at the first call."""
        if self._found is None:
            assert self._image is not None
            began_ns = self._now_ns()
            try:
                self._found = examine(self._image, self._setup, self._familiar)
            except Exception:  # what cannot be looked at cannot be trusted
                self._found = (Doubt("unmeasurable"),)
            self.took_ns = self._now_ns() - began_ns
        return self._found


def _predict(
    model: Model | None, picture: Image | None, examination: _Examination
) -> tuple[Prediction | None, NoPrediction | None]:
    """The model's answer or why there is none; neither where nothing was asked."""
    if picture is None or model is None:
        return None, None
    try:
        answer = model.predict(picture, examination.make)
    except NoPrediction as failure:
        return None, failure
    except Exception as failure:  # a mistake of ours must cost one part, not the line
        return None, ModelFault("failed", f"{type(failure).__name__}: {failure}")
    if not _sound(answer):
        return None, ModelFault("nonsense", "a probability that is none")
    return answer, None


def _unusable(image: Image, setup: Setup) -> Doubt | None:
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or not image.size:
        return Doubt("wrong_channels", float(image.shape[2]) if image.ndim == 3 else None)
    height, width = image.shape[:2]
    if setup.size is not None and (width, height) != setup.size:
        return Doubt("wrong_size", float(width * height), float(setup.size[0] * setup.size[1]))
    if setup.roi is not None and not setup.roi.fits(image):
        return Doubt("wrong_size", float(width * height))
    return None


def _choose(
    answer: Prediction | None,
    trouble: NoPrediction | None,
    found: tuple[Doubt, ...],
    ruling: Ruling,
) -> Choice:
    kind: Trouble | None = None
    if trouble is not None:
        kind = "late" if isinstance(trouble, Late) else "fault"
    score = None if answer is None else answer.score
    return decide(score, ruling.cuts, ruling.degree, doubtful=bool(found), trouble=kind)


def _asks(ruling: Ruling) -> bool:
    return ruling.ask_all or ruling.degree not in PILOT


def _drawn(draw: Draw | None) -> bool:
    return draw is not None and draw.drawn


def _sound(answer: Prediction) -> bool:
    """Whether every number is one that can be recorded, the score a probability."""
    return valid(answer.score) and all(math.isfinite(share) for share in answer.scores.values())


def _recordable(doubt: Doubt) -> Json:
    shown = doubt.as_json()
    for name in ("measured", "limit"):
        number = shown[name]
        if isinstance(number, float) and not math.isfinite(number):
            shown[name] = None
    return shown


def _plain(text: str | None) -> str | None:
    """The text in UTF-8: names of files may hold other bytes, and the part must be recorded."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def _plain_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {str(_plain(name)): str(_plain(value)) for name, value in tags.items()}
