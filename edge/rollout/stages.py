"""What is due for a candidate at the stage that it is at: its file, its slot, its proof, its cuts,
and beside the active model what `edge/rollout/course.py` says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge.rollout import course
from edge.rollout.course import Known, Next
from edge.rollout.fetching import fetching
from edge.rollout.inbox import Arrived
from edge.rollout.parts import Models
from edge.rollout.preparing import Preparing
from edge.rollout.probation import BESIDE, INSTALLED, Probation
from edge.rollout.standing import Place, Standing


class Stages:
    """One candidate at a time, for one thread. Never waits.

    `folder` is where the bundle of a slot lies; `trial_parts` is the length of a trial.
    """

    def __init__(
        self,
        models: Models,
        preparing: Preparing,
        folder: Callable[[str], Path | None],
        trial_parts: int,
    ) -> None:
        self._models = models
        self._preparing = preparing
        self._folder = folder
        self._trial_parts = trial_parts
        self._reinstalled: str | None = None

    def following(
        self, standing: Standing, known: Known, arrived: Arrived | None, now_ns: int, wall: float
    ) -> Next | None:
        """What happens next; None while there is something to wait for, or no candidate."""
        candidate, active = standing.candidate, standing.active
        if candidate is None:
            return None
        if candidate.orders.rest and candidate.state not in (*BESIDE, "active"):
            return None
        if candidate.state in ("assigned", "downloading"):
            return fetching(candidate, arrived)
        if candidate.state == "verified":
            return self._install(candidate, active, arrived, now_ns)
        if self._spoilt(candidate, known):
            self._reinstalled = candidate.id
            self._preparing.stop()
            return Next("lose", None, "what lies in its slot is damaged")
        if course.may_decide(candidate, known):
            self._models.prepare()
        following = course.following(candidate, known, self._trial_parts)
        if following is not None or not _lacks_cuts(candidate, known):
            return following
        following = self._preparing.calibrate(candidate, active.calibration, now_ns, wall)
        if following is None or following.event != "calibrate":
            return following
        # what was compared before, by other cuts or by none, says nothing about these
        return replace(following, changes={**following.changes, "base": known.parts})

    def _install(
        self, candidate: Probation, active: Place, arrived: Arrived | None, now_ns: int
    ) -> Next | None:
        following = self._preparing.install(candidate, self._folder(active.slot), now_ns)
        if following is None and self._preparing.lacks_file(candidate):
            return fetching(candidate, arrived)
        return following

    def _spoilt(self, candidate: Probation, known: Known) -> bool:
        """Whether it cannot be read from its slot, and was not put there anew for that already."""
        fault = known.fault
        damaged = fault is not None and fault.code == "unusable" and candidate.state in INSTALLED
        return damaged and self._reinstalled != candidate.id


def _lacks_cuts(candidate: Probation, known: Known) -> bool:
    if candidate.calibration is not None:
        return False
    # who waits for labels already goes on waiting, whatever the active model needs by now
    return candidate.state == "needs_calibration" or (
        known.needs_cuts and candidate.state == "shadow"
    )
