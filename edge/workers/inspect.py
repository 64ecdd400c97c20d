"""The inspect thread: frame → doubts → child → decision → the line is told. One thread, no queue
in between: each hand-over would cost tail latency."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from camera.frame import Doubt, Frame
from camera.quality import FrozenWatch, stale
from edge.channel import Channel
from edge.clock import Clock
from edge.inspection import Model, Ruling, Setup, Stopwatch, inspect
from edge.line.output import Output
from edge.line.trigger import Trigger
from edge.records import Disposition, Inspection, Record
from edge.store.escalations import Deadline
from edge.workers.entry import Entry

PATIENCE_S = 5.0
"""How long a replayable source waits for a model that is being restarted."""


class ReadyModel(Model, Protocol):
    """A model that may be away for a moment."""

    @property
    def ready(self) -> bool:
        """Whether `predict` would be answered."""
        ...

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until it is; whether it is."""
        ...


@dataclass(slots=True)
class Desk:
    """What the inspect thread works with. `ruling` is replaced by the tend thread."""

    setup: Setup
    ruling: Ruling
    model: ReadyModel | None
    output: Output
    clock: Clock
    wanted: Callable[[Inspection], bool]
    deadline_s: float
    live: bool
    frozen: FrozenWatch | None = None
    stale_after_ms: float = 0.0


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
        desk, ruling = self.desk, self.desk.ruling
        if not desk.live and desk.model is not None and ruling.degree != "human_only":
            self._wait_for(desk.model)
        watch = Stopwatch(desk.clock.monotonic_ns, desk.clock.monotonic_ns())
        inspection = inspect(
            frame,
            desk.setup,
            ruling,
            desk.model,
            watch,
            new_id=desk.clock.new_id(),
            clock_synced=desk.clock.synced,
            more_doubts=self._remembered(frame, watch.began_ns),
        )
        desk.output.tell(inspection)
        self.inspected += 1
        self.newest = frame
        self._pass_on(inspection, frame)

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

    def _pass_on(self, inspection: Inspection, frame: Frame) -> None:
        has_picture = frame.encoded is not None or frame.image is not None
        wanted = has_picture and self.desk.wanted(inspection)
        entry = Entry(
            self._records(inspection),
            self._deadlines(inspection),
            picture=frame if wanted else None,
        )
        while wanted and not self.desk.live and not self._entries.closed:
            if self._entries.wait_for_room(0.25, entry.weight):
                break
        if self._entries.put(entry, entry.weight):
            return
        # Only a picture can be too heavy here: room for an entry was there before the part. That
        # there is none even so means that the threads behind this one have failed.
        if not self._entries.put(entry.with_image(None, "busy")):
            self.unrecorded += len(entry.records)

    def _records(self, inspection: Inspection) -> tuple[Record, ...]:
        if inspection.decision == "escalate":
            return (inspection,)
        clock = self.desk.clock
        return inspection, Disposition(
            id=clock.new_id(),
            origin=inspection.origin,
            decided=clock.moment(),
            inspection=inspection.id,
            disposition=inspection.decision,
            by="model",
            part_id=inspection.part_id,
        )

    def _deadlines(self, inspection: Inspection) -> dict[str, Deadline]:
        if not inspection.asked:
            return {}
        allowed_s = self.desk.deadline_s
        now_ns = self.desk.clock.monotonic_ns()
        return {inspection.id: Deadline(now_ns + int(allowed_s * 1e9), allowed_s)}
