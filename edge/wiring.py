"""The appliance on one page: from the configuration to every worker and what it is given."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from threading import Event
from typing import TextIO

import cv2

from camera.quality import FrozenWatch
from camera.supervised import NewestFeed, Supervisor, WaitingFeed
from edge import __version__, bundles, cameras, evidence
from edge.channel import Channel
from edge.clock import Clock, boot_id
from edge.config import Config
from edge.daemon import Appliance, Line
from edge.decision.spot_checks import SpotChecks
from edge.line.output import Lines, Records, Silent
from edge.line.trigger import Continuous, Feed, Interval, Trigger
from edge.line_status import LineStatus, Seen, troubles
from edge.monitor.alarms import Alarms
from edge.notify import Notifier
from edge.records import Origin
from edge.recovery.enduring import EnduringJournal
from edge.requests import Desk as Requests
from edge.rollout import opening
from edge.rollout.opening import Rollouts
from edge.rollout.standing import FACTORY, lost
from edge.seating import Seating
from edge.statusfile import StatusFile
from edge.storage import make_room_to_start, storing
from edge.store.durable import make_directory
from edge.store.images import ImageStore, parse_policy, wanted
from edge.store.lock import Lock
from edge.watching import Watching, watching
from edge.workers.applying import Applicable, Applying
from edge.workers.challenges import Challenges
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
        ruler = self._ruler()
        models = Models(self.fitted, ruler, self.seating.process, self.shadow)
        camera, trigger = self._camera()
        known = self.config, self.standards, ruler, self.clock, self.origin
        watch = watching(*known, self.journal, self.openings)
        desk = self._desk(models, watch.challenges)
        inspector = Inspector(trigger, desk, self.entries, self.stop, most)
        images = ImageStore(self.config.state_dir)
        images.sweep()
        evidence.keep(self.config, self.bundle)
        keeper = Keeper(self.entries, self.recorded, images, self.config.storage.encoding)
        printed = None if self.told.records is None else Records(self.told.records)
        errands = Errands()
        recorder = Recorder(self.recorded, self.journal, self.openings, printed, errands=errands)
        store = storing(self.config, images, errands, self.clock, lambda: recorder.failing)
        rollouts = self._rollouts(models, watch, inspector)
        status = self._status(inspector, keeper, recorder, ruler, rollouts, watch, store)
        state_dir = self.config.state_dir
        services = LineRequests(state_dir, inspector, ruler, self.clock, models.rule)
        applying = self._applying(ruler, models)

        def in_force() -> None:
            applying.settle()
            models.rule()

        handlers = {
            **services.handlers,
            **watch.requests.handlers,
            **rollouts.handlers,
            "apply_calibration": applying.apply,
        }
        requests = Requests(state_dir / "requests" / "line", handlers)
        tended = Tended(
            desk=inspector.desk,
            camera=camera,
            child=models,
            ruler=ruler,
            alarms=self.alarms,
            openings=self.openings,
            overruns=self.overruns,
            requests=requests,
            recorded=self.recorded,
            clock=self.clock,
            origin=self.origin,
            fallback=self.config.escalation.fallback,
            facts=lambda: models.acting.facts,
            in_force=in_force,
            troubles=lambda: {
                **troubles(inspector, keeper, recorder),
                **watch.troubles(),
                **rollouts.troubles(),
                "storage": store.trouble,
            },
            status=status.write,
            helpers=(*watch.helpers, store, rollouts.steward),
            persons=watch.verdicts,
        )
        tender = Tender(tended, self.finish, self.wake)
        services.record = applying.record = watch.requests.record = tender.hand_on
        rollouts.orders.record = tender.hand_on
        return Line(
            Appliance(
                lock=self.lock,
                camera=camera,
                model=models,
                inspector=inspector,
                keeper=keeper,
                tender=tender,
                recorder=recorder,
                entries=self.entries,
                recorded=self.recorded,
                stop=self.stop,
                finish=self.finish,
                wake=self.wake,
                notifier=Notifier(),
                requests=requests,
                stopped=lambda: status.write("stopped"),
            )
        )

    def _camera(self) -> tuple[Supervisor, Trigger]:
        paced, stall_s = self.config.trigger.every_ms, cameras.stall_s(self.config.camera)
        if not self.source.live:
            waiting = WaitingFeed()
            supervisor = Supervisor(self.source, waiting, stall_s=stall_s)
            if paced is None:
                return supervisor, Continuous(waiting)
            return supervisor, self._interval(waiting, paced)
        # between two ticks of an interval pictures may pass unseen; without one each is a part
        newest = NewestFeed(self.overruns.add if paced is None else None)
        supervisor = Supervisor(self.source, newest, stall_s=stall_s)
        return supervisor, Continuous(newest) if paced is None else self._interval(newest, paced)

    def _interval(self, feed: Feed, every_ms: float) -> Interval:
        return Interval(
            feed,
            every_ms,
            self.source.live,
            self.overruns.add,
            self.clock.monotonic_ns,
            self.clock.wall,
        )

    def _ruler(self) -> Ruler:
        basis, facts = self.fitted.basis, self.fitted.facts
        return Ruler(basis, self.origin, self.clock.new_id, self.journal.state, facts)

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

    def _rollouts(self, models: Models, watch: Watching, inspector: Inspector) -> Rollouts:
        station = opening.Station(
            config=self.config,
            seating=self.seating,
            clock=self.clock,
            origin=self.origin,
            state=self.journal.state,
            watch=watch.watch,
            decided=lambda: inspector.answered,
        )
        return opening.rollouts(station, models, self.begin)

    def _status(
        self,
        inspector: Inspector,
        keeper: Keeper,
        recorder: Recorder,
        ruler: Ruler,
        rollouts: Rollouts,
        watch: Watching,
        store: Storing,
    ) -> LineStatus:
        seen = Seen(
            inspector=inspector,
            keeper=keeper,
            recorder=recorder,
            ruler=ruler,
            alarms=self.alarms,
            openings=self.openings,
            overruns=self.overruns,
            clock=self.clock,
            state_dir=self.config.state_dir,
            static=_static(self.config, self.view),
            pid_of_model=lambda: rollouts.models.acting.pid,
            watched=lambda: {**watch.figures(), **store.figures(), **rollouts.figures()},
        )
        return LineStatus(StatusFile(self.config.status_folder, "line"), seen)


def _static(config: Config, view: str) -> dict[str, object]:
    return {
        "station": config.station.path,
        "config": config.digest,
        "view": view,
        "ceiling": config.decision.automation,
    }
