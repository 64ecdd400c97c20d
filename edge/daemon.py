"""The line process: starts its workers, feeds the watchdog, drains on stop.

    camera ─► inspect ─► keep ─► record ─► line.db
                ▲                  ▲
                └────── tend ──────┘

Nothing but *stop* flows back. The first signal drains and ends with 0, a second one ends at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.channel import Channel
from edge.log import log
from edge.notify import Notifier
from edge.requests import Answer, Request
from edge.requests import Desk as Requests
from edge.stopping import on_stop
from edge.store.lock import Lock
from edge.workers.entry import Entry
from edge.workers.inspect import Inspector
from edge.workers.keep import Keeper
from edge.workers.record import Recorder
from edge.workers.tend import Tender
from edge.workers.thread import WorkerThread

MUST_MOVE_WITHIN_S = 15.0
"""A worker that has not moved for this long stops the watchdog from being fed."""
MODEL_HEAD_START_S = 3.0
"""How long the camera waits at start for the model, so that the first parts are not lost to it."""


class Camera(Protocol):
    """The supervised camera."""

    def start(self) -> None:
        """Begin to take pictures. Never raises for a camera that is not there."""
        ...

    def close(self) -> None:
        """Let the camera go; does not wait for a driver that hangs."""
        ...


class Model(Protocol):
    """The model's child."""

    def start(self) -> None:
        """Start the child."""
        ...

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until it takes requests."""
        ...

    def close(self) -> None:
        """End the child."""
        ...


@dataclass(slots=True)
class Appliance:
    """Everything that the line process runs, wired and not yet started."""

    lock: Lock
    camera: Camera
    model: Model | None
    inspector: Inspector
    keeper: Keeper
    tender: Tender
    recorder: Recorder
    entries: Channel[Entry]
    recorded: Channel[Entry]
    stop: threading.Event
    finish: threading.Event
    wake: threading.Event
    notifier: Notifier
    requests: Requests
    stopped: Callable[[], None]


class Line:
    """Runs an appliance until its source ends, its parts are done, it is told to stop, or fails."""

    def __init__(self, appliance: Appliance) -> None:
        self._appliance = appliance
        parts = appliance
        self._threads = {
            name: WorkerThread(name, stepper, self._on_end(name))
            for name, stepper in (
                ("inspect", parts.inspector),
                ("keep", parts.keeper),
                ("tend", parts.tender),
                ("record", parts.recorder),
            )
        }

    def run(self) -> int:
        """Run to the end; the exit code. Signals are the caller's (see `handle_signals`)."""
        try:
            self._start()
            while not self._appliance.stop.is_set():
                self._feed_watchdog()
                self._appliance.stop.wait(0.5)
        finally:
            return_code = self._drain()
        return return_code

    def apply(self, request: Request) -> Answer:
        """Apply one request without running the line, record it, and end."""
        parts = self._appliance
        self._threads["record"].start()
        try:
            return parts.requests.apply(request)
        finally:
            parts.recorded.close()
            self._threads["record"].join()
            parts.recorder.close()
            parts.lock.release()

    def stop(self) -> None:
        """Ask for the end; returns at once."""
        self._appliance.stop.set()
        self._appliance.wake.set()

    def handle_signals(self) -> None:
        """First SIGTERM or SIGINT: drain. Second: exit 130 at once."""
        on_stop(self.stop)

    def _start(self) -> None:
        parts = self._appliance
        if parts.model is not None:
            parts.model.start()
        for name in ("record", "keep"):
            self._threads[name].start()
        if parts.model is not None:
            parts.model.wait_ready(MODEL_HEAD_START_S)
        parts.camera.start()
        for name in ("tend", "inspect"):
            self._threads[name].start()
        parts.notifier.ready()
        log.info("line.started")

    def _on_end(self, name: str) -> Callable[[], None]:
        """A thread that has ended takes and gives nothing more: its neighbours must not wait."""
        parts = self._appliance
        beside = {"inspect": parts.entries, "keep": parts.entries, "record": parts.recorded}

        def ended() -> None:
            if name == "inspect" or self._threads[name].failure is not None:
                self.stop()
            if name in beside:
                beside[name].close()

        return ended

    def _feed_watchdog(self) -> None:
        now_ns = time.monotonic_ns()
        stuck = [
            name
            for name, thread in self._threads.items()
            if not thread.moved_within(now_ns, MUST_MOVE_WITHIN_S)
        ]
        if stuck:
            log.error("watchdog.starving", stuck=",".join(stuck))
        else:
            self._appliance.notifier.watchdog()

    def _drain(self) -> int:
        """Let what is under way reach the disk, in the order of the flow."""
        parts = self._appliance
        parts.notifier.stopping()
        parts.recorder.finish()
        self._join("inspect")
        parts.entries.close()
        parts.camera.close()
        self._join("keep")
        self._let_record()
        # only now: a camera that is closed may have one more part to report, and on a full disk
        # this thread makes the room for what is still to be written
        parts.finish.set()
        parts.wake.set()
        self._join("tend")
        parts.recorded.close()
        self._join("record")
        parts.recorder.close()
        if parts.model is not None:
            parts.model.close()
        parts.stopped()
        parts.lock.release()
        return self._exit_code()

    def _let_record(self) -> None:
        """Until everything is written, or the record thread has given up."""
        thread = self._threads["record"]
        while thread.is_alive() and not self._appliance.recorder.idle:
            self._feed_watchdog()
            thread.join(0.02)

    def _exit_code(self) -> int:
        parts = self._appliance
        unrecorded = parts.recorder.unrecorded + parts.inspector.unrecorded
        unrecorded += parts.keeper.left() + parts.tender.left()
        if unrecorded:
            log.error("line.unrecorded", records=unrecorded, because=parts.recorder.failing)
        log.info("line.stopped", inspections=parts.recorder.inspections)
        failed = any(thread.failure is not None for thread in self._threads.values())
        return 1 if failed or unrecorded else 0

    def _join(self, name: str) -> None:
        thread = self._threads[name]
        while thread.is_alive():
            self._feed_watchdog()
            thread.join(0.5)
