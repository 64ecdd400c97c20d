"""What is stored of the models here: each change in one transaction with its records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Event

from edge.calibrations import STATE_APPLIED, STATE_DIGEST
from edge.clock import Clock
from edge.log import log
from edge.records import Origin
from edge.rollout.changes import Change, Step, calibrated
from edge.rollout.record import Rollout
from edge.rollout.standing import Standing
from edge.workers.entry import Entry


@dataclass(slots=True)
class Waiting:
    """A change that is on its way to the disk."""

    standing: Standing
    stored: Event
    since_ns: int


class Ledger:
    """One change at a time. `standing` is what is on the disk; `waiting` is what follows it."""

    def __init__(
        self,
        standing: Standing,
        clock: Clock,
        origin: Origin,
        applied: tuple[str, str] | None = None,
        spare: Callable[[Standing], None] = lambda standing: None,
    ) -> None:
        """`applied` is the calibration that line.db says was applied last, with the sha256 of its
        file; `spare` is given what is on the disk, whenever that has changed."""
        self.standing = standing
        self.waiting: Waiting | None = None
        self.renewed = False
        self._clock = clock
        self._origin = origin
        self._applied = applied
        self._spare = spare
        self._stored: dict[str, str] = {}

    def store(
        self,
        change: Change,
        now_ns: int,
        figures: Mapping[str, object],
        request: str | None = None,
    ) -> Entry:
        """What makes a change durable; `figures` are those of the candidate that was there."""
        standing, before = change.standing, self.standing
        if request is not None:
            standing = replace(standing, asked=request)
        ended, candidate = standing.last, before.candidate
        if ended is not None and ended != before.last:
            own = candidate is not None and candidate.id == ended.id
            standing = replace(standing, figures=dict(figures) if own else {})
        records = tuple(self._record(step, figures) for step in change.steps)
        for step in change.steps:
            _tell(step)
        state, stored = self._state(standing), Event()
        # only now: one that nobody will ever store would be waited for without end
        self.waiting, self.renewed = Waiting(standing, stored, now_ns), False
        return Entry(records, state=state, request_id=request, done=stored.set)

    def settle(self) -> bool | None:
        """Whether what was waiting is on the disk now; None when nothing was."""
        waiting = self.waiting
        if waiting is None:
            return None
        if not waiting.stored.is_set():
            return False
        self.waiting, self.standing = None, waiting.standing
        self._spare(self.standing)
        return True

    def calibrated(self, calibration: str, sha256: str) -> None:
        """A person has applied a calibration to the active model, and that is stored; the standing
        is to be stored again."""
        self._applied = calibration, sha256
        self.standing = calibrated(self.standing, calibration, sha256)
        if self.waiting is not None:
            self.waiting.standing = calibrated(self.waiting.standing, calibration, sha256)
        self.renewed = True

    def _record(self, step: Step, figures: Mapping[str, object]) -> Rollout:
        known = self.standing.candidate
        own = known is not None and known.id == step.probation.id
        return Rollout(
            id=self._clock.new_id(),
            origin=self._origin,
            decided=self._clock.moment(),
            step=step,
            evidence=figures if own else {},
        )

    def _state(self, standing: Standing) -> dict[str, str]:
        """What has changed; with another model also the calibration that belongs to it."""
        new = standing.state()
        changed = {key: text for key, text in new.items() if self._stored.get(key) != text}
        self._stored = new
        active = standing.active
        if active.calibration is not None and active.calibration_sha256 is not None:
            belongs = active.calibration, active.calibration_sha256
            if belongs != self._applied:
                changed[STATE_APPLIED], changed[STATE_DIGEST] = belongs
                self._applied = belongs
        return changed


def _tell(step: Step) -> None:
    probation = step.probation
    log.info(
        f"rollout.{step.event}",
        bundle=f"{probation.name} {probation.version}",
        state=probation.state,
        code=probation.code,
        why=probation.why,
    )
