"""The inspect thread: frame → doubts → child → decision → the line is told. One thread, no queue
in between: each hand-over would cost tail latency."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Protocol

from camera.frame import Doubt, Frame
from camera.quality import FrozenWatch, stale
from edge.channel import Channel
from edge.clock import Clock
from edge.decision.challenge import TAG, Challenge
from edge.decision.spot_checks import Draw, SpotChecks
from edge.inspection import PILOT, Ruling, Stopwatch, inspect
from edge.line.output import Output
from edge.line.trigger import Trigger
from edge.monitor.both import CANARY
from edge.records import Degree, Disposition, Fate, Inspection, Record
from edge.store.escalations import Deadline
from edge.workers.challenges import Challenges
from edge.workers.entry import Entry
from edge.workers.seats import ReadyModel, Seat, Seats

PATIENCE_S = 5.0
"""How long a replayable source waits for a model that is being restarted."""
DECIDES: frozenset[Degree] = frozenset({"partial", "full"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A part that is over, for whoever looks at it beside the line.

    `doubts` are those that need memory of earlier frames; `run_ms` is what the model itself took;
    `kept` says whether policy wants its picture.
    """

    frame: Frame
    inspection: Inspection
    seat: Seat
    doubts: tuple[Doubt, ...]
    run_ms: float
    kept: bool


class Beside(Protocol):
    """Somebody who looks at parts that are over."""

    def offer(self, seen: Seen) -> None:
        """Take it, or leave it. Never waits, never raises."""
        ...


@dataclass(slots=True)
class Desk:
    """What the inspect thread works with. `seats` is replaced by the tend thread."""

    seats: Seats
    output: Output
    clock: Clock
    wanted: Callable[[Inspection], bool]
    deadline_s: float
    live: bool
    frozen: FrozenWatch | None = None
    stale_after_ms: float = 0.0
    checks: SpotChecks = field(default_factory=lambda: SpotChecks(0, 0))
    challenges: Challenges = field(default_factory=Challenges)
    beside: Beside | None = None

    def rule(self, ruling: Ruling, canary: Ruling | None = None) -> None:
        """The same models under other rulings."""
        self.sit(self.seats.under(ruling, canary))

    def sit(self, seats: Seats) -> None:
        """From the next part on these decide. For the thread that owns `seats`."""
        if not seats.same_as(self.seats):
            self.seats = seats


class Inspector:
    """Takes one part after the other until the source ends, `most` parts are done, or `stop`."""

    def __init__(
        self,
        trigger: Trigger,
        desk: Desk,
        entries: Channel[Entry],
        stop: Event,
        most: int | None = None,
    ) -> None:
        self.desk = desk
        self.inspected = 0
        self.answered = 0
        """Parts that the active model gave a score for."""
        self.newest: Frame | None = None
        self.frozen = False
        self.unrecorded = 0
        self._trigger = trigger
        self._entries = entries
        self._stop = stop
        self._most = most

    def step(self) -> bool:
        """One part, or a short wait for it."""
        if self._stop.is_set() or self._trigger.ended or self.inspected == self._most:
            self._entries.close()
            return False
        # A live part that finds no room here is not taken from the feed: it becomes an overrun.
        if not self._entries.wait_for_room(0.25):
            return True
        frame = self._trigger.next(0.25)
        if frame is not None:
            self._inspect(frame)
        return True

    def _inspect(self, frame: Frame) -> None:
        desk = self.desk
        seat, share = self._seat()
        watch = Stopwatch(desk.clock.monotonic_ns, desk.clock.monotonic_ns())
        challenge = desk.challenges.take()
        draw = None if challenge else self._draw(seat.ruling, watch.began_ns)
        doubts = self._remembered(frame, watch.began_ns)
        inspection = inspect(
            frame,
            seat.setup,
            seat.ruling,
            seat.model,
            watch,
            new_id=desk.clock.new_id(),
            clock_synced=desk.clock.synced,
            more_doubts=doubts,
            draw=draw,
        )
        if share is not None or CANARY in inspection.tags:
            inspection = shared(inspection, share)
        if challenge is not None:
            inspection = challenged(inspection, challenge)
        desk.output.tell(inspection if challenge is None else held_back(inspection))
        if inspection.decision != "escalate" or seat.ruling.degree in PILOT:
            desk.checks.sure(draw)
        self.inspected += 1
        self.answered += share is None and inspection.score is not None
        self.newest = frame
        run_ms = 0.0 if seat.model is None else seat.model.run_ms
        kept = self._pass_on(inspection, frame, {} if challenge is None else challenge.done())
        if desk.beside is not None:
            desk.beside.offer(Seen(frame, inspection, seat, doubts, run_ms, kept))

    def _seat(self) -> tuple[Seat, float | None]:
        """Whose part the next one is, and the share where it is a canary's."""
        desk = self.desk
        active = desk.seats.active
        if not desk.live and active.model is not None and active.ruling.degree != "human_only":
            self._wait_for(active.model)
        # only now: while the model was away another one, or another ruling, may have come
        return desk.seats.choose(desk.clock.chance)

    def _draw(self, ruling: Ruling, now_ns: int) -> Draw | None:
        """Drawn where the model may decide, and in a pilot that asks about a sample only."""
        if ruling.degree in DECIDES or (ruling.degree in PILOT and not ruling.ask_all):
            return self.desk.checks.draw(self.desk.clock.chance(), now_ns)
        return None

    def _wait_for(self, model: ReadyModel) -> None:
        for _ in range(int(PATIENCE_S / 0.25)):
            if model.ready or model.wait_ready(0.25) or self._stop.is_set():
                return

    def _remembered(self, frame: Frame, now_ns: int) -> tuple[Doubt, ...]:
        """Doubts of live sources that one picture alone does not show."""
        if self.desk.frozen is None or frame.image is None:
            return ()
        frozen = self.desk.frozen.look(frame.image)
        self.frozen = frozen is not None
        old = stale(frame.monotonic_ns, now_ns, self.desk.stale_after_ms)
        return tuple(doubt for doubt in (frozen, old) if doubt is not None)

    def _pass_on(self, inspection: Inspection, frame: Frame, state: Mapping[str, str]) -> bool:
        """Give it to the store; whether its picture is to be kept."""
        has_picture = frame.encoded is not None or frame.image is not None
        wanted = has_picture and self.desk.wanted(inspection)
        entry = Entry(
            self._records(inspection),
            self._deadlines(inspection),
            state,
            picture=frame if wanted else None,
        )
        while wanted and not self.desk.live and not self._entries.closed:
            if self._entries.wait_for_room(0.25, entry.weight):
                break
        if self._entries.put(entry, entry.weight):
            return wanted
        # Only a picture can be too heavy here: room for an entry was there before the part. That
        # there is none even so means that the threads behind this one have failed.
        if not self._entries.put(entry.with_image(None, "busy")):
            self.unrecorded += len(entry.records)
        return False

    def _records(self, inspection: Inspection) -> tuple[Record, ...]:
        fate = _fate(inspection)
        if fate is None:
            return (inspection,)
        clock = self.desk.clock
        return inspection, Disposition(
            id=clock.new_id(),
            origin=inspection.origin,
            decided=clock.moment(),
            inspection=inspection.id,
            disposition=fate,
            by="model",
            part_id=inspection.part_id,
        )

    def _deadlines(self, inspection: Inspection) -> dict[str, Deadline]:
        if not inspection.asked or inspection.decision != "escalate":
            return {}
        allowed_s = self.desk.deadline_s
        now_ns = self.desk.clock.monotonic_ns()
        return {inspection.id: Deadline(now_ns + int(allowed_s * 1e9), allowed_s)}


def shared(inspection: Inspection, share: float | None) -> Inspection:
    """The record of a part that a canary decided; nobody else's carries that tag."""
    tags = {name: value for name, value in inspection.tags.items() if name != CANARY}
    return replace(inspection, tags=tags if share is None else {**tags, CANARY: f"{share:g}"})


def challenged(inspection: Inspection, challenge: Challenge) -> Inspection:
    """The record of a challenge part: nobody is asked, since its truth is known."""
    tags = {**inspection.tags, TAG: challenge.id}
    return replace(inspection, truth=challenge.truth, tags=tags, asked=False, spot_check=None)


def held_back(inspection: Inspection) -> Inspection:
    """What the line is told about a challenge part, whatever the model decided: never *accept*."""
    return replace(inspection, decision="escalate")


def _fate(inspection: Inspection) -> Fate | None:
    """What happens to the part at once; None where a person or the fall-back will say."""
    if TAG in inspection.tags:
        return "hold"
    return None if inspection.decision == "escalate" else inspection.decision
