"""The models of the line: the active one, a candidate beside it, and the previous one kept warm.

Every model that may decide a part has a child of its own at the ordinary priority, which is warm
before its first part: changing over is one assignment, and so is going back. What is only compared
runs in further children at the lowest priority (see `shadow.py`).

Owned by the tend thread. Nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from edge.decision.facts import DEATHS_IN_A_MINUTE, Facts
from edge.rollout.pair import Pair
from edge.workers.fitted import Fitted
from edge.workers.ruler import Basis, Ruler
from edge.workers.runner import Process, Runner
from edge.workers.seats import Canary, Seat, Seats
from edge.workers.shadow import Other, Shadow

MINUTE_NS = 60 * 10**9

Start = Callable[[Fitted, bool], Process]
"""Makes the process of a bundle; at the lowest priority where the second argument says so."""


class NotReady(Exception):
    """No warm child is there that could decide parts."""


class Seated(Protocol):
    """Where the inspect thread looks up who decides."""

    seats: Seats


@dataclass(slots=True)
class _Candidate:
    """`twin` answers for comparison only; `main` may decide."""

    fitted: Fitted
    twin: Runner
    main: Runner | None = None

    @property
    def runners(self) -> tuple[Runner, ...]:
        return (self.twin,) if self.main is None else (self.twin, self.main)


class Models:
    """Who decides, who is compared, who is kept for a return.

    `active`, `candidate` and `previous` say what is loaded. For tend and daemon this is the child
    of the active model: `ready`, `deaths`, `pid`, `start`, `wait_ready`, `step`, `close`.
    """

    def __init__(self, active: Fitted, ruler: Ruler, start: Start, shadow: Shadow) -> None:
        self.shadowing = False
        self.share = 0.0
        self._active = active
        self._ruler = ruler
        self._start = start
        self._shadow = shadow
        self._main = None if active.bundle is None else start(active, False)
        self._candidate: _Candidate | None = None
        self._previous: Runner | None = None
        self._mirror: Runner | None = None  # of the active one, during a trial of the previous one
        self._desk: Seated | None = None
        self._now_ns = 0

    # -- the active model, as tend, daemon and status see it

    @property
    def active(self) -> Fitted:
        """What decides, under the basis that is in force."""
        return self._active.judged_by(self._ruler.basis)

    @property
    def facts(self) -> Facts:
        """What is so about the active bundle itself."""
        return self._active.facts

    @property
    def ready(self) -> bool:
        """Whether the active model can answer; true where there is no model."""
        return self._main is None or self._main.ready

    @property
    def pid(self) -> int | None:
        """The process of the active model."""
        return None if self._main is None else self._main.pid

    @property
    def deaths(self) -> tuple[int, ...]:
        """When children of the active model died, on the monotonic clock in ns."""
        return () if self._main is None else self._main.deaths

    @property
    def falling(self) -> bool:
        """Whether the active model has died three times within a minute, at the last step."""
        recent = sum(self._now_ns - death < MINUTE_NS for death in self.deaths)
        return recent >= DEATHS_IN_A_MINUTE

    def start(self) -> None:
        """Start the active model's child."""
        if self._main is not None:
            self._main.start()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until the active model can answer; at the start of the line only."""
        return self._main is None or self._main.wait_ready(timeout_s)

    # -- what the steward asks for

    @property
    def candidate(self) -> Fitted | None:
        """What was loaded to be compared, and is not active."""
        return None if self._candidate is None else self._candidate.fitted

    @property
    def candidate_ready(self) -> bool:
        """Whether the candidate has loaded and is warm: comparisons can begin."""
        return self._candidate is not None and self._candidate.twin.warm

    @property
    def prepared(self) -> bool:
        """Whether the candidate has a warm child that may decide parts."""
        candidate = self._candidate
        return candidate is not None and candidate.main is not None and _up(candidate.main)

    @property
    def candidate_deaths(self) -> tuple[int, ...]:
        """When children of the candidate died since it was loaded: on the monotonic clock in ns,
        oldest first. A hang counts as a death."""
        if self._candidate is None:
            return ()
        return tuple(sorted(at for one in self._candidate.runners for at in one.process.deaths))

    @property
    def candidate_fault(self) -> tuple[str, str] | None:
        """Code and words of what went wrong with the candidate's children last."""
        runners = () if self._candidate is None else self._candidate.runners
        return next((one.fault for one in reversed(runners) if one.fault is not None), None)

    @property
    def previous(self) -> Fitted | None:
        """What `restore` would make active."""
        return None if self._previous is None else self._previous.fitted

    @property
    def previous_ready(self) -> bool:
        """Whether `restore` would find a warm child."""
        return self._previous is not None and _up(self._previous)

    @property
    def core_share(self) -> float:
        """The share of one core that comparing took within the last minute."""
        return self._shadow.core_share

    def load(self, fitted: Fitted, idle: bool = True) -> None:
        """This bundle is the candidate. Another one is dropped first.

        `idle`: it is to be compared only. Otherwise a second child is started that may decide
        parts: `prepared` says when. May be called again with `idle` false for the same bundle.
        """
        if self._candidate is not None and self._candidate.fitted.digest != fitted.digest:
            self.drop_candidate()
        if self._candidate is None:
            self._candidate = _Candidate(fitted, self._run(fitted, idle=True))
        self._candidate.fitted = self._candidate.twin.fitted = fitted
        if not idle and self._candidate.main is None:
            self._candidate.main = self._run(fitted, idle=False)
        self._arrange()

    def load_previous(self, fitted: Fitted) -> None:
        """This bundle is what a return makes active; `previous_ready` says when it could."""
        self.drop_previous()
        self._previous = self._run(fitted, idle=False)
        self._arrange()

    def judge(self, basis: Basis) -> None:
        """The candidate has other cuts from now on."""
        if self._candidate is not None:
            fitted = self._candidate.fitted.judged_by(basis)
            self._candidate.fitted = fitted
            for runner in self._candidate.runners:
                runner.fitted = fitted
            self._arrange()

    def shadow(self, on: bool) -> None:
        """Compare: the candidate, or the previous model where there is no candidate, answers
        parts that are over; and so does the active one, for parts that the candidate decided."""
        self.shadowing = on
        self._arrange()

    def canary(self, share: float, basis: Basis) -> None:
        """From the next part on, the candidate decides this share of them, by these cuts; 0 ends
        it. Raises NotReady."""
        if share > 0 and not self.prepared:
            raise NotReady("the candidate has no warm child yet")
        self.share = share
        self.judge(basis)

    def promote(self, basis: Basis) -> None:
        """From the next part on, the candidate is active, by these cuts. The one before it is kept
        warm as the previous one. Raises NotReady."""
        if self._candidate is None or self._candidate.main is None or not self.prepared:
            raise NotReady("the candidate has no warm child yet")
        gone, self._candidate, self.share = self._candidate, None, 0.0
        before, main = self.active, self._main
        mirror, self._mirror = self._mirror, None
        self.drop_previous()
        if main is not None:
            self._previous, self._mirror = Runner(before, main, warm=True), mirror
        elif mirror is not None:
            self._shadow.retire(mirror.process)
        self._take(gone.fitted.judged_by(basis), gone.main.process)
        self._shadow.retire(gone.twin.process)
        self._arrange()

    def restore(self) -> None:
        """From the next part on, the previous model is active again, by its own cuts; what was
        active is dropped, and so is a candidate. Raises NotReady."""
        if self._previous is None or not self.previous_ready:
            raise NotReady("the previous model has no warm child")
        back, gone, self._previous = self._previous, self._main, None
        self.drop_candidate()
        self._take(back.fitted, back.process)
        if gone is not None:
            self._shadow.retire(gone)
        self._let_mirror_go()
        self._arrange()

    def drop_candidate(self) -> None:
        """No candidate from the next part on; its children end."""
        gone, self._candidate, self.share = self._candidate, None, 0.0
        if gone is not None:
            if self._previous is None:
                self._let_mirror_go()
            self._arrange()
            for runner in gone.runners:
                self._shadow.retire(runner.process)

    def drop_previous(self) -> None:
        """There is no return from now on; its child ends."""
        gone, self._previous = self._previous, None
        if gone is not None:
            self._shadow.retire(gone.process)
            if self._candidate is None:
                self._let_mirror_go()
            self._arrange()

    def pairs(self) -> list[Pair]:
        """What was compared since the last call."""
        found, waiting = [], self._shadow.pairs
        while waiting:
            found.append(waiting.popleft())
        return found

    # -- the machinery

    def sit(self, desk: Seated) -> None:
        """This is where the inspect thread looks up who decides."""
        self._desk = desk
        self.rule()

    def rule(self) -> None:
        """Put the ruler's word before whoever decides, from the next part on."""
        seats = self.seats()
        if self._desk is not None and self._desk.seats != seats:
            self._desk.seats = seats

    def seats(self) -> Seats:
        """Who decides now."""
        active = self._active
        seat = Seat(active.setup, self._ruler.ruling, self._main, active.digest)
        candidate = self._candidate
        if candidate is None or candidate.main is None or self.share <= 0:
            return Seats(seat)
        fitted = candidate.fitted
        ruling = self._ruler.ruling_for(fitted.basis, fitted.facts)
        beside = Seat(fitted.setup, ruling, candidate.main.process, fitted.digest)
        return Seats(seat, Canary(beside, self.share))

    def step(self, now_ns: int) -> None:
        """Look after every child. Never waits."""
        self._now_ns = now_ns
        if self._main is not None:
            self._main.step(now_ns)
        for runner in self._runners():
            runner.process.step(now_ns)
        warming = tuple(runner for runner in self._runners() if not runner.warm)
        self._shadow.warming = warming
        if any(runner.wants_warming for runner in warming):
            self._shadow.wake()

    def close(self) -> None:
        """End every child."""
        self._shadow.stop()
        for runner in self._runners():
            runner.process.close()
        if self._main is not None:
            self._main.close()

    def _runners(self) -> Iterator[Runner]:
        if self._candidate is not None:
            yield from self._candidate.runners
        yield from (one for one in (self._previous, self._mirror) if one is not None)

    def _run(self, fitted: Fitted, idle: bool) -> Runner:
        process = self._start(fitted, idle)
        process.start()
        self._shadow.begin()
        return Runner(fitted, process)

    def _take(self, fitted: Fitted, process: Process) -> None:
        """It is active: its model, its setup and its cuts in one assignment."""
        self._active, self._main = fitted, process
        self._ruler.rebase(fitted.basis, fitted.facts)
        self.rule()

    def _let_mirror_go(self) -> None:
        gone, self._mirror = self._mirror, None
        if gone is not None:
            self._shadow.retire(gone.process)

    def _arrange(self) -> None:
        """Who answers afterwards, and who decides."""
        mirrored = self._mirrored() if self.shadowing else None
        if mirrored is not None and self._mirror is None:
            self._mirror = self._run(mirrored, idle=True)
        elif mirrored is not None and self._mirror is not None:
            self._mirror.fitted = mirrored
        self._shadow.others = self._others() if self.shadowing else {}
        twins = [self._mirror, None if self._candidate is None else self._candidate.twin]
        self._shadow.twins = tuple(one for one in twins if one is not None)
        self.rule()

    def _mirrored(self) -> Fitted | None:
        """Whose copy has to answer parts that it did not decide, besides the candidate's."""
        if self._candidate is not None:
            active = self.active if self.share > 0 else None
            return active if active is not None and active.bundle is not None else None
        return None if self._previous is None else self._previous.fitted

    def _others(self) -> dict[str, Other]:
        mirror, digest = self._mirror, self._active.digest
        if self._candidate is None:
            on_trial = mirror is not None and self._previous is not None
            return {digest: Other(mirror, "candidate")} if on_trial and mirror else {}
        found = {digest: Other(self._candidate.twin, "active")}
        if self.share > 0 and mirror is not None:
            found[self._candidate.fitted.digest] = Other(mirror, "candidate")
        return found


def _up(runner: Runner) -> bool:
    return runner.warm and runner.process.ready
