"""The models of the line: the active one, a candidate beside it, and the previous one kept warm.

Every model that may decide a part has a child of its own at the ordinary priority, which is warm
before its first part: changing over is one assignment, and so is going back. What is only compared
runs in further children at the lowest priority (see `shadow.py`).

Owned by the tend thread. Nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edge.decision.facts import Facts
from edge.rollout.pair import Pair
from edge.workers.acting import Acting
from edge.workers.candidate import Candidate, others
from edge.workers.fitted import Fitted
from edge.workers.mirror import Mirror
from edge.workers.ruler import Basis, Ruler
from edge.workers.runner import Process, Runner
from edge.workers.seats import Canary, Seated, Seats
from edge.workers.shadow import Shadow

Start = Callable[[Fitted, bool], Process]
"""Makes the process of a bundle; at the lowest priority where the second argument says so."""


class NotReady(Exception):
    """No warm child is there that could decide parts."""


class Models:
    """Who decides, who is compared, who is kept for a return.

    For tend and daemon this is the child of the active model: `ready`, `deaths`, `start`,
    `wait_ready`, `step`, `close`. `acting` says more of it. The rest is for edge/rollout.
    """

    def __init__(self, active: Fitted, ruler: Ruler, start: Start, shadow: Shadow) -> None:
        self.candidate: Candidate | None = None
        self.share = 0.0
        process = None if active.bundle is None else start(active, False)
        self.acting = Acting(active, process, ruler)
        self._ruler = ruler
        self._start = start
        self._shadow = shadow
        self._previous: Runner | None = None
        self._mirror = Mirror(lambda fitted: self._run(fitted, idle=True), shadow.retire)
        self._desk: Seated | None = None

    @property
    def active(self) -> Fitted:
        """What decides, under the basis that is in force."""
        return self.acting.fitted

    @property
    def ready(self) -> bool:
        """Whether the active model can answer; true where there is no model."""
        return self.acting.ready

    @property
    def deaths(self) -> tuple[int, ...]:
        """When children of the active model died, on the monotonic clock in ns."""
        return self.acting.deaths

    @property
    def candidate_ready(self) -> bool:
        """Whether the candidate has loaded and is warm: it is being compared."""
        return self.candidate is not None and self.candidate.twin.warm

    @property
    def prepared(self) -> bool:
        """Whether the candidate has a warm child that may decide parts."""
        return self.candidate is not None and self.candidate.prepared

    @property
    def returning(self) -> Runner | None:
        """What `restore` would make active, with its child."""
        return self._previous

    @property
    def core_share(self) -> float:
        """The share of one core that comparing took within the last minute."""
        return self._shadow.core_share

    def load(self, fitted: Fitted) -> None:
        """This bundle is the candidate, instead of what was there. It answers parts that are over
        once it is warm; it decides none."""
        self.drop_candidate()
        self.candidate = Candidate(self._run(fitted, idle=True))
        self._arrange()
        self._shadow.take()  # of another candidate

    def prepare(self) -> None:
        """Start the child of the candidate that may decide parts, if there is none yet."""
        candidate = self.candidate
        if candidate is not None and candidate.main is None:
            candidate.main = self._run(candidate.fitted, idle=False)

    def load_previous(self, fitted: Fitted) -> None:
        """This bundle is what a return makes active, instead of what was; it is compared, too."""
        self.drop_previous()
        self._previous = self._run(fitted, idle=False)
        self._arrange()

    def judge(self, basis: Basis, facts: Facts) -> None:
        """The candidate has these cuts from now on, and these facts are so about it."""
        if self.candidate is not None:
            self.candidate.judged_by(self.candidate.fitted.judged_by(basis, facts))
            self.rule()

    def canary(self, share: float) -> None:
        """The candidate decides this share of the parts, from the next one on at which it can."""
        if share > 0:
            self.prepare()
        self.share = share
        self._arrange()

    def promote(self) -> None:
        """From the next part on, the candidate is active, by its own cuts. The one before it is
        kept warm as the previous one. Raises NotReady."""
        candidate = self.candidate
        if candidate is None or candidate.main is None or not candidate.prepared:
            raise NotReady("the candidate has no warm child yet")
        before, gone = self.active, self._previous
        self.candidate, self.share = None, 0.0
        process = self._take(candidate.fitted, candidate.main.process)
        self._previous = None if process is None else Runner(before, process, warm=True)
        self._retire(candidate.twin)
        self._retire(gone)
        self._arrange()  # a mirror of the active one stays: it is of the previous one now

    def restore(self) -> None:
        """From the next part on, the previous model is active again, by its own cuts; what was
        active is dropped, and so is a candidate. Raises NotReady."""
        back = self._previous
        if back is None or not back.up:
            raise NotReady("the previous model has no warm child")
        self._previous = None
        gone = self._take(back.fitted, back.process)
        if gone is not None:
            self._shadow.retire(gone)
        self.drop_candidate()
        self._arrange()

    def give_up(self, fitted: Fitted) -> None:
        """There is no model: `fitted` has no bundle. Persons decide from the next part on."""
        self.unseat(fitted)
        self.drop_candidate()
        self.drop_previous()

    def unseat(self, fitted: Fitted) -> None:
        """The same, until the previous model can be restored."""
        gone = self._take(fitted, None)
        if gone is not None:
            self._shadow.retire(gone)

    def drop_candidate(self) -> None:
        """No candidate from the next part on; its children end."""
        gone, self.candidate, self.share = self.candidate, None, 0.0
        self._arrange()
        if gone is not None:
            for runner in gone.runners:
                self._retire(runner)

    def drop_previous(self) -> None:
        """There is no return from now on; its child ends."""
        gone, self._previous = self._previous, None
        self._arrange()
        self._retire(gone)

    def pairs(self) -> list[Pair]:
        """What was compared since the last call."""
        return self._shadow.take()

    def sit(self, desk: Seated) -> None:
        """This is where the inspect thread looks up who decides."""
        self._desk = desk
        self.rule()

    def rule(self) -> None:
        """Put the ruler's word before whoever decides, from the next part on."""
        if self._desk is not None:
            self._desk.sit(self.seats())

    def seats(self) -> Seats:
        """Who decides now."""
        candidate = self.candidate
        beside = None if candidate is None or self.share <= 0 else candidate.seat(self._ruler)
        return Seats(self.acting.seat, None if beside is None else Canary(beside, self.share))

    def start(self) -> None:
        """Start the active model's child."""
        self.acting.start()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until the active model can answer; at the start of the line only."""
        return self.acting.wait_ready(timeout_s)

    def step(self, now_ns: int) -> None:
        """Look after every child."""
        self.acting.step(now_ns)
        for runner in self._runners():
            runner.process.step(now_ns)
        self._shadow.warm(tuple(runner for runner in self._runners() if not runner.warm))
        self.rule()

    def close(self) -> None:
        """End every child. May wait a moment."""
        self._shadow.stop()
        for runner in self._runners():
            runner.process.close()
        self.acting.close()

    def _runners(self) -> Iterator[Runner]:
        if self.candidate is not None:
            yield from self.candidate.runners
        for runner in (self._previous, self._mirror.runner):
            if runner is not None:
                yield runner

    def _run(self, fitted: Fitted, idle: bool) -> Runner:
        process = self._start(fitted, idle)
        process.start()
        return Runner(fitted, process)

    def _take(self, fitted: Fitted, process: Process | None) -> Process | None:
        """It is active from the next part on; the process of the one before."""
        gone = self.acting.take(fitted, process)
        self.rule()
        return gone

    def _retire(self, runner: Runner | None) -> None:
        if runner is not None:
            self._shadow.retire(runner.process)

    def _arrange(self) -> None:
        """Who answers parts that are over, and who decides them."""
        self._mirror.show(self._mirrored())
        mirror = self._mirror.runner
        twins = [mirror, None if self.candidate is None else self.candidate.twin]
        found = others(self.active.digest, self.candidate, mirror)
        self._shadow.arrange(found, tuple(one for one in twins if one is not None))
        self.rule()

    def _mirrored(self) -> Fitted | None:
        """Who needs a twin besides the candidate."""
        if self.candidate is None:
            return None if self._previous is None else self._previous.fitted
        return self.active if self.share > 0 and self.acting.process is not None else None
