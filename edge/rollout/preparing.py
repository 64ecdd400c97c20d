"""What a candidate needs before it may decide anything: installed, proved, calibrated here.

Each is a step in a process of its own; here is which one is next, what its end means, and when it
is tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.rollout.breach import Breach
from edge.rollout.course import Next
from edge.rollout.outcome import Calibrated, Installed, Kind, Proved, Result
from edge.rollout.parts import Work
from edge.rollout.probation import Probation
from sync.refusals import REFUSALS

AGAIN_NS = 10 * 10**9
TRIES = 5
"""A step that came to nothing, through no fault of the bundle, is tried so often."""
MOST_PAUSES = 30
"""What comes to nothing again and again is tried less and less often, to every 5 minutes."""
NO_SPACE = "no_space"
STEP_S = 60.0
"""A clock that moves so far against the monotonic one was set."""
LOOK_AGAIN_NS = 3600 * 10**9
"""Labels may have come in a way that nobody noticed: cuts are tried so often at least."""

ITS_FAULT = frozenset({"died", "hung", "nonsense", "wrong_labels", "does_not_load"})
"""What a calibration can find wrong with the bundle; anything else is for want of pictures."""


class Preparing:
    """Drives the slow steps for one candidate at a time. For one thread; never waits."""

    def __init__(
        self,
        work: Work,
        slots: Path,
        file: Callable[[str], Path | None],
        pinned: Callable[[], object],
        sha256: Callable[[str], str | None],
    ) -> None:
        """`file` finds a bundle's file in the inbox; `pinned` changes when labelled pictures do;
        `sha256` is that of the file of a calibration, None where it cannot be read."""
        self._work = work
        self._slots = slots
        self._file = file
        self._pinned = pinned
        self._sha256 = sha256
        self._for: tuple[str, Kind] | None = None
        self._whose: str | None = None
        self._installed: str | None = None
        self._tries = self._pauses = 0
        self._short: Breach | None = None
        self._not_before_ns = 0
        self._tried_with: object = None
        self._until_ns = 0
        self._offset: float | None = None

    @property
    def waits(self) -> Breach | None:
        """That the disk has no room for the next step: no bundle's fault. It is waited for as long
        as the candidate is wanted."""
        return self._short

    def stop(self) -> None:
        """What is under way is for a candidate that is no more."""
        if self._work.busy:
            self._work.stop()
        self._for = self._installed = self._short = None
        self._tries = self._pauses = self._not_before_ns = self._until_ns = 0
        self._tried_with = None

    def install(self, candidate: Probation, active: Path | None, now_ns: int) -> Next | None:
        """Into its slot, then proved there. None while that takes time."""
        self._turn_to(candidate)
        kind: Kind = "prove" if self._installed == candidate.id else "install"
        result = self._result(candidate, kind)
        if result is None:
            if not self._work.busy and now_ns >= self._not_before_ns:
                return self._begin(candidate, kind, active)
            return None
        if self._lacks_room(result, now_ns):
            return None
        if not result.ok:
            return self._failed(result, now_ns)
        self._tries = 0
        if isinstance(result, Installed):
            if result.digest != candidate.digest:
                return Next("fail", "unusable", f"its digest is {result.digest[:12]}")
            self._installed = candidate.id
            return self.install(candidate, active, now_ns)
        return Next("prove")

    def lacks_file(self, candidate: Probation) -> bool:
        """Whether it has to be installed from a file of the inbox that is not there."""
        done = self._work.busy or self._installed == candidate.id
        return not done and candidate.orders.source is None and self._source(candidate) is None

    def calibrate(
        self, candidate: Probation, like: str | None, now_ns: int, wall: float
    ) -> Next | None:
        """Cuts from the labelled pictures of this station, for the targets of the calibration
        `like`; the configured ones without. None while that takes time, or labels are missing."""
        self._turn_to(candidate)
        if (until := self._moved(candidate, now_ns, wall)) is not None:
            return Next("lack", None, candidate.why, {"until": until})
        result = self._result(candidate, "calibrate")
        if isinstance(result, Calibrated) and not self._lacks_room(result, now_ns):
            return self._calibrated(candidate, result, now_ns, wall)
        late = candidate.until is not None and wall > candidate.until
        if late and self._short is None:
            return Next("fail", "not_calibrated", "labels for its cuts did not come in time")
        if not self._work.busy and self._due(now_ns):
            self._tried_with, self._until_ns = self._pinned(), now_ns + LOOK_AGAIN_NS
            self._start(
                candidate,
                "calibrate",
                bundle=str(self._slots / str(candidate.slot)),
                said=candidate.orders.not_trained_on_yours,
                like=like,
                by=candidate.orders.by,
                reason=f"for the candidate {candidate.name} {candidate.version}",
            )
        return None

    def _lacks_room(self, result: Result, now_ns: int) -> bool:
        """Whether there was no room for a step; then it is tried again, after growing pauses."""
        if result.code != NO_SPACE:
            self._short, self._pauses = None, 0
            return False
        self._pauses = min(self._pauses + 1, MOST_PAUSES)
        self._not_before_ns = now_ns + AGAIN_NS * self._pauses
        self._tried_with, self._until_ns = None, 0
        self._short = Breach(NO_SPACE, f"{result.why}; it goes on by itself when there is room")
        return True

    def _moved(self, candidate: Probation, now_ns: int, wall: float) -> float | None:
        """Until when labels are waited for now, where the clock was set meanwhile: what is left of
        the wait stays, and is never more than the whole."""
        offset = wall - now_ns / 1e9
        jump = 0.0 if self._offset is None else offset - self._offset
        self._offset = offset
        if candidate.until is None or abs(jump) < STEP_S:
            return None
        return min(candidate.until + jump, wall + candidate.orders.limits.wait_calibration_s)

    def _turn_to(self, candidate: Probation) -> None:
        """What was tried for another candidate, and when, says nothing about this one."""
        if candidate.id != self._whose:
            self.stop()
            self._whose = candidate.id

    def _due(self, now_ns: int) -> bool:
        if now_ns < self._not_before_ns:
            return False
        return now_ns >= self._until_ns or self._pinned() != self._tried_with

    def _calibrated(
        self, candidate: Probation, result: Calibrated, now_ns: int, wall: float
    ) -> Next | None:
        sha256 = self._sha256(result.calibration or "") if result.ok else None
        if sha256 is not None:
            made = {"calibration": result.calibration, "calibration_sha256": sha256}
            self._tries = 0
            return Next("calibrate", changes={**made, "needed": None, "until": None})
        why = "the file of its calibration cannot be read" if result.ok else result.why
        if result.again or result.ok:
            self._tries += 1
            pause_ns = AGAIN_NS * min(self._tries, MOST_PAUSES)
            self._not_before_ns, self._tried_with = now_ns + pause_ns, None
            self._until_ns = 0
            if self._tries < TRIES:
                return None
        elif result.code in ITS_FAULT:
            return Next("fail", result.code, result.why)
        needed = result.needed
        found = None if needed is None else (needed.get("good", 0), needed.get("defect", 0))
        until = candidate.until or wall + candidate.orders.limits.wait_calibration_s
        said = (found, why) == (candidate.needed, candidate.why)
        if said and candidate.state == "needs_calibration":
            return None
        return Next("lack", None, why, {"needed": found, "until": until})

    def _result(self, candidate: Probation, kind: Kind) -> Result | None:
        """What the step under way came to; another candidate's is thrown away."""
        if self._for is not None and self._for != (candidate.id, kind):
            self._work.stop()
            self._for = None
        result = self._work.poll() if self._for is not None else None
        if result is not None:
            self._for = None
        return result

    def _begin(self, candidate: Probation, kind: Kind, active: Path | None) -> Next | None:
        slot = str(candidate.slot)
        if kind == "prove":
            beside = None if active is None else str(active)
            self._start(candidate, kind, bundle=str(self._slots / slot), active=beside)
            return None
        source = self._source(candidate)
        if source is None:
            typed = candidate.orders.source is not None
            return Next("fail", "unusable", "the file of the bundle is gone") if typed else None
        self._start(candidate, kind, source=str(source), slot=slot, digest=candidate.digest)
        return None

    def _source(self, candidate: Probation) -> Path | None:
        orders = candidate.orders
        if orders.source is not None:
            path = Path(orders.source)
            return path if path.exists() else None
        return None if orders.file is None else self._file(orders.file)

    def _start(self, candidate: Probation, kind: Kind, **arguments: object) -> None:
        self._for = candidate.id, kind
        self._work.start(kind, arguments)

    def _failed(self, result: Installed | Proved | Calibrated, now_ns: int) -> Next | None:
        self._tries += 1
        if result.again and self._tries < TRIES:
            self._not_before_ns = now_ns + AGAIN_NS
            return None
        known = result.code if result.code in REFUSALS else "unusable"
        return Next("fail", known, result.why)
