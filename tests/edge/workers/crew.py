"""A line's models with real child processes, and an inspect thread that a test feeds."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from camera.frame import Frame
from edge.channel import Channel
from edge.clock import Clock
from edge.decision.facts import Facts
from edge.inspection import Setup
from edge.line.output import Silent
from edge.records import Cuts, Inspection
from edge.requests import Refused
from edge.rollout.pair import Pair
from edge.workers.applying import Applicable
from edge.workers.entry import Entry
from edge.workers.fitted import Fitted
from edge.workers.inspect import Desk, Inspector
from edge.workers.models import Models
from edge.workers.ruler import Basis, Ruler
from edge.workers.shadow import Shadow
from inference import bundle as bundles
from inference.bundle import Bundle
from inference.manifest import Manifest
from inference.spec import NAMED_SCALINGS, InputSpec, Label, ModelSpec, OutputSpec
from inference.worker import Worker
from tests.edge.workers.parts import ORIGIN
from tests.simulators import poisons
from tests.simulators.patience import until
from tests.simulators.tflite import classifier

PICTURE = np.random.default_rng(1).integers(60, 200, (24, 32, 3)).astype(np.uint8)
GIVEN = InputSpec(8, 8, 3, "float32", "rgb", NAMED_SCALINGS["0..1"])
LABELS = (Label("good", "good"), Label("defect", "defect"))
WIDE = (0.9, 0.95)
LATER = 3 * 10**9


def constant(folder: Path, name: str, logit: float) -> Bundle:
    """A bundle whose score is the same for every picture: 1 / (1 + exp(2 * logit))."""
    content = classifier(((0.0,) * 3,) * 2, (logit, -logit))
    manifest = Manifest(name=name, version="1.0.0", spec=ModelSpec(
        GIVEN, OutputSpec("softmax", "float32", LABELS)))  # fmt: skip
    return bundles.write(folder / name, manifest, content)


def fitted(bundle: Bundle, calibration: str | None = None) -> Fitted:
    """By cuts of this calibration, which accept nearly everything; None: without cuts."""
    cuts = None if calibration is None else Cuts(*WIDE, calibration=calibration)
    basis = Basis("partial", True, cuts, None, None if cuts else "none yet")
    setup = Setup(ORIGIN, "v" * 64, bundle.as_record(), "litert")
    return Fitted("factory", bundle, setup, basis, Facts(), _none)


def _none(calibration_id: str) -> Applicable:
    raise Refused(calibration_id)


class Asked(Worker):
    """Remembers which threads asked it."""

    def __init__(self, bundle: Bundle, idle: bool, **more: Any) -> None:
        super().__init__(bundle, idle=idle, **more)
        self.idle = idle
        self.threads: list[str] = []

    def predict(self, image: Any, meanwhile: Any = None) -> Any:
        self.threads.append(threading.current_thread().name)
        return super().predict(image, meanwhile)


class Feed:
    """Gives the same picture again and again, until it is full."""

    def __init__(self) -> None:
        self.given = 0
        self.ended = False

    def next(self, timeout: float) -> Frame | None:
        self.given += 1
        return Frame(PICTURE, time.monotonic_ns(), 0.0, self.given)


class Ahead(Clock):
    """The machine's clock, which a test may put forward."""

    ahead_ns = 0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.ahead_ns


class Crew:
    """Everything of the line that has to do with models. `run` inspects on a thread of its own."""

    def __init__(self, active: Fitted, share: float = 1.0, **more: Any) -> None:
        self.clock = Ahead()
        self.started: list[Asked] = []
        self.more = more
        self.shadow = Shadow(share, self.clock)
        basis, state = active.basis, {}.get
        self.ruler = Ruler(basis, ORIGIN, self.clock.new_id, state, active.facts)  # type: ignore[arg-type]
        self.models = Models(active, self.ruler, self._start, self.shadow)
        self.entries: Channel[Entry] = Channel(1 << 30)
        self.stop = threading.Event()
        self.desk = Desk(
            seats=self.models.seats(), output=Silent(), clock=self.clock,
            wanted=lambda made: False, deadline_s=60.0, live=True, beside=self.shadow,
        )  # fmt: skip
        self.models.sit(self.desk)
        self.feed = Feed()
        self.inspector = Inspector(self.feed, self.desk, self.entries, self.stop)
        self.thread = threading.Thread(target=self._inspect, name="inspect")
        self.found: list[Pair] = []
        self.models.start()
        self.wait(lambda: self.models.ready)

    def _start(self, fitted: Fitted, idle: bool) -> Worker:
        assert fitted.bundle is not None
        worker = Asked(fitted.bundle, idle)
        if idle:
            worker.hang_ms = self.more.get("hang_ms", 500.0)
        self.started.append(worker)
        return worker

    def _inspect(self) -> None:
        while self.inspector.step():
            pass

    def run(self) -> None:
        """Begin to inspect, as fast as it goes."""
        self.thread.start()

    def tend(self) -> None:
        """One look of the tend thread, and a moment."""
        self.models.step(self.clock.monotonic_ns())
        self.found += self.models.pairs()
        threading.Event().wait(0.002)

    def wait(self, condition: Callable[[], object]) -> None:
        """Tend until this holds."""
        until(condition, self.tend)

    def parts(self, more: int) -> None:
        """Tend until so many more parts are over."""
        goal = self.inspector.inspected + more
        self.wait(lambda: self.inspector.inspected >= goal)

    def forget(self) -> None:
        """What was compared so far."""
        self.models.pairs()
        self.found.clear()

    def load(self, one: Fitted, prepare: bool = False) -> None:
        """Until it is warm."""
        self.models.load(one)
        self.wait(lambda: self.models.candidate_ready)
        if prepare:
            self.models.prepare()
            self.wait(lambda: self.models.prepared)

    def end(self) -> list[Inspection]:
        """Stop inspecting; every part in order. None may be missing."""
        self.stop.set()
        if self.thread.is_alive():
            self.thread.join(60)
        entries = self.entries.take(1 << 30, 0)
        made = [entry.records[0] for entry in entries]
        inspections = [one for one in made if isinstance(one, Inspection)]
        assert len(inspections) == self.feed.given == self.inspector.inspected
        return inspections

    def close(self) -> None:
        self.stop.set()
        if self.thread.is_alive():
            self.thread.join(60)
        self.models.close()

    def kill(self, worker: Worker) -> None:
        if worker.pid is not None:
            os.kill(worker.pid, signal.SIGKILL)


def poisoned(
    folder: Path, kind: poisons.Kind, calibration: str | None = None, **more: int
) -> Fitted:
    """A misbehaving candidate."""
    return fitted(poisons.bundle(folder, kind, **more), calibration)
