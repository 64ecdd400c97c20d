"""One look at one picture: the stored file, the line's own way to the model, many covered copies.

The model runs in a child of its own that gets only what the processors have left over. The line is
not involved: neither its child nor its thread is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from camera.decode import decode
from camera.frame import Frame, Image
from edge import __version__, cameras
from edge.config import Config
from edge.config_file import ConfigError
from edge.inspection import Setup, shown
from edge.log import log
from edge.picture_file import open_picture
from edge.records import Origin
from edge.running import with_digest
from edge.web.overlay import drawn, placed
from inference.bundle import Bundle
from inference.prediction import Late, ModelFault, NoPrediction
from inference.saliency import Occlusion, Saliency, seen_by
from inference.worker import Worker
from sync.gallery import Missing, Wanted
from sync.picture import MOST_SIZE

LOOK_S = 3.0
"""How long one picture is covered again and again."""
ANSWER_S = 3.0
"""How long one answer may take: on a busy machine the child waits for its turn."""
READY_S, SLICE_S = 10.0, 0.2
IDLE_S = 180.0
"""After so long without a look the child is ended."""
MOST_DEATHS = 3
"""So many deaths without a look in between: then no looks until the service starts anew."""

Why = Literal[
    "off",
    "no_score",
    "no_picture",
    "another_model",
    "another_view",
    "model_fails",
    "too_slow",
]
LATER: frozenset[Why] = frozenset({"model_fails", "too_slow"})
"""What may go better another time."""
FAULTS = frozenset({"died", "hung", "not_ready"})
Now = Callable[[], int]


class NoLook(Exception):
    """There is none for this inspection. `why` is one plain word."""

    def __init__(self, why: Why, message: str = "") -> None:
        super().__init__(message or why)
        self.why: Why = why


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be looked at: the stored picture, and by which model and view it was scored."""

    inspection: str
    path: str
    sha256: str
    bundle: str
    view: str | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Look:
    """A finished look. `png` lies over the whole picture, ROI or not, in its proportions.

    `score` is that of the stored picture, `recorded` the one on the line: where a raw picture was
    stored as JPEG they differ a little. `flat`: nothing in the picture stands out. `covered` of
    `of` patches were tried in `took_s`.
    """

    png: bytes
    score: float
    recorded: float | None
    lowered: float
    raised: float
    flat: bool
    covered: int
    of: int
    took_s: float


class Looker:
    """Makes looks, one after the other, with a child that it starts and ends. For one thread."""

    def __init__(self, config: Config, now: Now = time.monotonic_ns) -> None:
        self._config = config
        self._now = now
        self._setup = _setup(config)
        self._view: str | None = None
        self._worker: Worker | None = None
        self._used_ns = 0
        self._deaths = 0
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The child's process id, where there is one."""
        return None if self._worker is None else self._worker.pid

    @property
    def given_up(self) -> bool:
        """Whether the child died too often."""
        return self._deaths >= MOST_DEATHS

    def fits(self, view: str | None) -> bool:
        """Whether this view, where it is known, is the configured one."""
        if view is not None and self._view is None:
            self._view = cameras.view(self._config, cameras.source(self._config.camera))
        return view is None or view == self._view

    def look(self, subject: Subject) -> Look:
        """The look at one picture. Raises NoLook; takes at most READY_S, LOOK_S and ANSWER_S."""
        if self.given_up:
            raise NoLook("model_fails", "the model's process has died too often")
        if not self.fits(subject.view):
            raise NoLook("another_view", "taken with another view of the camera")
        worker = self._ready(subject.bundle)
        whole, seen = self._pictures(subject)
        began = self._now()
        try:
            found, score = self._covered(worker, seen, began + int(LOOK_S * 1e9))
        except NoPrediction as failure:
            raise self._failed(failure) from failure
        finally:
            self._used_ns = self._now()
        self._deaths = 0
        size = (int(whole.shape[1]), int(whole.shape[0]))
        return Look(
            png=drawn(placed(found.values, self._setup, size)),
            score=score,
            recorded=subject.score,
            lowered=found.lowered,
            raised=found.raised,
            flat=not found.values.any(),
            covered=found.covered,
            of=found.of,
            took_s=(self._used_ns - began) / 1e9,
        )

    def rest(self) -> float | None:
        """End a child that has had nothing to do for IDLE_S; else the seconds until then."""
        if self._worker is None:
            return None
        left = IDLE_S - (self._now() - self._used_ns) / 1e9
        if left <= 0:
            self.close()
            return None
        return left

    def stop(self) -> None:
        """From another thread: end the look that is going on as soon as may be."""
        self._stopping = True

    def close(self) -> None:
        """End the child. May be called twice; another look starts another one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _covered(self, worker: Worker, image: Image, end_ns: int) -> tuple[Saliency, float]:
        """The map of what there was time for, and the score of the picture as it is."""
        score = worker.predict(image).score
        work = Occlusion(image, score, seen_by(image.shape, worker.bundle.spec.input))
        try:
            while self._now() < end_ns and not self._stopping:
                if (covered := work.next()) is None:
                    break
                work.tell(worker.predict(covered).score)
        except Late:
            pass  # what there is counts
        if not work.usable:
            raise Late(f"not even the coarsest map within {LOOK_S:g} s")
        return work.map(), score

    def _failed(self, failure: NoPrediction) -> NoLook:
        if isinstance(failure, Late):
            return NoLook("too_slow", str(failure))
        if isinstance(failure, ModelFault) and failure.code in FAULTS:
            self._died(str(failure))
        return NoLook("model_fails", str(failure))

    def _died(self, why: str) -> None:
        """One death. The next look starts another child; none starts by itself."""
        self.close()
        self._deaths += 1
        log.warning("looks.died", why=why, deaths=self._deaths)
        if self.given_up:
            log.error("looks.off", why="the model's process has died too often")

    def _ready(self, digest: str) -> Worker:
        """A child with this very bundle, its model loaded. Raises NoLook."""
        if self._worker is not None and self._worker.bundle.digest != digest:
            self.close()
        if self._worker is None:
            bundle = self._bundle(digest)
            threads, answer_ms = self._config.model.threads, ANSWER_S * 1e3
            self._worker = Worker(bundle, threads, answer_ms, idle=True)
            self._used_ns = self._now()
            self._worker.start()
        if not self._loaded(self._worker):
            fault = self._worker.last_fault or f"the model did not load within {READY_S:g} s"
            self._died(fault)
            raise NoLook("model_fails", fault)
        return self._worker

    def _loaded(self, worker: Worker) -> bool:
        """Whether the child has its model, in READY_S and at the first try."""
        end_ns = self._now() + int(READY_S * 1e9)
        while not worker.wait_ready(SLICE_S):
            if worker.deaths or self._stopping or self._now() >= end_ns:
                return False
        return True

    def _bundle(self, digest: str) -> Bundle:
        """The one that scored the part, if this station still has it."""
        try:
            bundle = with_digest(self._config, digest)
        except ConfigError as error:
            raise NoLook("another_model", str(error)) from error
        if bundle is None:
            raise NoLook("another_model", "scored by a model that is not at this station any more")
        return bundle

    def _pictures(self, subject: Subject) -> tuple[Image, Image]:
        """The whole stored picture, and what the model is shown of it. Raises NoLook."""
        image, doubts = decode(self._read(subject))
        if image is None:
            raise NoLook("no_picture", doubts[0].name if doubts else "it cannot be decoded")
        seen, unusable = shown(Frame(image, 0, 0.0, 0), self._setup)
        if seen is None:
            raise NoLook("another_view", unusable[0].name)
        return image, seen

    def _read(self, subject: Subject) -> bytes:
        wanted = Wanted(subject.inspection, subject.path, subject.sha256)
        try:
            file = open_picture(self._config.state_dir, wanted)
        except Missing as missing:
            raise NoLook("no_picture", str(missing)) from missing
        try:
            if file.size > MOST_SIZE:
                raise NoLook("no_picture", f"it has {file.size} bytes")
            return file.read(0, file.size)
        except Missing as missing:
            raise NoLook("no_picture", str(missing)) from missing
        finally:
            file.close()


def _setup(config: Config) -> Setup:
    """As the line prepares its pictures."""
    return Setup(
        origin=Origin(config.station.path, "", config.digest, __version__),
        view="",
        model=None,
        runtime=None,
        roi=cameras.roi(config.camera),
        rotate=config.camera.rotate,
        size=cameras.expected_size(config.camera),
    )
