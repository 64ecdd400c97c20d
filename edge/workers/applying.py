"""Puts a calibration in force while the line runs: asked for by a command, recorded, remembered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from edge.applied import CalibrationApplied
from edge.calibrations import STATE_APPLIED, STATE_DIGEST, Calibration
from edge.clock import Clock
from edge.records import Origin
from edge.requests import Answer, Refused, Request
from edge.workers.entry import Entry
from edge.workers.ruler import Basis, Ruler

COMMIT_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Applicable:
    """A calibration that fits this station, the hash of its file, and what follows from it."""

    calibration: Calibration
    sha256: str
    basis: Basis


class Applying:
    """The handler of the request `apply_calibration`. Called on the tend thread.

    `find` gives the calibration with an id, and raises Refused where it cannot be applied here;
    `bundle` is the digest of the active bundle.
    """

    def __init__(
        self,
        find: Callable[[str], Applicable],
        ruler: Ruler,
        clock: Clock,
        origin: Origin,
        in_force: Callable[[], None],
        bundle: Callable[[], str] | None = None,
    ) -> None:
        self.record: Callable[[Entry], None] | None = None
        self._find = find
        self._ruler = ruler
        self._clock = clock
        self._origin = origin
        self._in_force = in_force
        self._bundle = bundle
        self._stored: deque[Applicable] = deque()

    def apply(self, request: Request) -> Answer:
        """Arguments: calibration (the id), reason.

        The record is on the disk before the first part is decided by the new cuts, so that every
        inspection stands behind the calibration that it names.
        """
        wanted, reason = request.arguments.get("calibration"), request.arguments.get("reason")
        if not isinstance(wanted, str) or not isinstance(reason, str) or not reason:
            raise Refused("expected the id of a calibration and a reason")
        if not request.by:
            raise Refused("expected the person who decides it")
        found = self._find(wanted)
        committed = Event()

        def done() -> None:
            self._stored.append(found)
            committed.set()

        assert self.record is not None
        self.record(self._entry(found, request, reason, done))
        if not committed.wait(COMMIT_WITHIN_S):
            raise Refused("the record waits for the disk (see `status`); in force once it is there")
        self.settle()
        self._in_force()
        cuts = found.calibration.cuts
        return {
            "calibration": found.calibration.id,
            "accept_below": cuts.accept_below,
            "reject_above": cuts.reject_above,
            "certified": cuts.certified,
        }

    def settle(self) -> None:
        """What is stored by now counts. On the tend thread, which alone changes models: these cuts
        must not meet another one. Where the disk took long, that may have become active meanwhile.
        """
        while self._stored:
            found = self._stored.popleft()
            if self._bundle is None or self._bundle() == found.calibration.binding.bundle:
                self._ruler.basis = found.basis

    def _entry(
        self, found: Applicable, request: Request, reason: str, done: Callable[[], None]
    ) -> Entry:
        record = CalibrationApplied(
            id=found.calibration.id,
            origin=self._origin,
            decided=self._clock.moment(),
            application=self._clock.new_id(),
            calibration=found.calibration.content,
            reason=reason,
            by=request.by or "",
            account=request.account,
            request=request.id,
        )
        state = {STATE_APPLIED: found.calibration.id, STATE_DIGEST: found.sha256}
        return Entry((record,), state=state, request_id=request.id, done=done)
