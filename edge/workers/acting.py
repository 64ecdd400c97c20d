"""The model that decides, but for a canary's share: what it is judged by, and its child."""

from __future__ import annotations

from edge.decision.facts import DEATHS_IN_A_MINUTE, Facts
from edge.workers.fitted import Fitted
from edge.workers.ruler import Ruler
from edge.workers.runner import Process
from edge.workers.seats import Seat

MINUTE_NS = 60 * 10**9


class Acting:
    """Whichever model is active: this object stays when another one takes over. Without a bundle
    there is no process, and persons decide."""

    def __init__(self, fitted: Fitted, process: Process | None, ruler: Ruler) -> None:
        self.process = process
        self._fitted = fitted
        self._ruler = ruler
        self._now_ns = 0

    @property
    def fitted(self) -> Fitted:
        """What decides, under the basis that is in force."""
        return self._fitted.judged_by(self._ruler.basis)

    @property
    def facts(self) -> Facts:
        """What is so about the bundle itself."""
        return self._fitted.facts

    @property
    def ready(self) -> bool:
        """Whether it can answer; true where there is no model."""
        return self.process is None or self.process.ready

    @property
    def pid(self) -> int | None:
        """Its process."""
        return None if self.process is None else self.process.pid

    @property
    def deaths(self) -> tuple[int, ...]:
        """When its children died, on the monotonic clock in ns."""
        return () if self.process is None else self.process.deaths

    @property
    def falling(self) -> str | None:
        """How it died last, where it has died three times within a minute."""
        recent = sum(self._now_ns - death < MINUTE_NS for death in self.deaths)
        if self.process is None or recent < DEATHS_IN_A_MINUTE:
            return None
        return self.process.last_fault

    @property
    def seat(self) -> Seat:
        """What decides the next part."""
        fitted = self._fitted
        return Seat(fitted.setup, self._ruler.ruling, self.process, fitted.digest)

    def take(self, fitted: Fitted, process: Process | None) -> Process | None:
        """Another model, its setup and its cuts, all at once; the process of the one before."""
        gone, self.process = self.process, process
        self._fitted = fitted
        self._ruler.rebase(fitted.basis, fitted.facts)
        return gone

    def start(self) -> None:
        """Start its child."""
        if self.process is not None:
            self.process.start()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until it can answer; at the start of the line only."""
        return self.process is None or self.process.wait_ready(timeout_s)

    def step(self, now_ns: int) -> None:
        """Look after its child."""
        self._now_ns = now_ns
        if self.process is not None:
            self.process.step(now_ns)

    def close(self) -> None:
        """End its child. May wait a moment."""
        if self.process is not None:
            self.process.close()
