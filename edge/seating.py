"""From a bundle to all that its answers are judged by, and to the process that it runs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from camera.quality import Limits
from edge import bundles, cameras
from edge.calibrations import STATE_APPLIED, STATE_DIGEST, Choice
from edge.config_file import ConfigError
from edge.decision.facts import Facts
from edge.inspection import Setup
from edge.records import Origin
from edge.rollout.standing import FACTORY, Place
from edge.standards import Standards
from edge.workers.fitted import Fitted
from inference.interpreter import runtime_name
from inference.slots import Slots
from inference.worker import Worker

if TYPE_CHECKING:
    from camera.source import Source
    from edge.config import Config
    from inference.bundle import Bundle

FOLDER = "slots"
TWIN_HANG_MS = 20_000.0
"""A child at the lowest priority waits for a processor, through no fault of its model."""
State = Callable[[str], str | None]


class Unusable(Exception):
    """A bundle of this station that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Seating:
    """One station, as every bundle finds it: its camera, its view, its calibrations."""

    config: Config
    origin: Origin
    source: Source
    view: str

    def folder(self, slot: str) -> Path | None:
        """Where the bundle of a slot lies; None where nothing does, or nobody can look."""
        try:
            if slot == FACTORY:
                return bundles.folder(self.config.model.bundle)
            path = Slots(self.config.state_dir / FOLDER).path(slot)
            return path if path.exists() else None
        except (ConfigError, OSError):
            return None

    def read(self, place: Place) -> Bundle:
        """The bundle of this place. Raises Unusable where it is gone, damaged, or another one."""
        path = self.folder(place.slot)
        if path is None:
            raise Unusable(f"there is no bundle in slot {place.slot}")
        try:
            bundle, why = bundles.readable(path)
        except OSError as error:
            raise Unusable(str(error)) from error
        if bundle is None:
            raise Unusable(why or "")
        if bundle.digest != place.digest:
            raise Unusable(f"{path} holds {bundle.digest[:12]}, not {place.digest[:12]}")
        return bundle

    def readable(self, place: Place) -> bool:
        """Whether the bundle of this place could be used."""
        try:
            self.read(place)
        except Unusable:
            return False
        return True

    def standards(self, bundle: Bundle | None, slot: str) -> Standards:
        """The calibrations of a bundle here."""
        return Standards(self.config, bundle, self.source, configured=slot == FACTORY)

    def fit(self, bundle: Bundle | None, slot: str, state: State, why: str | None = None) -> Fitted:
        """All that its answers are judged by; `state` says which calibration was applied, as
        line.db does, and `why` in words why there is no bundle."""
        return self._fitted(bundle, slot, self.standards(bundle, slot).choose(state), why)

    def _fitted(
        self, bundle: Bundle | None, slot: str, choice: Choice, why: str | None = None
    ) -> Fitted:
        standards = self.standards(bundle, slot)
        allowed = self.config.decision.allow_uncertified
        guessed = tuple(bundle.manifest.guessed) if bundle and bundle.unconfirmed else ()
        return Fitted(
            slot=slot,
            bundle=bundle,
            setup=make_setup(self.config, self.origin, self.view, bundle),
            basis=standards.basis(choice),
            facts=Facts(no_model=why, allow_uncertified=allowed, unconfirmed=guessed),
            find=standards.applicable,
        )

    def at(self, place: Place) -> Fitted:
        """The bundle of this place under the calibration that the place names. Raises Unusable."""
        if not place.digest:
            return self.without("the configured bundle cannot be used")
        bundle = self.read(place)
        if place.calibration is None:
            why = f"{bundle.name} {bundle.version} has no calibration of its own yet"
            return self._fitted(bundle, place.slot, Choice(None, why))
        return self.fit(bundle, place.slot, state_of(place))

    def without(self, why: str) -> Fitted:
        """No model at all: persons decide. `why` says so in words."""
        return self.fit(None, FACTORY, _nothing, why)

    def process(self, fitted: Fitted, idle: bool) -> Worker:
        """The process of a bundle, not started. An idle one is for comparison only, and has time;
        a bundle that was not configured by hand may take so much memory and no more."""
        assert fitted.bundle is not None
        model, rollout = self.config.model, self.config.rollout
        deadline_ms = fitted.bundle.deadline_ms if model.deadline_ms is None else model.deadline_ms
        memory_mb = None if fitted.slot == FACTORY else rollout.memory_mb
        if not idle:
            return Worker(fitted.bundle, model.threads, deadline_ms, memory_mb=memory_mb)
        worker = Worker(fitted.bundle, model.threads, 0.0, idle=True, memory_mb=memory_mb)
        worker.hang_ms = TWIN_HANG_MS
        return worker


def _nothing(name: str) -> None:
    """The state of a station that remembers nothing."""


def state_of(place: Place) -> State:
    """The calibration of a place, as line.db remembers the one that was applied."""
    kept = {STATE_APPLIED: place.calibration, STATE_DIGEST: place.calibration_sha256}
    return kept.get


def make_setup(config: Config, origin: Origin, view: str, bundle: Bundle | None) -> Setup:
    """What stays the same for every part of a run."""
    limits = config.camera.doubts
    return Setup(
        origin=origin,
        view=view,
        model=None if bundle is None else bundle.as_record(),
        runtime=None if bundle is None else runtime_name(),
        roi=cameras.roi(config.camera),
        rotate=config.camera.rotate,
        size=cameras.expected_size(config.camera),
        limits=Limits(limits.black_below, limits.blown_out_above, limits.blurred_below),
    )
