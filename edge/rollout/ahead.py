"""What does not wait for the disk: a model that does harm decides nothing until there is room."""

from __future__ import annotations

from edge.log import log
from edge.rollout.changes import Change
from edge.rollout.ledger import Waiting
from edge.rollout.parts import Fault, Models
from edge.rollout.standing import Standing

PATIENCE_NS = 2 * 10**9
"""So long a disk may take to store a change, before what has to go goes all the same."""


class Ahead:
    """For the thread that owns the models. Nothing here waits."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._gone: tuple[str, Fault] | None = None

    def before(self, standing: Standing, change: Change) -> None:
        """A canary that has to go, or gets less, decides no part more, whatever the disk does."""
        now, after = standing.beside, change.standing.candidate
        if now is not None and now.share > (0.0 if after is None else after.share):
            self._models.share(0.0)

    def hurry(
        self, standing: Standing, waiting: Waiting | None, broken: Fault | None, now_ns: int
    ) -> None:
        """What has to go is gone within PATIENCE_NS; a canary decides nothing meanwhile.

        `waiting` is the change that the disk has not taken yet, `broken` the guard that the
        candidate has broken.
        """
        shares = standing.beside is not None and standing.beside.share > 0
        if shares and (self._models.fault or broken):
            self._models.share(0.0)
        if waiting is None or now_ns - waiting.since_ns < PATIENCE_NS:
            return
        wanted = waiting.standing.active
        if standing.last != waiting.standing.last and wanted.digest != standing.active.digest:
            self._restore(waiting.standing)
        elif wanted.digest == standing.active.digest:
            self._leave(standing, self._models.fell or broken)

    def why(self, standing: Standing) -> Fault | None:
        """Why the model that this standing calls active was sent away; None where it was not.

        It has to be brought back by nobody: a change that ends it follows as soon as the disk takes
        one.
        """
        if self._gone is not None and self._gone[0] != standing.active.digest:
            self._gone = None
        return None if self._gone is None else self._gone[1]

    def _leave(self, standing: Standing, why: Fault | None) -> None:
        """An active model on trial that has to go while another change waits."""
        back = standing.back
        if not standing.on_trial or back is None or not back.digest:
            return
        if self._gone is None and why is not None:
            self._gone = standing.active.digest, why
        if self.why(standing) is not None and self._models.active.digest != back.digest:
            log.warning("rollout.ahead_of_the_disk", active=back.slot)
            self._models.restore(back)

    def _restore(self, standing: Standing) -> None:
        if self._models.active.digest != standing.active.digest:
            log.warning("rollout.ahead_of_the_disk", active=standing.active.slot)
            self._models.restore(standing.active)
