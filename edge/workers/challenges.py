"""The challenge that is running: started and stopped by requests, used up part by part."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from threading import Event

from edge.clock import Clock
from edge.decision.challenge import MOST, Challenge, ChallengeRecord, Truth
from edge.records import Origin
from edge.requests import Answer, Refused, Request
from edge.workers.entry import Entry

COMMIT_WITHIN_S = 3.0


class Challenges:
    """At most one at a time. The inspect thread takes parts from it, the tend thread the rest."""

    def __init__(self, running: Challenge | None = None) -> None:
        self._running = running
        self._lock = threading.Lock()

    @property
    def running(self) -> Challenge | None:
        """The challenge whose parts are still to come."""
        return self._running

    def take(self) -> Challenge | None:
        """The next part belongs to this challenge, counted as done; None for an ordinary part."""
        with self._lock:
            if self._running is None:
                return None
            taken = self._running.one_less()
            self._running = taken if taken.left else None
            return taken

    def start(self, challenge: Challenge) -> bool:
        """Begin with the next part; False while another one is running."""
        with self._lock:
            if self._running is not None:
                return False
            self._running = challenge
            return True

    def stop(self) -> Challenge | None:
        """End the running one; None when there is none."""
        with self._lock:
            stopped, self._running = self._running, None
            return stopped


class ChallengeRequests:
    """The handlers of `start_challenge` and `stop_challenge`. Called on the tend thread.

    `usable` says why a challenge would measure nothing now; None when it would.
    """

    def __init__(
        self,
        challenges: Challenges,
        clock: Clock,
        origin: Origin,
        usable: Callable[[], str | None],
    ) -> None:
        self.record: Callable[[Entry], None] | None = None
        self._challenges = challenges
        self._clock = clock
        self._origin = origin
        self._usable = usable

    @property
    def handlers(self) -> Mapping[str, Callable[[Request], Answer]]:
        """One handler for each kind of request."""
        return {"start_challenge": self._start, "stop_challenge": self._stop}

    def _start(self, request: Request) -> Answer:
        """Arguments: truth, count. From the next part on, these are of known truth.

        In force before it is on the disk: a part too many that is held back does no harm, a
        defect that is released does.
        """
        truth, count = _truth(request), _count(request)
        if not request.by:
            raise Refused("expected the person who starts it")
        if why := self._usable():
            raise Refused(f"a challenge would measure nothing now: {why}")
        challenge = Challenge(self._clock.new_id(), truth, count, count)
        if not self._challenges.start(challenge):
            raise Refused("a challenge is running already; `edge-inspect challenge stop` ends it")
        self._keep(self._record("start", challenge, request), challenge.started(), request)
        return {"challenge": challenge.id, "truth": truth, "count": count}

    def _stop(self, request: Request) -> Answer:
        """No arguments. Parts from now on are ordinary ones."""
        if not request.by:
            raise Refused("expected the person who stops it")
        challenge = self._challenges.stop()
        if challenge is None:
            raise Refused("no challenge is running")
        self._keep(self._record("stop", challenge, request), challenge.stopped(), request)
        return {"challenge": challenge.id, "truth": challenge.truth, "left": challenge.left}

    def _record(self, action: str, challenge: Challenge, request: Request) -> ChallengeRecord:
        return ChallengeRecord(
            id=challenge.id if action == "start" else self._clock.new_id(),
            origin=self._origin,
            decided=self._clock.moment(),
            action="start" if action == "start" else "stop",
            challenge=challenge.id,
            truth=challenge.truth,
            count=challenge.left,
            by=request.by or "",
            account=request.account,
            request=request.id,
        )

    def _keep(self, record: ChallengeRecord, state: Mapping[str, str], request: Request) -> None:
        committed = Event()
        assert self.record is not None
        self.record(Entry((record,), state=state, request_id=request.id, done=committed.set))
        if not committed.wait(COMMIT_WITHIN_S):
            raise Refused("it is in force, but the record waits for the disk: see `status`")


def _truth(request: Request) -> Truth:
    truth = request.arguments.get("truth")
    if truth == "good":
        return "good"
    if truth == "defect":
        return "defect"
    raise Refused("expected the truth of the parts: good or defect")


def _count(request: Request) -> int:
    count = request.arguments.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST:
        raise Refused(f"expected how many parts, 1 to {MOST:,}")
    return count
