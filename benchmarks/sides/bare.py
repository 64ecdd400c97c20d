"""The bare side: decode, preprocess and invoke in one thread, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.sides.memory import pss
from benchmarks.sides.pace import PACE, percentiles


def bare_throughput(pictures: str, bundle: str, parts: int) -> float:
    """Parts per second of decode + preprocess + invoke, in one loop, in one thread."""
    import cv2

    files = [path.read_bytes() for path in sorted(Path(pictures).glob("*.jpg"))]
    infer = bare_model(bundle)
    decode = decoder()
    infer(decode(files[0]))
    began = time.perf_counter()
    for number in range(parts):
        infer(decode(files[number % len(files)]))
    assert cv2.getNumThreads() == 1
    return parts / (time.perf_counter() - began)


def bare_latency(pictures: str, bundle: str, seconds: float) -> dict[str, float]:
    """Preprocess + invoke of decoded pictures at a fixed pace."""
    decode = decoder()
    files = sorted(Path(pictures).glob("*.jpg"))[:16]
    images = [decode(path.read_bytes()) for path in files]
    infer = bare_model(bundle)
    infer(images[0])
    taken = []
    tick = time.monotonic()
    for number in range(int(seconds * PACE)):
        tick += 1 / PACE
        time.sleep(max(0.0, tick - time.monotonic()))
        image = images[number % len(images)].copy()
        began = time.perf_counter()
        infer(image)
        taken.append((time.perf_counter() - began) * 1e3)
    return percentiles(taken)


def bare_memory() -> float:
    """PSS of a process that has only imported what any such program imports, in MB."""
    import cv2
    import numpy

    from inference.interpreter import Interpreter

    assert all((cv2, numpy, Interpreter))
    return pss(os.getpid())


def decoder() -> Callable[[bytes], Any]:
    """Bytes to BGR pixels, one thread."""
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    return lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def bare_model(bundle: str) -> Callable[[Any], Any]:
    """Preprocess and invoke in this process, with our own fast preprocessing."""
    from edge import bundles
    from inference.bundle import load
    from inference.interpreter import Interpreter
    from inference.preprocess import Preprocessor

    loaded = load(bundles.folder(bundle))
    interpreter = Interpreter(loaded.model, 1)
    preprocess = Preprocessor(loaded.spec.input)
    return lambda image: interpreter.run(preprocess(image))
