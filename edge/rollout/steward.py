"""Brings a candidate from its assignment to being active, or away: a helper of the tend thread.

Every change is stored, with its record, before it is acted upon; what is then done follows from the
standing alone, so that a start after a power cut at any instant does the same. Only stopping comes
first where a disk refuses: a model that does harm does not go on until there is room.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.clock import Clock
from edge.log import log
from edge.records import Origin
from edge.rollout.ahead import Ahead
from edge.rollout.changes import Change, give_up, move
from edge.rollout.course import Known
from edge.rollout.inbox import Inbox
from edge.rollout.ledger import Ledger
from edge.rollout.parts import Dossier, Models
from edge.rollout.placing import Placing
from edge.rollout.preparing import Preparing
from edge.rollout.probation import BESIDE, INSTALLED, Impossible, Probation
from edge.rollout.shown import ended_badly
from edge.rollout.stages import Stages
from edge.rollout.standing import Standing
from edge.rollout.word import heed
from edge.workers.entry import Entry
from sync.assignment import Limits

LOOK_NS = 2 * 10**8


@dataclass(slots=True)
class Given:
    """What the steward works with.

    `dossier` opens that of a candidate; `folder` is where the bundle of a slot lies. `applied` is
    the calibration that line.db says was applied last, with the sha256 of its file, which `sha256`
    gives for others; `spare` keeps a copy of what is stored.
    """

    models: Models
    preparing: Preparing
    inbox: Inbox
    dossier: Callable[[Probation], Dossier]
    folder: Callable[[str], Path | None]
    clock: Clock
    origin: Origin
    trial_parts: int
    applied: tuple[str, str] | None = None
    sha256: Callable[[str], str | None] = lambda calibration: None
    spare: Callable[[Standing], None] = lambda standing: None


class Steward:
    """One station's models. For the tend thread."""

    def __init__(self, given: Given, begin: Change) -> None:
        """`begin` is what `starting` said; nothing of it is stored yet."""
        self.ledger = Ledger(begin.standing, given.clock, given.origin, given.applied, given.spare)
        self.dossier: Dossier | None = None
        self.known = Known()
        self.failing: str | None = None
        self._given = given
        self._begin = begin
        self._began = False
        self._placing = Placing(given.models)
        self._ahead = Ahead(given.models)
        self._stages = Stages(given.models, given.preparing, given.folder, given.trial_parts)
        self._next_ns = 0
        self._decided = given.models.decided
        self._limits: Limits | None = None

    @property
    def standing(self) -> Standing:
        """What is stored."""
        return self.ledger.standing

    @property
    def trouble(self) -> str | None:
        """What a person has to know."""
        return self.failing or ended_badly(self.standing)

    def step(self, now_ns: int) -> Iterable[Entry]:
        """A little of its work; what is to be stored."""
        try:
            entry = self._step(now_ns)
            self.failing = None
        except Exception as error:  # what a candidate brings along must never stop the line
            self.failing = f"candidates are not looked after: {error}"
            log.exception("rollout.failed")
            with contextlib.suppress(Exception):  # nobody watches what it decides
                self._given.models.share(0.0)
            return ()
        return () if entry is None else (entry,)

    def close(self) -> None:
        """Let go of files and processes; what is under way is begun again at the next start."""
        self._given.preparing.stop()
        if self.dossier is not None:
            self.dossier.close()

    def settle(self) -> bool:
        """Take in that a change is on the disk, if one was under way, and do what follows from it;
        whether none is under way any more."""
        stored = self.ledger.settle()
        if stored and self._began:
            self._act()
        return stored is not False

    def store(self, change: Change, now_ns: int, request: str | None = None) -> Entry:
        """What makes a change durable. `settle` says when it is."""
        self._ahead.before(self.standing, change)
        figures = {} if self.dossier is None else self.dossier.as_json()
        return self.ledger.store(change, now_ns, figures, request)

    def _step(self, now_ns: int) -> Entry | None:
        if not self._began:
            self._began = True
            self._act()
            return self.store(self._begin, now_ns)
        if self.dossier is not None:
            self.dossier.step(now_ns)
        if not self.settle():
            broken = None if self.dossier is None else self.dossier.broken()
            self._ahead.hurry(self.standing, self.ledger.waiting, broken, now_ns)
            return None
        if now_ns < self._next_ns:
            return None
        self._next_ns = now_ns + LOOK_NS
        change = self._change(now_ns)
        if change is None and self.ledger.renewed:
            change = Change(self.standing, ())
        if change is None:
            return None
        return self.store(change, now_ns)

    def _change(self, now_ns: int) -> Change | None:
        """The next thing that happens, if any."""
        wall, new_id = self._given.clock.wall(), self._given.clock.new_id()
        self._place()
        self._heed_calibration()
        self.known = self.look()
        change = self._give_up(wall, new_id)
        if change is not None:
            return change
        self._keep_dossier(self.standing.candidate)
        arrived = self._given.inbox.look()
        if arrived is not None:
            change = heed(self.standing, arrived.assignment, new_id, wall)
            if change is not None:
                return change
        due = self._stages.following(self.standing, self.known, arrived, now_ns, wall)
        if due is None:
            return None
        return move(self.standing, due.event, wall, code=due.code, why=due.why, **due.changes)

    def _give_up(self, wall: float, new_id: str) -> Change | None:
        """Go back from an active model that has to go. On trial it is a candidate that ends."""
        fell, parts = self.known.fell, self.known.parts
        if fell is None or self.standing.on_trial:
            return None
        try:
            return give_up(self.standing, fell.code, fell.words, wall, new_id, parts=parts)
        except Impossible:
            return None  # persons decide: the limits `model_dying` and `no_model` hold

    def _heed_calibration(self) -> None:
        """A person has applied another calibration to the active model: it belongs to it now."""
        now, active = self._given.models.calibration, self.standing.active
        same = self._given.models.active.digest == active.digest
        if now is not None and same and now != active.calibration:
            sha256 = self._given.sha256(now)
            if sha256 is not None:
                self.ledger.calibrated(now, sha256)

    def look(self) -> Known:
        """What is known at this moment."""
        models, candidate = self._given.models, self.standing.candidate
        beside, dossier = self.standing.beside, self.dossier
        lacking: str | None = "nothing is known of it yet"
        if candidate is not None and candidate.state in BESIDE and dossier is not None:
            lacking = dossier.lacking(candidate.base)
        # what another model does, that is still there, is not what the active one does
        placed = models.active.digest == self.standing.active.digest
        return Known(
            warm=beside is not None and models.warm,
            prepared=beside is not None and models.prepared,
            fault=None if beside is None else models.fault,
            fell=self._ahead.why(self.standing) or (models.fell if placed else models.lost),
            broken=None if dossier is None else dossier.broken(),
            parts=0 if dossier is None else dossier.parts,
            lacking=lacking,
            alone=not self.standing.active.digest,
            asked=models.asked,
            decided=models.decided - self._decided if placed else 0,
            # also while those that were applied hold no more, such as those for another camera
            needs_cuts=models.cuts_in_force or self.standing.active.calibration is not None,
            fits=models.fits,
            unconfirmed=models.unconfirmed,
            waits=self._given.preparing.waits,
        )

    def _act(self) -> None:
        """Bring the models to what the standing says."""
        candidate = self.standing.candidate
        self._place()
        if candidate is None or candidate.state not in (*INSTALLED, "verified", "active"):
            self._given.preparing.stop()
        self._keep_dossier(candidate)

    def _place(self) -> None:
        if self._ahead.why(self.standing) is None and self._placing.to(self.standing):
            self._decided = self._given.models.decided

    def _keep_dossier(self, candidate: Probation | None) -> None:
        wanted = candidate is not None and candidate.state in (*INSTALLED, "active")
        limits = candidate.orders.limits if candidate is not None and wanted else None
        if self.dossier is not None and limits != self._limits:
            self.dossier.close()
            self.dossier = None
        if candidate is not None and wanted and self.dossier is None:
            self.dossier, self._limits = self._given.dossier(candidate), limits
