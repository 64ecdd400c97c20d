"""Small real bundles for tests: bright parts are good, dark ones defective."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from inference import bundle
from inference.bundle import Bundle
from inference.manifest import Manifest
from inference.spec import NAMED_SCALINGS, InputSpec, Label, ModelSpec, OutputSpec, untouched
from tests.simulators.tflite import bright_is_good

GOOD_OR_DEFECT = (Label("good", "good"), Label("defect", "defect"))
BRIGHT_PICTURE = np.full((20, 30, 3), 250, np.uint8)
DARK_PICTURE = np.full((20, 30, 3), 5, np.uint8)


def spec(dtype: Any = "int8") -> ModelSpec:
    """What `bright_is_good` takes and answers."""
    if dtype == "float32":
        given = InputSpec(8, 8, 3, dtype, "rgb", NAMED_SCALINGS["0..1"])
        return ModelSpec(given, OutputSpec("softmax", dtype, GOOD_OR_DEFECT))
    zero = -128 if dtype == "int8" else 0
    scaling = untouched(dtype, 1 / 255, zero)
    given = InputSpec(8, 8, 3, dtype, "rgb", scaling, scale=1 / 255, zero_point=zero)
    return ModelSpec(given, OutputSpec("softmax", dtype, GOOD_OR_DEFECT, 1 / 256, zero))


def manifest(dtype: Any = "int8", **more: Any) -> Manifest:
    """A manifest for `bright_is_good`."""
    return Manifest(**{"name": "bright", "version": "1.2.3", "spec": spec(dtype), **more})


def make(folder: Path, dtype: Any = "int8", model: bytes | None = None, **more: Any) -> Bundle:
    """Write a bundle below `folder` and load it."""
    content = bright_is_good(dtype) if model is None else model
    return bundle.write(folder / "bright", manifest(dtype, **more), content)


def until(
    condition: Callable[[], bool], what: str = "the condition", seconds: float = 30.0
) -> None:
    """Wait for another process. Fails loudly after a time that no healthy machine needs."""
    pause = threading.Event()
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        pause.wait(0.002)


def alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
