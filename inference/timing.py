"""How long a loaded model takes here, and what its process has used."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.worker import Worker

WARM_UP = 3
RUNS = 20
SLOW_RUNS_S = 3.0
"""Longer than this no round takes; a slow model need not be seen twenty times."""
TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Timing:
    """One round of runs: median and slowest by the wall clock, and the processor's time for one.

    `cpu_ms` is never too little: it is counted in ticks, and infinite where the kernel is silent.
    """

    median_ms: float
    slowest_ms: float
    cpu_ms: float

    @property
    def own_ms(self) -> float:
        """What it takes when nobody else wants the processor: no more than either says."""
        return min(self.median_ms, self.cpu_ms)


def time_runs(worker: Worker, ran: Callable[[], None]) -> Timing:
    """Run it on a grey picture, some of them to warm up. `ran` is called before each. Raises Late
    or ModelFault."""
    spec = worker.bundle.spec.input
    grey = np.full((spec.height, spec.width, 3), 128, np.uint8)
    end = time.monotonic() + SLOW_RUNS_S
    times: list[float] = []
    began = cpu_ms(worker.pid)
    for run in range(WARM_UP + RUNS):
        if run == WARM_UP:
            times, began = [], cpu_ms(worker.pid)
        ran()
        worker.predict(grey)
        times.append(worker.last_inference_ms)
        if time.monotonic() > end:
            break
    used = (cpu_ms(worker.pid) - began + TICK_MS) / len(times)
    return Timing(statistics.median(times), max(times), math.inf if math.isnan(used) else used)


def cpu_ms(pid: int | None) -> float:
    """Processor time of a process so far, in steps of TICK_MS; NaN where unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) * TICK_MS


def memory_mb(pid: int | None) -> float:
    """The most that a process had in memory so far; 0 where the kernel does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
