"""The models of a station as the line begins with them, and everything that looks after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge import calibrations
from edge.calibrations import STATE_APPLIED, STATE_DIGEST
from edge.clock import Clock
from edge.config import Config
from edge.records import Origin
from edge.requests import Answer, Refused, Request
from edge.review.verdicts import FILE
from edge.rollout.changes import Change, calibrated
from edge.rollout.evidence import Evidence
from edge.rollout.inbox import Inbox
from edge.rollout.loaded import Loaded, Surroundings
from edge.rollout.pairs import FOLDER as EVIDENCE
from edge.rollout.pairs import tidy
from edge.rollout.pinned import ABOUT
from edge.rollout.pinned import FOLDER as PINNED
from edge.rollout.preparing import Preparing
from edge.rollout.probation import Probation
from edge.rollout.requests import RolloutRequests
from edge.rollout.shown import shown
from edge.rollout.spare import Spare, recalled, trouble
from edge.rollout.standing import FACTORY, NOTHING, Place
from edge.rollout.starting import starting
from edge.rollout.steward import Given, Steward
from edge.rollout.task import Tasks
from edge.rollout.wish import rules_of
from edge.rollout.witness import Deaths, Sources, Witness
from edge.seating import Seating, Unusable
from edge.store.archive import Archive
from edge.watching import TEND_BUSY_MS, wanted
from edge.workers.fitted import Fitted
from edge.workers.models import Models
from edge.workers.watch import Watch

if TYPE_CHECKING:
    from inference.bundle import Bundle

State = Callable[[str], str | None]


def begin(
    seating: Seating, bundle: Bundle | None, why: str | None, state: State, clock: Clock
) -> tuple[Change, Fitted]:
    """What the line begins with: `bundle` is the configured one, `why` says why there is none, and
    `state` is what line.db remembers. What has changed is stored at the first look."""
    factory = NOTHING
    if bundle is not None:
        factory = Place(FACTORY, bundle.digest, bundle.name, bundle.version)
    before = recalled(state, factory, Spare(seating.config.state_dir))
    change = starting(before, seating.readable, clock.wall(), clock.new_id())
    active = change.standing.active
    # the configured one that could not be read at the last start is no other one now that it can
    if active.digest != before.active.digest and before.active.digest:
        try:
            return change, seating.at(active)
        except Unusable as error:
            why = str(error)
    elif active.slot != FACTORY:
        try:
            bundle, why = seating.read(active), None
        except Unusable as error:
            bundle, why = None, str(error)
    fitted = seating.fit(bundle, active.slot, state, why)
    return _applied(change, fitted, state), fitted


def _applied(change: Change, fitted: Fitted, state: State) -> Change:
    """A calibration that a person applied just before the end belongs to the active model."""
    cuts, sha256 = fitted.basis.cuts, state(STATE_DIGEST)
    if cuts is None or cuts.calibration is None or sha256 is None:
        return change
    return replace(change, standing=calibrated(change.standing, cuts.calibration, sha256))


@dataclass(frozen=True, slots=True)
class Rollouts:
    """What looks after models: a helper of the tend thread, orders, a member of the status."""

    steward: Steward
    orders: RolloutRequests
    models: Models

    @property
    def handlers(self) -> Mapping[str, Callable[[Request], Answer]]:
        """Requests about models."""
        return self.orders.handlers

    def troubles(self) -> Mapping[str, str | None]:
        """By the cause of the alarm."""
        lost = trouble(self.steward.standing)
        return {"rollout": self.steward.trouble, "models": lost}

    def figures(self) -> dict[str, object]:
        """The members `rollout`, `model` and `runtime` of the status."""
        steward, setup = self.steward, self.models.active.setup
        evidence = {} if steward.dossier is None else steward.dossier.as_json()
        said = shown(steward.standing, steward.known, evidence, self.models.core_share)
        return {"rollout": said, "model": setup.model, "runtime": setup.runtime}


@dataclass(frozen=True, slots=True)
class Station:
    """What the line knows of itself, that models are looked after by."""

    config: Config
    seating: Seating
    clock: Clock
    origin: Origin
    state: State
    watch: Watch
    decided: Callable[[], int]


def rollouts(station: Station, models: Models, change: Change) -> Rollouts:
    """Wired; nothing is started yet."""
    config, seating, clock = station.config, station.seating, station.clock
    around = Surroundings(seating.at, seating.without, station.decided, clock.monotonic_ns)
    inbox = Inbox(config.state_dir / "inbox", config.station.path)
    preparing = Preparing(
        Tasks(config),
        config.state_dir / "slots",
        inbox.file,
        lambda: _version(config),
        lambda calibration: _sha256(config, calibration),
    )
    given = Given(
        models=Loaded(models, change.standing.active, around),
        preparing=preparing,
        inbox=inbox,
        dossier=_Dossiers(station, models).open,
        folder=seating.folder,
        clock=clock,
        origin=station.origin,
        trial_parts=config.rollout.trial_parts,
        applied=_known(station.state),
        sha256=lambda calibration: _sha256_of(models, calibration),
        spare=Spare(config.state_dir).write,
    )
    steward = Steward(given, change)
    return Rollouts(steward, RolloutRequests(steward, clock, rules_of(config)), models)


@dataclass(frozen=True, slots=True)
class _Dossiers:
    """Opens what is known of a candidate."""

    station: Station
    models: Models

    def open(self, candidate: Probation) -> Witness:
        """Its evidence, with what was gathered before a restart."""
        config = self.station.config
        cuts = self.models.active.basis.cuts  # its own are going to be for the same targets
        key = candidate.calibration or (None if cuts is None else cuts.calibration) or ""
        stated = wanted(config, self.station.seating.standards(None, ""), key)
        limits = candidate.orders.limits
        least = max(limits.min_parts, config.rollout.min_parts)
        evidence = Evidence(
            replace(limits, min_parts=least), stated.max_escape, stated.max_overkill
        )
        path = config.state_dir / EVIDENCE / f"{candidate.id}.jsonl"
        tidy(path)
        sources = Sources(
            self.models.pairs,
            self._deaths(candidate),
            lambda: self._spot_checks(candidate),
        )
        return Witness(path, evidence, sources, Archive(config.state_dir / FILE, TEND_BUSY_MS))

    def _deaths(self, newcomer: Probation) -> Deaths:
        """Those of the newcomer are the candidate's, and once it is active, the active model's."""
        models = self.models

        def own() -> tuple[int, ...]:
            if models.active.digest == newcomer.digest:
                return models.deaths
            return () if models.candidate is None else models.candidate.deaths

        def others() -> tuple[int, ...]:
            return () if models.active.digest == newcomer.digest else models.deaths

        def deciding() -> tuple[int, ...]:
            main = None if models.candidate is None else models.candidate.main
            process = None if main is None or models.share <= 0 else main.process
            if models.active.digest == newcomer.digest:
                process = models.acting.process
            # what somebody else has ended says no more about the model than a death in shadow
            died = () if process is None else process.deaths
            return tuple(at for at in died if process is None or at not in process.killed)

        return Deaths(own, others, deciding)

    def _spot_checks(self, candidate: Probation) -> str | None:
        """What they say of the candidate's own calibration, once it is in force."""
        watch = self.station.watch
        if self.models.active.digest != candidate.digest or candidate.calibration is None:
            return None
        found = watch.broken_of(candidate.calibration)
        return "; ".join(why for name, why in found.items() if name.endswith("_bound")) or None


def _known(state: State) -> tuple[str, str] | None:
    calibration, sha256 = state(STATE_APPLIED), state(STATE_DIGEST)
    return None if calibration is None or sha256 is None else (calibration, sha256)


def _version(config: Config) -> object:
    """Changes whenever other pictures are pinned."""
    try:
        return (config.state_dir / PINNED / ABOUT).stat().st_mtime_ns
    except OSError:
        return None


def _sha256_of(models: Models, calibration: str) -> str | None:
    try:
        return models.active.find(calibration).sha256
    except Refused:
        return None


def _sha256(config: Config, calibration: str) -> str | None:
    try:
        return calibrations.find([config.state_dir / "calibrations"], calibration)[1]
    except (OSError, ValueError):
        return None
