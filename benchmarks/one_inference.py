"""Figure 1: one inference through parent and child ÷ bare `invoke`.

Ours is hand over, set, invoke, get, dequantise, score; preprocessing is figure 5. Bare is `invoke`
alone on an interpreter in this process. Both run in turn, in slices of 100, so that a machine that
changes its speed changes it for both.

    python benchmarks/one_inference.py [--model FILE.tflite | --bundle FOLDER] [--slices 60]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # this folder has a sync.py of its own

import numpy as np

from inference.bundle import Bundle, load
from inference.interpreter import Interpreter, runtime_name
from inference.labels import Meaning
from inference.manifest import Manifest
from inference.postprocess import Postprocessor
from inference.probe import probe
from inference.worker import Worker
from inference.wrap import Wishes, describe

ROOT = Path(__file__).resolve().parents[1]
VWW = ROOT.parent / "shared" / "data" / "tflite" / "mlc_vww_96_int8.tflite"
SLICE = 100


def main() -> None:
    """Print both sides and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--slices", type=int, default=60)
    options = parser.parse_args()
    bundle = load(options.bundle) if options.bundle else in_memory(options.model or default())
    worker = Worker(bundle)
    worker.start()
    if not worker.wait_ready(30):
        sys.exit(worker.last_fault)
    try:
        measure(worker, options.slices)
        restart(worker)
    finally:
        worker.close()


def measure(worker: Worker, slices: int) -> None:
    """Alternate both sides and print percentiles."""
    spec = worker.bundle.spec
    bare = Interpreter(worker.bundle.model)
    score = Postprocessor(spec.output)
    tensor = np.zeros(spec.input.shape, spec.input.dtype)
    bare.run(tensor)
    invoke = bare._interpreter.invoke
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(slices):
        ours += timed(lambda: score(worker.ask(tensor)))
        theirs += timed(invoke)
    side = f"{spec.input.width}×{spec.input.height} {spec.input.dtype}"
    print(f"{worker.bundle.name}, {side}, {runtime_name()}, {slices * SLICE} each, ms")
    for share in (50, 90, 99):
        a, b = np.percentile(ours, share), np.percentile(theirs, share)
        limit = b * 1.10 + 0.05
        verdict = "ok" if a <= limit else "over"
        print(
            f"  p{share}  ours {a:.4f}  bare {b:.4f}  ratio {a / b:.3f}  "
            f"aim ≤ {limit:.4f}  {verdict}"
        )


def restart(worker: Worker) -> None:
    """How long a child takes from its start to ready."""
    times = []
    for _ in range(5):
        worker.close()
        began = time.perf_counter()
        worker.start()
        worker.wait_ready(30)
        times.append(time.perf_counter() - began)
    print(f"  child ready after {np.median(times):.2f} s (slowest {max(times):.2f} s)")


def timed(call: Callable[[], object]) -> list[float]:
    """Milliseconds of each of SLICE calls."""
    times = []
    for _ in range(SLICE):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return times


def in_memory(path: Path) -> Bundle:
    """A bundle of a bare model file; what is good does not matter for its speed."""
    model = path.read_bytes()
    wishes = Wishes(meaning=Meaning(good=["0"]))
    manifest: Manifest = describe(probe(model), wishes, path.stem, "1.0.0", {})
    return Bundle(path, manifest, "", model)


def default() -> Path:
    """The person-detection model of MLPerf Tiny where it is, else the shipped one."""
    return VWW if VWW.exists() else ROOT / "models" / "rings" / "model.tflite"


if __name__ == "__main__":
    main()
