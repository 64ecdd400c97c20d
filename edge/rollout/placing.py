"""Brings the loaded models to what a standing says, from whatever they are. Pure.

It compares and calls, and remembers nothing that matters: done twice it does nothing more, and done
after a start it does the same as before.
"""

from __future__ import annotations

from edge.rollout.parts import Models
from edge.rollout.probation import INSTALLED
from edge.rollout.standing import Place, Standing, place_of


class Placing:
    """For the thread that owns the models."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def to(self, standing: Standing) -> bool:
        """Make it so; whether another model is active now. One that is not warm yet is waited for,
        and asked for again the next time."""
        changed = self._active(standing)
        if self._models.active.digest == standing.active.digest:
            self._beside(standing)
        return changed

    def _active(self, standing: Standing) -> bool:
        models, wanted = self._models, standing.active
        if models.active.digest == wanted.digest and models.active.slot == wanted.slot:
            return False
        beside = models.beside
        if standing.on_trial and beside is not None and beside.digest == wanted.digest:
            models.promote(wanted)
        else:
            models.restore(wanted)
        return models.active.digest == wanted.digest

    def _beside(self, standing: Standing) -> None:
        models, wanted = self._models, _wanted(standing)
        there = models.beside
        if wanted is None:
            if there is not None:
                models.drop()
            return
        if there is None or (there.digest, there.slot) != (wanted.digest, wanted.slot):
            (models.keep if standing.on_trial else models.load)(wanted)
        elif not standing.on_trial and (models.vouched or there.calibration != wanted.calibration):
            models.calibrate(wanted)
        candidate = standing.beside
        if candidate is not None:
            models.share(candidate.share)


def _wanted(standing: Standing) -> Place | None:
    """The model that has to be loaded beside the active one."""
    if standing.on_trial:
        back = standing.back
        return back if back is not None and back.digest else None
    candidate = standing.beside
    if candidate is None or candidate.state not in INSTALLED:
        return None
    return place_of(candidate)
