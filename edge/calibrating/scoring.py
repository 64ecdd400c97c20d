"""Scores of labelled pictures by the transform and the child that the line uses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from camera.decode import decode
from camera.familiar import FEWEST, learn
from camera.frame import Frame, Image
from camera.quality import Measures, doubts, measure
from edge.calibrating.gathered import Gathered, Heap, Unusable, fingerprint, lost
from edge.calibrating.once import once
from edge.calibrating.pictures import Labelled, listing, read_labelled
from edge.calibrating.resemblance import resembling
from edge.decision.evidence import Samples
from edge.inspection import Model, Setup, shown
from edge.store.encoding import lossy
from inference.bundle import Bundle
from inference.prediction import NoPrediction
from inference.worker import Worker

READY_S = 20.0
MOST_DEATHS = 3
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """How pictures of a dataset become what the model is shown.

    `as_is` shows those of any other size whole. `source` is the camera's view without ROI; None
    where files do not come from a camera that could be compared.
    """

    setup: Setup
    as_is: bool = False
    source: dict[str, object] | None = None


@dataclass(slots=True)
class _Usable:
    """A picture that counts, unless another one of its part does."""

    about: Labelled
    measures: Measures
    lossy: bool
    score: float = 0.0
    fault: str | None = None


class NoModel(Unusable):
    """The model does not run, or not any longer."""


@contextmanager
def scorer(bundle: Bundle, threads: int, memory_mb: int | None = None) -> Iterator[Worker]:
    """The bundle's model in a child, ready, without a deadline. Raises NoModel."""
    worker = Worker(bundle, threads, memory_mb=memory_mb)
    worker.start()
    try:
        if not worker.wait_ready(READY_S):
            raise NoModel(f"the model does not start: {worker.last_fault}", "edge-inspect check")
        yield worker
    finally:
        worker.close()


def score_folder(folder: Path, shape: Shape, model: Model, progress: Progress) -> Gathered:
    """Every labelled picture below `folder`, each part once.

    Damaged and doubtful pictures, and those that the model gives no answer about, are left out and
    named: on the line a person decides about such parts. Raises Unusable (a wrong size, one
    picture labelled both ways, no picture), OSError.
    """
    paths, others = listing(folder)
    heap = Heap()
    for path in others:
        heap.add("neither below good/ nor below defect/", _name(folder, path))
    usable: list[_Usable] = []
    reader = _Reader(folder, shape, model, heap)
    for number, path in enumerate(paths, 1):
        found = reader.read(path, number)
        if found is not None:
            usable.append(found)
        progress(number, len(paths))
    counted = _counted(folder, usable, heap)
    return _gathered(folder, counted, reader.odd, heap)


class _Reader:
    """Reads, examines and scores one picture after the other."""

    def __init__(self, folder: Path, shape: Shape, model: Model, heap: Heap) -> None:
        self.odd = 0
        self._folder, self._shape, self._model, self._heap = folder, shape, model, heap

    def read(self, path: Path, number: int) -> _Usable | None:
        """The picture with its score; None, and a reason on the heap, where it is left out."""
        name = _name(self._folder, path)
        about, data = read_labelled(self._folder, path)
        image, found = decode(data)
        if image is None or found:
            why = ", ".join(doubt.name for doubt in found) or "not a picture"
            self._heap.add(f"damaged: {why}", name)
            return None
        source = self._shape.source
        if source is not None and about.source is not None and about.source != source:
            self._heap.add("taken with another view of the camera (exposure, size …)", name)
            return None
        picture = self._picture(image, name, number)
        measures = measure(picture)
        if odd := doubts(measures, self._shape.setup.limits):
            self._heap.add(f"doubtful: {', '.join(doubt.name for doubt in odd)}", name)
            return None
        return self._score(_Usable(about, measures, lossy(data)), picture)

    def _picture(self, image: Image, name: str, number: int) -> Image:
        setup = fitting(image, self._shape.setup)
        if setup is None:
            if not self._shape.as_is:
                raise Unusable(*_wrong_size(image, name, self._shape.setup))
            self.odd += 1
            setup = replace(self._shape.setup, roi=None, size=None)
        picture, found = shown(Frame(image, 0, 0.0, number), setup)
        if picture is None:
            raise Unusable(f"{name}: {found[0].name}")
        return picture

    def _score(self, usable: _Usable, picture: Image) -> _Usable:
        try:
            answer = self._model.predict(picture)
        except NoPrediction as failure:
            usable.fault = f"the model gave no answer: {failure.code}"
            if isinstance(self._model, Worker):
                self._again(self._model)
            return usable
        if answer.not_a_part:
            usable.fault = "doubtful: not_a_part"
        usable.score = answer.score
        return usable

    def _again(self, worker: Worker) -> None:
        """Go on with a new child; not for ever with a model that kills one after the other."""
        if len(worker.deaths) >= MOST_DEATHS or not worker.wait_ready(READY_S):
            raise NoModel(f"the model has died: {worker.last_fault}")


def fitting(image: Image, setup: Setup) -> Setup | None:
    """The setup under which this picture is one of this camera; None where its size is another.

    A picture of the camera's size gets the ROI; one of the ROI's size has got it already.
    """
    size = int(image.shape[1]), int(image.shape[0])
    roi = setup.roi
    if setup.size == size:
        return setup
    if roi is not None and size == (roi.width, roi.height):
        return replace(setup, roi=None, size=None)
    if setup.size is None and (roi is None or roi.fits(image)):
        return setup
    return None


def _wrong_size(image: Image, name: str, setup: Setup) -> tuple[str, str]:
    wanted = [] if setup.size is None else [f"{setup.size[0]}x{setup.size[1]} (the camera's)"]
    if setup.roi is not None:
        wanted.append(f"{setup.roi.width}x{setup.roi.height} (the ROI's)")
    shown_size = f"{image.shape[1]}x{image.shape[0]}"
    what = f"{name} is {shown_size}; pictures must be {' or '.join(wanted)}"
    return what, "--as-is takes them all the same; the cuts are then not certified"


def _counted(folder: Path, usable: list[_Usable], heap: Heap) -> list[_Usable]:
    """One picture of each part, chosen before its score is looked at."""
    _refuse_contradictions(folder, usable)
    chosen = once([one.about.shot for one in usable])
    counted = []
    for index, one in enumerate(usable):
        name = _name(folder, one.about.path)
        if chosen[index] != index:
            heap.add("another picture of the same part counts", name)
        elif one.fault is not None:
            heap.add(one.fault, name)
        else:
            counted.append(one)
    return counted


def _refuse_contradictions(folder: Path, usable: Iterable[_Usable]) -> None:
    labels: dict[str, _Usable] = {}
    for one in usable:
        other = labels.setdefault(one.about.shot.sha256, one)
        if other.about.kind != one.about.kind:
            names = f"{_name(folder, other.about.path)} and {_name(folder, one.about.path)}"
            raise Unusable(f"{names} are the same picture with two labels", "remove one of them")


def _gathered(folder: Path, counted: list[_Usable], odd: int, heap: Heap) -> Gathered:
    samples = Samples.of(
        [
            (one.score, shot.label == "defect", one.about.type, shot.sha256, shot.part)
            for one in counted
            for shot in (one.about.shot,)
        ],
        [one.about.path.absolute() for one in counted],
    )
    measures = [one.measures for one in counted]
    taken = (f"{odd} pictures of another size were taken as they are",) if odd else ()
    return Gathered(
        source="pictures",
        name=str(folder),
        samples=samples,
        fingerprint=fingerprint(samples),
        left_out=heap.left_out(),
        resembling=resembling([measured.thumbnail for measured in measures]),
        doubtful=taken + lost(sum(one.lossy for one in counted)),
        familiar=learn(measures).as_json() if len(measures) >= FEWEST else None,
    )


def _name(folder: Path, path: Path) -> str:
    return os.fsencode(path.relative_to(folder)).decode(errors="replace")
