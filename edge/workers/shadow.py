"""The shadow thread: another model answers parts that are over, on time that nobody else needs.

It has children of its own, at the lowest priority. The children that decide parts are used by the
inspect thread alone, so that no part ever waits for what happens here. Nor can anything that fails
here do more than leave a pair out.

The thread itself has the ordinary priority: one that the scheduler forgets while it holds the
interpreter's lock would hold up the inspect thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from edge.clock import Clock
from edge.inspection import Ruling, Stopwatch, inspect
from edge.log import log
from edge.rollout.pair import Answer, Pair, Side
from edge.rollout.pairing import answer, pair
from edge.store.images import path_of
from edge.workers.budget import Budget
from edge.workers.effort import Effort, process_ns
from edge.workers.inspect import Seen
from edge.workers.keep import ending
from edge.workers.runner import Process, Runner

MOST_PAIRS = 1000
"""Pairs that nobody has fetched; the oldest give way."""
LOOK_S = 0.5
WARMING_S = 0.02
GRACE_NS = 2 * 10**9
"""A child that decides parts no longer is left alone for so long: a part may still be with it."""


@dataclass(frozen=True, slots=True)
class Other:
    """Who answers afterwards where a certain bundle has decided, and whose answer counted then."""

    runner: Runner
    decided_by: Side

    @property
    def ruling(self) -> Ruling:
        """What *partial* would decide by its own cuts."""
        basis = self.runner.fitted.basis
        return Ruling("partial", basis.cuts, basis.familiar)


class Shadow:
    """The inspect thread offers parts, the tend thread says who is there; what both are for is
    done by `step`, on a thread that begins with the first model to be compared.

    `share` is that of one core which this thread and its children may use.
    """

    def __init__(self, share: float, clock: Clock) -> None:
        self._others: Mapping[str, Other] = {}
        self._twins: tuple[Runner, ...] = ()
        self._warming: tuple[Runner, ...] = ()
        self._pairs: deque[Pair] = deque(maxlen=MOST_PAIRS)
        self._clock = clock
        self._budget = Budget(share, clock.monotonic_ns())
        self._effort: Effort | None = None
        self._slot: deque[Seen] = deque(maxlen=1)
        self._hungry = False
        self._retired: deque[tuple[int, Process]] = deque()
        self._lock = threading.Lock()  # around a pair and those whom it is about
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def core_share(self) -> float:
        """The share of one core that this thread and its children took within the last minute."""
        return self._budget.used(self._clock.monotonic_ns())

    def offer(self, seen: Seen) -> None:
        """A part that is over. The newest one is taken, once there is time for it."""
        if self._hungry:
            self._slot.append(seen)
            self._wake.set()

    def arrange(self, others: Mapping[str, Other], twins: tuple[Runner, ...]) -> None:
        """Who answers, by the digest of the bundle that decided; and whose processor time counts
        for the budget. Each is replaced as a whole."""
        with self._lock:
            self._others, self._twins = others, twins

    def warm(self, runners: tuple[Runner, ...]) -> None:
        """These are to be warmed up as soon as they can."""
        self._warming = runners
        if runners:
            self._begin()
        if any(runner.wants_warming for runner in runners):
            self._wake.set()

    def take(self) -> list[Pair]:
        """What was compared since the last call."""
        found = []
        while self._pairs:
            found.append(self._pairs.popleft())
        return found

    def retire(self, process: Process) -> None:
        """Close it, when no part can be with it any more."""
        self._retired.append((self._clock.monotonic_ns() + GRACE_NS, process))
        self._begin()

    def stop(self) -> None:
        """End the thread, and close what was retired. Models that hang are not waited for."""
        self._stop.set()
        self._wake.set()
        # one that was retired may hang, too: its step is under way
        for _, process in tuple(self._retired):
            process.abort()
        for runner in (*self._twins, *self._warming):
            runner.process.abort()
        if self._thread is not None:
            self._thread.join()
        while self._retired:
            self._retired.popleft()[1].close()

    def step(self) -> float:
        """A little of everything; how long to wait until there is more, in seconds."""
        self._close_retired()
        for runner in self._warming:
            if runner.wants_warming:
                runner.warm_up()
        self._account()
        wait_s = self._budget.wait_s(self._clock.monotonic_ns())
        self._hungry = wait_s <= 0 and bool(self._others)
        if self._hungry and self._slot:
            self._compare(self._slot.popleft())
            self._account()
            return 0.0
        if any(not runner.warm for runner in self._warming):
            return WARMING_S
        return min(LOOK_S, wait_s) if wait_s > 0 else LOOK_S

    def _begin(self) -> None:
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                wait_s = self.step()
            except Exception as error:  # a mistake of ours costs pairs, not the line
                log.error("shadow.failing", error=repr(error))
                wait_s = LOOK_S
            self._wake.wait(wait_s)
            self._wake.clear()

    def _account(self) -> None:
        if self._effort is None:
            self._effort = Effort()  # of the thread that steps
        pids = [pid for runner in self._twins if (pid := runner.process.pid) is not None]
        self._budget.spend(self._effort.since_last(pids), self._clock.monotonic_ns())

    def _close_retired(self) -> None:
        now_ns = self._clock.monotonic_ns()
        while self._retired and self._retired[0][0] <= now_ns:
            self._retired.popleft()[1].close()

    def _compare(self, seen: Seen) -> None:
        """Ask the other model about the same part."""
        other = self._others.get(seen.seat.digest)
        if other is None or not other.runner.warm or not other.runner.process.free:
            return
        decided = answer(seen.inspection, seen.run_ms)
        if decided is None or decided.fault == "not_ready":
            return
        said = self._ask(other, seen)
        if said is not None and said.fault != "not_ready":
            found = pair(seen.inspection, other.decided_by, decided, said, _picture(seen))
            with self._lock:
                if self._others.get(seen.seat.digest) == other:  # nobody has come or gone meanwhile
                    self._pairs.append(found)

    def _ask(self, other: Other, seen: Seen) -> Answer | None:
        """The other model's answer, by the line's own way from a frame to a decision.

        Its time is that of the processor where this is less: a child at the lowest priority is
        interrupted, which says nothing about the model.
        """
        process = other.runner.process
        pid, now_ns = process.pid, self._clock.monotonic_ns
        before = None if pid is None else process_ns(pid)
        made = inspect(
            seen.frame,
            other.runner.fitted.setup,
            other.ruling,
            process,
            Stopwatch(now_ns, now_ns()),
            new_id=seen.inspection.id,
            clock_synced=False,
            more_doubts=seen.doubts,
        )
        after = None if pid is None else process_ns(pid)
        run_ms = process.run_ms
        if before is not None and after is not None:
            run_ms = min(run_ms, (after - before) / 1e6)
        return answer(made, run_ms)


def _picture(seen: Seen) -> str | None:
    """Where its picture is going to be, below the state directory."""
    if not seen.kept:
        return None
    suffix = ".jpg" if seen.frame.encoded is None else ending(seen.frame.encoded)
    return path_of(seen.inspection.id, seen.inspection.captured.wall, suffix)
