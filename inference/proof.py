"""Whether a bundle works on this machine, by running it as the line would: in a child."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from inference import meaning
from inference.bundle import Bundle, BundleError
from inference.flatbuffer import Damaged
from inference.interpreter import NO_MEMORY, runtime_name
from inference.modelfile import read_model
from inference.prediction import NoPrediction
from inference.preprocess import Image
from inference.timing import RUNS, WARM_UP, Timing, memory_mb, time_runs
from inference.worker import HANG_DEADLINES, HANG_MS, Worker

ROUNDS = 3
"""So often the time is taken before a bundle is called too slow."""
LEAST_CAP_MB = 64
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bundle may need here. `latency_ms` 0 means the bundle's own deadline, and no limit
    where that is 0 too. `memory_mb` is for its whole process; what the model asks for beyond that
    it does not get."""

    load_s: float = 20.0
    latency_ms: float = 0.0
    memory_mb: float = 512.0


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason why a bundle is not proved.

    `code` is `does_not_load`, `does_not_fit`, `wrong_labels`, `died`, `hung`, `golden_unreadable`,
    `golden_differs`, `nonsense`, `too_slow` or `too_large`.
    """

    code: str
    text: str


@dataclass(frozen=True)
class Proof:
    """What was found. `golden_worst` is the largest difference from an expected score; without
    golden pictures nobody knows whether the scores are right here, and `notes` says so.
    `interrupted`: somebody else ended its process, which says nothing about the bundle."""

    digest: str
    runtime: str
    failures: tuple[Failure, ...]
    load_ms: float = 0.0
    latency_ms: float = 0.0
    slowest_ms: float = 0.0
    memory_mb: float = 0.0
    golden: int = 0
    golden_worst: float = 0.0
    notes: tuple[Failure, ...] = ()
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the bundle."""
        return not self.failures

    def as_json(self) -> dict[str, Any]:
        """All of it for machines."""
        return {
            "digest": self.digest,
            "runtime": self.runtime,
            "ok": self.ok,
            "failures": [{"code": f.code, "text": f.text} for f in self.failures],
            "load_ms": round(self.load_ms, 1),
            "latency_ms": round(self.latency_ms, 3),
            "slowest_ms": round(self.slowest_ms, 3),
            "memory_mb": round(self.memory_mb, 1),
            "golden": self.golden,
            "golden_worst": self.golden_worst,
            "notes": [{"code": n.code, "text": n.text} for n in self.notes],
        }


def prove(
    bundle: Bundle,
    limits: Limits | None = None,
    threads: int = 1,
    beside: Bundle | None = None,
    tell: Tell | None = None,
) -> Proof:
    """Load the bundle's model in a child, score its golden pictures, time it, weigh it.

    `beside` is the bundle that it would replace: their labels must not contradict each other.
    `tell` hears how many of how many runs are done. Never raises for a bad bundle, and no model
    can end this process.
    """
    limits = limits or Limits()
    wrong = _contradictions(bundle, beside)
    if wrong:
        return Proof(bundle.digest, runtime_name(), tuple(wrong), notes=_notes(bundle))
    worker = Worker(bundle, threads, memory_mb=max(LEAST_CAP_MB, math.ceil(limits.memory_mb)))
    latency_ms = limits.latency_ms or bundle.deadline_ms
    worker.hang_ms = max(HANG_MS, HANG_DEADLINES * latency_ms)
    began = time.monotonic()
    try:
        worker.start()
        findings = _Findings(len(bundle.golden.scores) + WARM_UP + RUNS, tell)
        if worker.wait_ready(limits.load_s):
            findings.load_ms = (time.monotonic() - began) * 1000
            _golden(worker, findings)
            if not findings.failures:
                _speed(worker, latency_ms, findings)
                _size(worker, limits, findings)
        else:
            text = worker.last_fault or f"the model did not load within {limits.load_s:.0f} s"
            findings.fail(worker.last_fault_code or "hung", text)
    finally:
        worker.close()
    return Proof(
        digest=bundle.digest,
        runtime=runtime_name(),
        failures=tuple(findings.failures),
        load_ms=findings.load_ms,
        latency_ms=findings.latency_ms,
        slowest_ms=findings.slowest_ms,
        memory_mb=findings.memory_mb,
        golden=len(bundle.golden.scores),
        golden_worst=findings.worst,
        notes=(*_notes(bundle), *findings.notes),
        interrupted=bool(worker.killed),
    )


def _contradictions(bundle: Bundle, beside: Bundle | None) -> list[Failure]:
    found: list[str] = []
    with contextlib.suppress(Damaged):  # what is wrong with it the runtime says better
        found += meaning.of_file(bundle.manifest, read_model(bundle.model))
    if beside is not None:
        found += meaning.beside(bundle.manifest, beside.manifest)
    return [Failure("wrong_labels", text) for text in found]


def _notes(bundle: Bundle) -> tuple[Failure, ...]:
    notes = []
    if not bundle.golden.scores:
        text = "no golden pictures: nobody can say whether the scores are right here"
        notes.append(Failure("no_golden", text))
    if bundle.unconfirmed:
        guessed = ", ".join(bundle.manifest.guessed)
        notes.append(Failure("unconfirmed", f"guessed: {guessed}; it cannot rise above shadow"))
    return tuple(notes)


@dataclass
class _Findings:
    of: int
    tell: Tell | None = None
    done: int = 0
    load_ms: float = 0.0
    latency_ms: float = 0.0
    slowest_ms: float = 0.0
    memory_mb: float = 0.0
    worst: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    notes: list[Failure] = field(default_factory=list)

    def fail(self, code: str, text: str) -> None:
        memory = NO_MEMORY in text or "bad_alloc" in text
        self.failures.append(Failure("too_large" if memory else code, text))

    def ran(self) -> None:
        self.done = min(self.done + 1, self.of)
        if self.tell is not None:
            self.tell(self.done, self.of)


def decode(content: bytes) -> Image | None:
    """A picture file as pixels: grey stays grey, everything else is BGR; None when damaged."""
    if not content:
        return None
    image: Any = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_ANYCOLOR)
    return image if image is not None and image.dtype == np.uint8 else None


def _golden(worker: Worker, findings: _Findings) -> None:
    golden = worker.bundle.golden
    for name, expected in golden.scores.items():
        try:
            image = decode(worker.bundle.golden_picture(name))
        except BundleError as error:
            findings.fail("golden_unreadable", str(error))
            continue
        if image is None:
            findings.fail("golden_unreadable", f"golden/{name} is no picture")
            continue
        score = _score(worker, image, findings)
        if score is None:
            return
        difference = abs(score - expected)
        findings.worst = max(findings.worst, difference)
        if difference > golden.tolerance:
            findings.fail(
                "golden_differs",
                f"golden/{name} scores {score:.4f}, expected {expected:.4f} ± {golden.tolerance:g}",
            )


def _speed(worker: Worker, limit_ms: float, findings: _Findings) -> None:
    """The best round; more than one only where the first was too slow by the clock.

    Too slow is a model that needs the processor for so long: it is not its fault that others use
    the machine too, and a proof runs at the lowest priority.
    """
    best: Timing | None = None
    for _ in range(ROUNDS):
        try:
            timing = time_runs(worker, findings.ran)
        except NoPrediction as error:
            findings.fail(error.code, str(error))
            return
        if best is None or (timing.own_ms, timing.median_ms) < (best.own_ms, best.median_ms):
            best = timing
        if not limit_ms or timing.median_ms <= limit_ms:
            break
    assert best is not None
    findings.latency_ms, findings.slowest_ms = best.median_ms, best.slowest_ms
    if limit_ms and best.own_ms > limit_ms:
        findings.fail("too_slow", f"{best.own_ms:.1f} ms a picture, limit {limit_ms:g} ms")
    elif limit_ms and best.median_ms > limit_ms:
        text = f"{best.median_ms:.1f} ms a picture, {best.cpu_ms:.1f} ms of them at work"
        findings.notes.append(Failure("busy_machine", text))


def _size(worker: Worker, limits: Limits, findings: _Findings) -> None:
    findings.memory_mb = memory_mb(worker.pid)
    if findings.memory_mb > limits.memory_mb:
        size = f"{findings.memory_mb:.0f} MB, limit {limits.memory_mb:g} MB"
        findings.fail("too_large", f"its process needs {size}")


def _score(worker: Worker, image: Image, findings: _Findings) -> float | None:
    findings.ran()
    try:
        return worker.predict(image).score
    except NoPrediction as error:
        findings.fail(error.code, str(error))
        return None
