"""A steward between a real journal, a real inbox, and models that do as they are told."""

import contextlib
import hashlib
import json
from dataclasses import replace

from edge.requests import Desk, Request
from edge.rollout.changes import calibrated
from edge.rollout.inbox import Inbox
from edge.rollout.preparing import Preparing
from edge.rollout.requests import RolloutRequests
from edge.rollout.shown import shown
from edge.rollout.spare import Spare, recalled
from edge.rollout.standing import lost, remembered
from edge.rollout.starting import starting
from edge.rollout.steward import LOOK_NS, Given, Steward
from edge.rollout.wish import Rules
from edge.store.errors import AlreadyApplied
from edge.store.journal import Journal
from sync.assignment import Assignment, BundleFile, Limits
from tests.edge.rollout.candidates import digest, place
from tests.edge.rollout.fakes import FakeDossier, FakeModels, FakeWork, all_well
from tests.edge.workers.parts import ORIGIN, FakeClock

TRIAL = 50
LEAST = 10
LIMITS = Limits(min_parts=LEAST, wait_calibration_s=1000.0)


def assignment(letter="c", serial=1, action="run", station=ORIGIN.station, **more):
    """The fleet's word about the bundle of this letter."""
    content = f"bundle {letter}".encode()
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"bundles/rings-1.1.0-{letter}.zip"
    size = len(content)
    file = BundleFile("rings", "1.1.0", digest(letter), path, sha256, size, size, (sha256,))
    said = Assignment(
        station, serial, f"r{serial}", "2026-01-01T00:00:00Z", "k.ito", action, file, limits=LIMITS
    )
    return replace(said, **more)


class Bench:
    """One station. `restart` is what a power cut and a new start are to it."""

    def __init__(self, folder, models=None, disk=None):
        self.folder, self.clock = folder, FakeClock()
        self.disk = {"factory": digest("f")} if disk is None else disk
        self.models = models
        self.ends = all_well()
        self.refuses = False
        self.waiting = []
        self.dossier = None
        self.pinned = 1
        self.parts = 0
        self.least = LEAST
        self.factory = place()
        self.restart()

    def restart(self):
        """All that is not on the disk is gone."""
        if hasattr(self, "journal"):
            self.journal.close()
        self.waiting = []
        self.journal = Journal.open(self.folder / "line.db", ORIGIN.boot_id, self.clock.now_ns)
        spare = Spare(self.folder)
        standing = recalled(self.journal.state, self.factory, spare)
        applied = self.applied()
        if applied and standing.active.slot == "factory" and not standing.active.calibration:
            standing = calibrated(standing, *applied)
        begin = starting(standing, self.readable, self.clock.wall(), self.clock.new_id())
        cuts = self.models.cuts_in_force if self.models else True
        self.models = FakeModels(active=begin.standing.active, cuts_in_force=cuts)
        self.work = FakeWork(self.ends)
        self.preparing = Preparing(
            self.work,
            self.folder / "slots",
            self.inbox.file,
            lambda: self.pinned,
            lambda calibration: "1" * 64 if calibration else None,
        )
        given = Given(
            models=self.models,
            preparing=self.preparing,
            inbox=self.inbox,
            dossier=self.open_dossier,
            folder=lambda slot: self.folder / slot,
            clock=self.clock,
            origin=ORIGIN,
            trial_parts=TRIAL,
            applied=applied,
            sha256=lambda calibration: calibration[-1] * 64,
            spare=spare.write,
        )
        self.steward = Steward(given, begin)
        orders = RolloutRequests(self.steward, self.clock, Rules(TRIAL, LIMITS))
        orders.record = self.commit
        self.desk = Desk(self.folder / "requests", orders.handlers)

    def lose(self, how="damaged"):
        """line.db is set aside, unreadable, or deleted, and the line starts again."""
        if how == "deleted":
            self.journal.close()
            for left in self.folder.glob("line.db*"):
                left.unlink()
            del self.journal
        else:
            self.journal.append([], state=lost())
        self.dossier = None
        self.restart()

    def applied(self):
        """The calibration that line.db says was applied last."""
        found = self.journal.state("calibration.applied")
        return (found, self.journal.state("calibration.applied_sha256")) if found else None

    @property
    def inbox(self):
        """The folder that sync writes."""
        return Inbox(self.folder / "inbox", ORIGIN.station)

    def readable(self, place):
        """Whether what lies there is what should."""
        return self.disk.get(place.slot) == place.digest

    def open_dossier(self, probation):
        """What is known of a candidate outlives a restart."""
        if self.dossier is None or self.dossier.closed:
            self.dossier = FakeDossier(parts=self.parts, least=self.least)
        return self.dossier

    def assign(self, state="verified", **said):
        """The fleet says something, and sync has fetched as much of it as `state` says."""
        given = assignment(**said)
        where = self.folder / "inbox"
        where.mkdir(exist_ok=True)
        if state == "verified":
            (where / f"{given.bundle.sha256}.zip").write_bytes(b"bundle")
        content = {
            "schema": "inbox/1",
            "assignment": given.as_json(),
            "received_at": "2026-01-01T00:00:00Z",
            "state": state,
            "code": "no_space" if state == "refused" else None,
            "why": "words" if state == "refused" else None,
            "bytes": 0,
            "size": given.bundle.size,
            "file": f"{given.bundle.sha256}.zip",
        }
        new = where / ".new"
        new.write_text(json.dumps(content))
        new.replace(where / "assignment.json")

    def commit(self, entry):
        """As the record thread does, at once, where the disk takes it."""
        if self.refuses:
            self.waiting.append(entry)
            return
        with contextlib.suppress(AlreadyApplied):
            self.journal.append(entry.records, state=entry.state, request_id=entry.request_id)
        entry.done()

    def recover(self):
        """The disk takes what waited."""
        self.refuses = False
        waiting, self.waiting = self.waiting, []
        for entry in waiting:
            self.commit(entry)

    def step(self, seconds=LOOK_NS / 1e9):
        """Time goes by, and the tend thread comes round."""
        self.clock.move(seconds)
        for entry in self.steward.step(self.clock.now_ns):
            self.commit(entry)
        candidate = self.steward.standing.candidate
        if self.work.kind == "install" and candidate is not None:
            self.disk[candidate.slot] = candidate.digest

    def until(self, state, letter="c", most=60):
        """Steps until a candidate is in this state; each brings some parts."""
        for _ in range(most):
            if self.state == state:
                return self
            self.step()
            self.bring(4)
        raise AssertionError(f"it is {self.state}, {self.shown()}")

    def bring(self, parts):
        """Both models have answered more parts."""
        self.parts += parts
        self.models.decided += parts
        if self.dossier is not None:
            self.dossier.parts = self.parts

    @property
    def state(self):
        """That of the candidate, or of the last one."""
        standing = self.steward.standing
        found = standing.candidate or standing.last
        return None if found is None else found.state

    def shown(self):
        """The member of the status."""
        figures = {} if self.steward.dossier is None else self.steward.dossier.as_json()
        return shown(self.steward.standing, self.steward.known, figures, 0.0)

    def ask(self, kind, request=None, by="m.roth", **arguments):
        """A person's command."""
        given = {"reason": "a test", **arguments}
        request = request or self.clock.new_id()
        return self.desk.apply(Request(request, f"model_{kind}", given, by, "root"))

    def install(self, letter="c", kind="install", **more):
        """A person's bundle."""
        path = self.folder / f"{letter}.zip"
        path.write_bytes(b"bundle")
        asked = {"source": str(path), "digest": digest(letter), "name": "rings", "version": "1.1.0"}
        return self.ask(kind, **asked, **more)

    def records(self):
        """What was recorded of candidates, oldest first: from, event, to, code."""
        found = self.journal._database.execute(
            "SELECT body FROM records WHERE schema = 'rollout/1' ORDER BY seq"
        )
        return [json.loads(body) for (body,) in found]

    def story(self):
        """The same, short."""
        return [(one["event"], one["to"]) for one in self.records()]

    def check(self):
        """What holds at every instant: the active bundle is on the disk, whole."""
        standing = remembered(self.journal.state, self.factory)
        assert self.disk[standing.active.slot] == standing.active.digest
        assert self.models.active.digest
        return standing
