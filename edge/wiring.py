"""The appliance on one page: from the configuration to every worker and what it is given."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from threading import Event
from typing import TextIO

import cv2

from camera.quality import FrozenWatch
from camera.supervised import Supervisor
from edge import __version__, bundles, cameras, evidence
from edge.channel import Channel
from edge.clock import Clock, boot_id
from edge.config import Config
from edge.daemon import Appliance, Line
from edge.decision.spot_checks import SpotChecks
from edge.line.output import Lines, Records, Silent
from edge.line_status import LineStatus, Seen, static, troubles
from edge.monitor.alarms import Alarms
from edge.notify import Notifier
from edge.records import Origin
from edge.recovery.enduring import EnduringJournal
from edge.requests import Desk as Requests
from edge.rollout import opening
from edge.rollout.opening import Rollouts
from edge.rollout.requests import RolloutRequests
from edge.rollout.standing import FACTORY, lost
from edge.seating import Seating
from edge.statusfile import StatusFile
from edge.storage import make_room_to_start, storing
from edge.store.durable import make_directory
from edge.store.images import ImageStore, parse_policy, wanted
from edge.store.lock import Lock
from edge.triggering import triggering
from edge.watching import Watching, watching
from edge.workers.applying import Applicable, Applying
from edge.workers.challenges import ChallengeRequests, Challenges
from edge.workers.entry import Entry
from edge.workers.errands import Errands
from edge.workers.inspect import Desk, Inspector
from edge.workers.keep import Keeper
from edge.workers.models import Models
from edge.workers.openings import Openings
from edge.workers.overruns import Overruns
from edge.workers.record import Recorder
from edge.workers.ruler import Ruler, unknown_state
from edge.workers.services import LineRequests
from edge.workers.shadow import Shadow
from edge.workers.storing import Storing
from edge.workers.tend import Tended, Tender

PICTURES_IN_MEMORY = 13_000_000
ENTRIES = 256
SWITCH_S = 0.0005
"""A busy thread of ours gives way this soon, so that a decision never waits for a record."""


@dataclass(frozen=True, slots=True)
class Told:
    """Where committed records and decisions are printed, if anywhere."""

    records: TextIO | None = None
    decisions: TextIO | None = None


def build(config: Config, most: int | None = None, told: Told | None = None) -> Line:
    """The line process, wired and not started; it holds the lock of its state directory.

    Raises ConfigError (wrong configuration), Held (another line runs there), sqlite3.Error or
    OSError (the store cannot be opened).
    """
    cv2.setNumThreads(1)
    sys.setswitchinterval(SWITCH_S)
    return _Wiring(config, told or Told()).line(most)


@dataclass(frozen=True, slots=True)
class _Deciding:
    """From a picture to a decision, and what may take a decision away from a model."""

    ruler: Ruler
    models: Models
    camera: Supervisor
    watch: Watching
    inspector: Inspector


@dataclass(frozen=True, slots=True)
class _Keeping:
    """What puts pictures and records on the disk, and takes the oldest from it."""

    keeper: Keeper
    recorder: Recorder
    store: Storing


@dataclass(frozen=True, slots=True)
class _Orders:
    """What commands may ask for; `recording` are those that leave records of it."""

    requests: Requests
    applying: Applying
    recording: tuple[LineRequests | Applying | ChallengeRequests | RolloutRequests, ...]


class _Wiring:
    """Makes each part once, in the order in which they need each other."""

    def __init__(self, config: Config, told: Told) -> None:
        self.config, self.told = config, told
        self.bundle, self.no_model = bundles.usable(config.model.bundle)
        self.source = cameras.source(config.camera)
        self.clock, self.stop, self.finish, self.wake = Clock(), Event(), Event(), Event()
        make_directory(config.state_dir)
        self.lock = Lock(config.state_dir / "line.lock")
        self.origin = Origin(config.station.path, boot_id(), config.digest, __version__)
        make_room_to_start(config)
        path, boot = config.state_dir / "line.db", self.origin.boot_id
        self.journal = EnduringJournal.begin(path, boot, self.clock, {**unknown_state(), **lost()})
        self.overruns, self.openings = Overruns(), Openings()
        waiting = self.journal.open_escalations()
        self.openings.open((e.inspection, e.part_id, e.deadline_ns) for e in waiting)
        self.entries: Channel[Entry] = Channel(ENTRIES, PICTURES_IN_MEMORY)
        self.recorded: Channel[Entry] = Channel(ENTRIES)
        self.view = cameras.view(config, self.source)
        self.seating = Seating(config, self.origin, self.source, self.view)
        self.begin, self.fitted = opening.begin(
            self.seating, self.bundle, self.no_model, self.journal.state, self.clock
        )
        self.standards = self.seating.standards(self.bundle, FACTORY)
        self.shadow = Shadow(config.rollout.shadow_share, self.clock)
        self.alarms = Alarms(self.origin, self.clock.new_id)

    def line(self, most: int | None) -> Line:
        """Everything together."""
        deciding = self._deciding(most)
        keeping = self._keeping()
        rollouts = self._rollouts(deciding)
        status = self._status(deciding, keeping, rollouts)
        orders = self._orders(deciding, rollouts)
        tended = self._tended(deciding, keeping, rollouts, orders, status)
        tender = Tender(tended, self.finish, self.wake)
        for one in orders.recording:
            one.record = tender.hand_on
        return Line(
            Appliance(
                lock=self.lock,
                camera=deciding.camera,
                model=deciding.models,
                inspector=deciding.inspector,
                keeper=keeping.keeper,
                tender=tender,
                recorder=keeping.recorder,
                entries=self.entries,
                recorded=self.recorded,
                stop=self.stop,
                finish=self.finish,
                wake=self.wake,
                notifier=Notifier(),
                requests=orders.requests,
                stopped=lambda: status.write("stopped"),
            )
        )

    def _deciding(self, most: int | None) -> _Deciding:
        basis, facts = self.fitted.basis, self.fitted.facts
        ruler = Ruler(basis, self.origin, self.clock.new_id, self.journal.state, facts)
        models = Models(self.fitted, ruler, self.seating.process, self.shadow)
        camera, trigger = triggering(self.config, self.source, self.overruns, self.clock)
        known = self.config, self.standards, ruler, self.clock, self.origin
        watch = watching(*known, self.journal, self.openings)
        desk = self._desk(models, watch.challenges)
        inspector = Inspector(trigger, desk, self.entries, self.stop, most)
        return _Deciding(ruler, models, camera, watch, inspector)

    def _keeping(self) -> _Keeping:
        config, errands = self.config, Errands()
        images = ImageStore(config.state_dir)
        images.sweep()
        evidence.keep(config, self.bundle)
        keeper = Keeper(self.entries, self.recorded, images, config.storage.encoding)
        printed = None if self.told.records is None else Records(self.told.records)
        recorder = Recorder(self.recorded, self.journal, self.openings, printed, errands=errands)
        store = storing(config, images, errands, self.clock, lambda: recorder.failing)
        return _Keeping(keeper, recorder, store)

    def _orders(self, deciding: _Deciding, rollouts: Rollouts) -> _Orders:
        ruler, models, watch = deciding.ruler, deciding.models, deciding.watch
        state_dir = self.config.state_dir
        services = LineRequests(state_dir, deciding.inspector, ruler, self.clock, models.rule)
        applying = self._applying(ruler, models)
        handlers = {
            **services.handlers,
            **watch.requests.handlers,
            **rollouts.handlers,
            "apply_calibration": applying.apply,
        }
        requests = Requests(state_dir / "requests" / "line", handlers)
        return _Orders(requests, applying, (services, applying, watch.requests, rollouts.orders))

    def _tended(
        self,
        deciding: _Deciding,
        keeping: _Keeping,
        rollouts: Rollouts,
        orders: _Orders,
        status: LineStatus,
    ) -> Tended:
        models, watch, store = deciding.models, deciding.watch, keeping.store

        def in_force() -> None:
            orders.applying.settle()
            models.rule()

        return Tended(
            desk=deciding.inspector.desk,
            camera=deciding.camera,
            child=models,
            ruler=deciding.ruler,
            alarms=self.alarms,
            openings=self.openings,
            overruns=self.overruns,
            requests=orders.requests,
            recorded=self.recorded,
            clock=self.clock,
            origin=self.origin,
            fallback=self.config.escalation.fallback,
            facts=lambda: models.acting.facts,
            in_force=in_force,
            troubles=lambda: {
                **troubles(deciding.inspector, keeping.keeper, keeping.recorder),
                **watch.troubles(),
                **rollouts.troubles(),
                "storage": store.trouble,
            },
            status=status.write,
            helpers=(*watch.helpers, store, rollouts.steward),
            persons=watch.verdicts,
        )

    def _desk(self, models: Models, challenges: Challenges) -> Desk:
        config, clock = self.config, self.clock
        policy = parse_policy(config.storage.images)
        watch = FrozenWatch(config.camera.doubts.frozen_after) if self.source.live else None
        desk = Desk(
            seats=models.seats(),
            output=Silent() if self.told.decisions is None else Lines(self.told.decisions),
            clock=clock,
            wanted=lambda made: wanted(policy, made.decision, made.asked, clock.chance()),
            deadline_s=config.escalation.deadline_s,
            live=self.source.live,
            frozen=watch,
            stale_after_ms=config.camera.doubts.stale_after_ms,
            checks=SpotChecks(config.decision.spot_checks_per_day, clock.monotonic_ns()),
            challenges=challenges,
            beside=self.shadow,
        )
        models.sit(desk)
        return desk

    def _applying(self, ruler: Ruler, models: Models) -> Applying:
        def find(calibration_id: str) -> Applicable:
            return models.active.find(calibration_id)

        active = lambda: models.active.digest  # noqa: E731
        return Applying(find, ruler, self.clock, self.origin, models.rule, active)

    def _rollouts(self, deciding: _Deciding) -> Rollouts:
        station = opening.Station(
            config=self.config,
            seating=self.seating,
            clock=self.clock,
            origin=self.origin,
            state=self.journal.state,
            watch=deciding.watch.watch,
            decided=lambda: deciding.inspector.answered,
        )
        return opening.rollouts(station, deciding.models, self.begin)

    def _status(self, deciding: _Deciding, keeping: _Keeping, rollouts: Rollouts) -> LineStatus:
        watch, store = deciding.watch, keeping.store
        seen = Seen(
            inspector=deciding.inspector,
            keeper=keeping.keeper,
            recorder=keeping.recorder,
            ruler=deciding.ruler,
            alarms=self.alarms,
            openings=self.openings,
            overruns=self.overruns,
            clock=self.clock,
            state_dir=self.config.state_dir,
            static=static(self.config, self.view),
            pid_of_model=lambda: deciding.models.acting.pid,
            watched=lambda: {**watch.figures(), **store.figures(), **rollouts.figures()},
        )
        return LineStatus(StatusFile(self.config.status_folder, "line"), seen)
