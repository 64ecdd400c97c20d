"""The models that the line has loaded, by their places: what the steward works with.

For the tend thread. What cannot be done yet, since a child is not warm, is left undone: the steward
asks again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from edge.log import log
from edge.rollout.breach import Breach
from edge.rollout.standing import NOTHING, Place
from edge.seating import Unusable
from edge.workers.fitted import Fitted
from edge.workers.models import Models, NotReady
from inference.bundle import CONFIRMED
from sync.refusals import REFUSALS

FEW = 3
"""So many deaths within a minute end a candidate, as they end an active model."""
MINUTE_NS = 60 * 10**9
LOADING_NS = 120 * 10**9
"""A model that has not answered by then never will."""
WITHOUT_NS = 10 * 10**9
"""A model that has to go decides no longer than this, though nobody is there to take its place."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`fit` gives all that a place's answers are judged by, and raises Unusable; `without` is no
    model, and why, in words; `decided` counts the parts of this run."""

    fit: Callable[[Place], Fitted]
    without: Callable[[str], Fitted]
    decided: Callable[[], int]
    monotonic_ns: Callable[[], int]


class Loaded:
    """See edge/rollout/parts.py: `Models`."""

    def __init__(self, models: Models, active: Place, around: Surroundings) -> None:
        self.active = active
        self.beside: Place | None = None
        self._models = models
        self._around = around
        self._unusable: str | None = None
        self._lost: str | None = None
        self._since_ns = 0
        self._vouched_at: int | None = None
        self._leaving_ns: int | None = None
        """Since when the active model has to go; None while it may stay."""

    @property
    def warm(self) -> bool:
        """Whether the candidate has answered: it can be compared."""
        return self._models.candidate_ready

    @property
    def prepared(self) -> bool:
        """Whether the candidate could decide a part now."""
        return self._models.prepared

    @property
    def fault(self) -> Breach | None:
        """Why the candidate cannot run."""
        if self._unusable is not None:
            return Breach("unusable", self._unusable)
        candidate, now_ns = self._models.candidate, self._around.monotonic_ns()
        if candidate is None:
            return None
        deaths = [at for at in candidate.deaths if now_ns - at < MINUTE_NS]
        loading = not candidate.twin.warm and now_ns - self._since_ns > LOADING_NS
        if len(deaths) < FEW and not candidate.hopeless and not loading:
            return None
        code, words = candidate.fault or ("hung", "it has not answered at all")
        if len(deaths) >= FEW:
            words = f"{len(deaths)} deaths within a minute, the last: {words}"
        return Breach(code if code in REFUSALS else "died", words)

    @property
    def fell(self) -> Breach | None:
        """Why the active model has to go."""
        words = self._models.acting.falling
        return None if words is None else Breach("died", f"three deaths within a minute: {words}")

    @property
    def lost(self) -> Breach | None:
        """Why the model that is to be active again never will be."""
        if self._leaving_ns is None:
            return None
        if self._lost is not None:
            return Breach("unusable", self._lost)
        back, now_ns = self._models.returning, self._around.monotonic_ns()
        if back is None or back.up:
            return None
        deaths = sum(now_ns - at < MINUTE_NS for at in back.process.deaths)
        waited_ns = now_ns - max(self._since_ns, self._leaving_ns)
        if deaths < FEW and not back.hopeless and waited_ns <= LOADING_NS:
            return None
        code, words = back.fault or ("hung", "it has not answered at all")
        return Breach(code if code in REFUSALS else "died", f"it did not come up: {words}")

    @property
    def asked(self) -> bool:
        """Whether models are asked about parts at all."""
        return self._models.seats().active.ruling.degree != "human_only"

    @property
    def unconfirmed(self) -> bool:
        """Whether the candidate has fields that nobody vouches for."""
        candidate = self._models.candidate
        return candidate is not None and bool(candidate.fitted.facts.unconfirmed)

    @property
    def vouched(self) -> bool:
        """Whether somebody has said something about its fields since that was read last."""
        return self.unconfirmed and self._confirmation() != self._vouched_at

    @property
    def cuts_in_force(self) -> bool:
        """Whether the active model has cuts to decide by."""
        return self._models.active.basis.cuts is not None

    @property
    def calibration(self) -> str | None:
        """The calibration by which the active model decides now."""
        cuts = self._models.active.basis.cuts
        return None if cuts is None else cuts.calibration

    @property
    def fits(self) -> bool:
        """Whether the calibration of the candidate, if it has one, is one for this station now."""
        candidate, beside = self._models.candidate, self.beside
        if candidate is None or beside is None or beside.calibration is None:
            return True
        return candidate.fitted.basis.cuts is not None

    @property
    def decided(self) -> int:
        """Parts of this run."""
        return self._around.decided()

    def load(self, place: Place) -> None:
        """Start the candidate, in shadow."""
        self.drop()
        self._since_ns, self._vouched_at = self._around.monotonic_ns(), None
        fitted = self._fit(place)
        if fitted is not None:
            self._models.load(fitted)
        self.beside = place  # only now: where no process can be started, it is asked for again

    def prepare(self) -> None:
        """Make the candidate able to decide parts."""
        self._models.prepare()

    def keep(self, place: Place) -> None:
        """Start the previous model, for its return and for comparison."""
        self.drop()
        fitted = self._fit(place)
        self._unusable = None
        if fitted is not None and fitted.bundle is not None:
            self._models.load_previous(fitted)
        self.beside = place

    def calibrate(self, place: Place) -> None:
        """The candidate is judged anew, by these cuts or by none any more."""
        vouched_at = self._confirmation()  # first: what comes meanwhile is seen the next time
        fitted = self._fit(place)
        if fitted is not None:
            self.beside = place
            self._vouched_at = vouched_at
            self._models.judge(fitted.basis, fitted.facts)

    def share(self, share: float) -> None:
        """The candidate decides this share of the parts."""
        if self._models.share != share:
            self._models.canary(share)

    def promote(self, place: Place) -> None:
        """The candidate is active from the next part on, once it can decide."""
        self._models.prepare()
        with contextlib.suppress(NotReady):
            self._models.promote()
            self.active, self.beside = place, self.active
            self._leaving_ns = None

    def restore(self, place: Place) -> None:
        """This model is active from the next part on, as soon as it is warm; where there is none,
        persons decide at once, and where that takes long, until then."""
        models, now_ns = self._models, self._around.monotonic_ns()
        if not place.digest:
            self._without(place, self._around.fit(place))
            return
        leaving_ns = self._leaving_ns = self._leaving_ns or now_ns
        with contextlib.suppress(NotReady):
            if self._is_back(place):
                models.restore()
                self.active, self.beside, self._leaving_ns = place, None, None
                return
        # before anything that may fail: what has to go goes, whatever becomes of its way back
        if now_ns - leaving_ns > WITHOUT_NS and self.active != NOTHING:
            log.error("rollout.no_way_back", slot=place.slot, error=self._lost)
            models.unseat(self._around.without("the model that is to decide is not there yet"))
            self.active = NOTHING
        if not self._is_back(place):
            self._load_back(place, now_ns)

    def _is_back(self, place: Place) -> bool:
        """Whether the model of this place is loaded for a return."""
        back = self._models.returning
        return back is not None and (back.fitted.digest, back.fitted.slot) == (
            place.digest,
            place.slot,
        )

    def _load_back(self, place: Place, now_ns: int) -> None:
        """Start the model of this place, instead of what is beside the active one."""
        fitted = self._fit(place)
        self._lost, self._unusable = self._unusable, None
        if fitted is None:
            return
        if self._models.candidate is not None:
            self._models.drop_candidate()
        self.beside, self._since_ns = None, now_ns
        self._models.load_previous(fitted)

    def drop(self) -> None:
        """End the model beside."""
        self.beside = self._unusable = None
        if self._models.candidate is not None:
            self._models.drop_candidate()
        if self._models.returning is not None:
            self._models.drop_previous()

    def _without(self, place: Place, fitted: Fitted) -> None:
        self._models.give_up(fitted)
        self.active, self.beside, self._leaving_ns = place, None, None

    def _confirmation(self) -> int | None:
        """When the file that vouches for the candidate was written; None where there is none."""
        candidate = self._models.candidate
        bundle = None if candidate is None else candidate.fitted.bundle
        try:
            return None if bundle is None else (bundle.root / CONFIRMED).stat().st_mtime_ns
        except OSError:
            return None

    def _fit(self, place: Place) -> Fitted | None:
        try:
            fitted = self._around.fit(place)
        except Unusable as error:
            self._unusable = str(error)
            log.error("rollout.unusable", slot=place.slot, error=error)
            return None
        self._unusable = None
        return fitted
