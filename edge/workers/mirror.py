"""A copy of a model, for comparison only: of the active one in a canary, of the previous one in a
trial. So what the other one decides is answered by this one, too."""

from __future__ import annotations

from collections.abc import Callable

from edge.workers.fitted import Fitted
from edge.workers.runner import Process, Runner


class Mirror:
    """At most one copy. `run` starts the child of a bundle, `retire` ends one."""

    def __init__(self, run: Callable[[Fitted], Runner], retire: Callable[[Process], None]) -> None:
        self.runner: Runner | None = None
        self._run = run
        self._retire = retire

    def show(self, wanted: Fitted | None) -> None:
        """A copy of this one from now on; its child stays where it is the same bundle."""
        there = self.runner
        if there is not None and (wanted is None or wanted.digest != there.fitted.digest):
            self.runner = None
            self._retire(there.process)
        if wanted is not None and self.runner is None:
            self.runner = self._run(wanted)
        elif wanted is not None and self.runner is not None:
            self.runner.fitted = wanted
