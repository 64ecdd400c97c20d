"""Whether a bundle works on this machine, by running it as the line would: in a child."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inference.bundle import Bundle, BundleError
from inference.interpreter import runtime_name
from inference.prediction import NoPrediction
from inference.preprocess import Image
from inference.worker import Worker

WARM_UP = 3
RUNS = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a bundle may need here. `latency_ms` 0 means the bundle's own deadline, and no limit
    where that is 0 too."""

    load_s: float = 20.0
    latency_ms: float = 0.0
    memory_mb: float = 512.0


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason why a bundle is not proved.

    `code` is `does_not_load`, `does_not_fit`, `died`, `hung`, `golden_unreadable`,
    `golden_differs`, `nonsense`, `too_slow` or `too_large`.
    """

    code: str
    text: str


@dataclass(frozen=True)
class Proof:
    """What was found. `golden_worst` is the largest difference from an expected score."""

    digest: str
    runtime: str
    failures: tuple[Failure, ...]
    load_ms: float = 0.0
    latency_ms: float = 0.0
    slowest_ms: float = 0.0
    memory_mb: float = 0.0
    golden: int = 0
    golden_worst: float = 0.0

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
        }


def prove(bundle: Bundle, limits: Limits | None = None, threads: int = 1) -> Proof:
    """Load the bundle's model in a child, score its golden pictures, time it, weigh it.

    Never raises for a bad bundle, and no model can end this process.
    """
    limits = limits or Limits()
    worker = Worker(bundle, threads)
    began = time.monotonic()
    try:
        worker.start()
        if not worker.wait_ready(limits.load_s):
            code = worker.last_fault_code or "hung"
            text = worker.last_fault or f"not loaded after {limits.load_s:.0f} s"
            return Proof(bundle.digest, runtime_name(), (Failure(code, text),))
        findings = _Findings(load_ms=(time.monotonic() - began) * 1000)
        _golden(worker, findings)
        if not findings.failures:
            _speed_and_size(worker, limits, findings)
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
    )


@dataclass
class _Findings:
    load_ms: float
    latency_ms: float = 0.0
    slowest_ms: float = 0.0
    memory_mb: float = 0.0
    worst: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    def fail(self, code: str, text: str) -> None:
        self.failures.append(Failure(code, text))


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


def _speed_and_size(worker: Worker, limits: Limits, findings: _Findings) -> None:
    spec = worker.bundle.spec.input
    grey = np.full((spec.height, spec.width, 3), 128, np.uint8)
    times: list[float] = []
    for run in range(WARM_UP + RUNS):
        if _score(worker, grey, findings) is None:
            return
        if run >= WARM_UP:
            times.append(worker.last_inference_ms)
    findings.latency_ms, findings.slowest_ms = float(np.median(times)), max(times)
    findings.memory_mb = _memory_mb(worker.pid)
    limit = limits.latency_ms or worker.bundle.deadline_ms
    if limit and findings.latency_ms > limit:
        findings.fail("too_slow", f"{findings.latency_ms:.1f} ms a picture, limit {limit:g} ms")
    if findings.memory_mb > limits.memory_mb:
        size = f"{findings.memory_mb:.0f} MB, limit {limits.memory_mb:g} MB"
        findings.fail("too_large", f"its process needs {size}")


def _score(worker: Worker, image: Image, findings: _Findings) -> float | None:
    try:
        return worker.predict(image).score
    except NoPrediction as error:
        findings.fail(error.code, str(error))
        return None


def _memory_mb(pid: int | None) -> float:
    """The most that a process had in memory so far; 0 where the kernel does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
