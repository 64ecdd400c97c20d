"""What persons can order about models, through `requests/line/` or while the line is stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.clock import Clock
from edge.requests import Answer, Refused, Request
from edge.rollout.standing import Standing
from edge.rollout.steward import Steward
from edge.rollout.wish import Rules, Wishes
from edge.workers.entry import Entry

COMMIT_WITHIN_S = 3.0
DRY_RUN = "_dry_run"
"""After the name of a kind: only say whether it would be carried out."""


class RolloutRequests:
    """The handlers. Called on the tend thread, or alone while the line is stopped."""

    def __init__(self, steward: Steward, clock: Clock, rules: Rules) -> None:
        self.record: Callable[[Entry], None] | None = None
        self._steward = steward
        self._clock = clock
        self._wishes = Wishes(steward, clock, rules)

    @property
    def handlers(self) -> Mapping[str, Callable[[Request], Answer]]:
        """One handler for each kind of request, and one that only tries it."""
        kinds = self._wishes.kinds
        real = {kind: self._handler(kind, dry_run=False) for kind in kinds}
        return real | {f"{kind}{DRY_RUN}": self._handler(kind, dry_run=True) for kind in kinds}

    def _handler(self, kind: str, *, dry_run: bool) -> Callable[[Request], Answer]:
        def handle(request: Request) -> Answer:
            return self._carry_out(kind, request, dry_run)

        return handle

    def _carry_out(self, kind: str, request: Request, dry_run: bool) -> Answer:
        """Store it, then do it. One that was stored before a crash is only answered again."""
        steward = self._steward
        self._wait("an earlier change waits for the disk (see `status`): nothing was done")
        if steward.standing.asked != request.id:
            change = self._wishes.change(kind, request)
            if dry_run:
                return told(steward.standing)
            assert self.record is not None
            self.record(steward.store(change, self._clock.monotonic_ns(), request.id))
            self._wait("it waits for the disk (see `status`); it is done once it is there")
        return told(steward.standing)

    def _wait(self, otherwise: str) -> None:
        waiting = self._steward.ledger.waiting
        if waiting is not None:
            waiting.stored.wait(COMMIT_WITHIN_S)
        if not self._steward.settle():
            raise Refused(otherwise)


def told(standing: Standing) -> Answer:
    """How models stand, as an answer."""
    active, candidate = standing.active, standing.candidate or standing.last
    return {
        "active": {"bundle": active.digest, "name": active.name, "version": active.version},
        "candidate": None if candidate is None else candidate.digest,
        "state": None if candidate is None else candidate.state,
    }
