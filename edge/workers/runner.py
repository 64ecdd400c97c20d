"""One loaded bundle: its child, and whether it is warm."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from edge.workers.fitted import Fitted
from edge.workers.seats import ReadyModel
from inference.prediction import NoPrediction

WARM_RUNS = 5
"""The first runs of a model allocate and are slow; these are on a grey picture, for nobody."""
GREY = 128
PATIENCE_RUNS = 50
"""A living child that has failed to answer so often before its first answer never will."""


class Process(ReadyModel, Protocol):
    """A model's child process and its parent's handle: `inference.worker.Worker`."""

    last_fault: str
    last_fault_code: str

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        ...

    @property
    def deaths(self) -> tuple[int, ...]:
        """When children died, on the monotonic clock in ns."""
        ...

    @property
    def killed(self) -> tuple[int, ...]:
        """Those of them that somebody else ended: a person, or the kernel for want of memory."""
        ...

    def start(self) -> None:
        """Start the child."""
        ...

    def step(self, now_ns: int) -> None:
        """Notice its death, start it again when it is time. Never waits."""
        ...

    def abort(self) -> None:
        """Kill the child, so that whoever waits for its answer need not. Never waits."""
        ...

    def close(self) -> None:
        """End the child; may wait for whoever is using it."""
        ...


class Runner:
    """A bundle's child. `warm` once it has answered some pictures that are nobody's part."""

    def __init__(self, fitted: Fitted, process: Process, warm: bool = False) -> None:
        self.fitted = fitted
        self.process = process
        self.warm = warm
        self._runs = 0
        self._failures = 0
        self._trouble: tuple[str, str] | None = None

    @property
    def fault(self) -> tuple[str, str] | None:
        """Code and words of what went wrong last while it was warming up, or of the last death;
        None while all is well."""
        if self._trouble is not None:
            return self._trouble
        if not self.process.last_fault_code:
            return None
        return self.process.last_fault_code, self.process.last_fault

    @property
    def up(self) -> bool:
        """Whether it is warm, and its child can answer now."""
        return self.warm and self.process.ready

    @property
    def hopeless(self) -> bool:
        """Whether it lives and does not get warm."""
        return not self.warm and self._failures >= PATIENCE_RUNS

    @property
    def wants_warming(self) -> bool:
        """Whether it could run now, and has not done so often enough."""
        return not self.warm and self.process.ready

    def warm_up(self) -> None:
        """One run on a grey picture. May take as long as a model that hangs."""
        assert self.fitted.bundle is not None
        given = self.fitted.bundle.spec.input
        picture = np.full((given.height, given.width, 3), GREY, np.uint8)
        try:
            self.process.predict(picture)
        except NoPrediction as failure:
            self._runs = 0
            self._failures += 1
            self._trouble = failure.code, str(failure)
            return
        self._runs += 1
        self._trouble = None
        self.warm = self._runs >= WARM_RUNS
