"""The parent's handle of one model: keeps a child alive and asks it within a deadline.

Two threads share a Worker. The one that inspects calls `predict`; the one that tends calls `step`
often. One lock lies around everything that touches the child; `step` never waits for it, since a
`predict` that holds it notices death and hang by itself.
"""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.child import Child, ChildGone, sealed_memory
from inference.deaths import Deaths
from inference.exchange import FAILED, Reply
from inference.fitting import misfits
from inference.interpreter import NO_MEMORY
from inference.outstanding import Outstanding
from inference.postprocess import Postprocessor
from inference.prediction import Late, ModelFault, Prediction
from inference.preprocess import Image, Preprocessor, WrongPicture

HANG_MS = 2000.0
HANG_DEADLINES = 5.0
START_S = 20.0
"""How long a child may take to load its model before it counts as hung."""
GIVE_UP_DEATHS = 3
NEVER = 1 << 62


class Worker:
    """One bundle's model in a child process.

    `deadline_ms` 0 means none: then only a hang (`hang_ms`, the larger of 2 s and 5 deadlines)
    ends the wait. At most one request is outstanding; a late answer is discarded by its number.
    An `idle` worker's child gets only what processors and disks have left over. With `memory_mb` an
    allocation of the model beyond that fails, which most models do not survive.
    `last_fault` and `last_fault_code` say how the last child ended: `died`, `hung`, `too_large`,
    `does_not_load`, `does_not_fit`. `last_inference_ms` is from hand-over to answer,
    `run_ms` what the model itself took of it.
    """

    def __init__(
        self,
        bundle: Bundle,
        threads: int = 1,
        deadline_ms: float = 0.0,
        clock: Callable[[], int] = time.monotonic_ns,
        idle: bool = False,
        memory_mb: int | None = None,
    ) -> None:
        self.bundle = bundle
        self.deadline_ms = deadline_ms
        self.hang_ms = max(HANG_MS, HANG_DEADLINES * deadline_ms)
        self.last_inference_ms = 0.0
        self.last_fault = ""
        self.last_fault_code = ""
        self._threads = threads
        self._idle = idle
        self._memory_mb = memory_mb
        self._clock = clock
        self._preprocess = Preprocessor(bundle.spec.input)
        self._postprocess = Postprocessor(bundle.spec.output)
        self._lock = threading.Lock()
        self._model: int | None = None
        self._child: Child | None = None
        self._corpses: list[Child] = []
        self._ready = False
        self._started_ns = 0
        self._restart_ns = 0
        self._number = 0
        self._owed = Outstanding()
        self.run_ms = 0.0
        self._deaths = Deaths()

    @property
    def ready(self) -> bool:
        """Whether a child has its model loaded and takes requests."""
        return self._ready

    @property
    def free(self) -> bool:
        """Whether it is ready, and no answer to an earlier request is outstanding."""
        return self._ready and not self._owed.open

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        child = self._child
        return child.pid if child else None

    @property
    def deaths(self) -> tuple[int, ...]:
        """When children died or were killed for hanging, on the monotonic clock, oldest first."""
        return self._deaths.times

    @property
    def killed(self) -> tuple[int, ...]:
        """Those deaths that were somebody else's doing: see `Child.killed_by_others`."""
        return self._deaths.killed

    def start(self) -> None:
        """Start the child; it becomes ready by and by. Never raises for a bad model."""
        with self._lock:
            if self._model is None:
                self._model = sealed_memory(self.bundle.model)
                self._spawn(self._clock())

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until the child is ready. False after `timeout_s`, when closed, or when children
        died GIVE_UP_DEATHS times meanwhile; `last_fault` then says why."""
        end = time.monotonic() + timeout_s
        deaths = len(self._deaths)
        while not self._ready:
            self.step(self._clock())
            left = end - time.monotonic()
            if left <= 0 or self._model is None or len(self._deaths) - deaths >= GIVE_UP_DEATHS:
                break
            child = self._child
            try:
                select.select([child.replies] if child else [], [], [], min(left, 0.02))
            except (OSError, ValueError):
                continue  # the other thread has just closed it
        return self._ready

    def predict(self, image: Image, meanwhile: Callable[[], object] | None = None) -> Prediction:
        """The model's answer about one ROI picture. Raises Late or ModelFault.

        `meanwhile` is called while the child works: on two cores its time costs nothing. It is
        not called when nothing could be asked.
        """
        began = self._clock()
        with self._lock:
            child = self._free_child(began)
            try:
                self._preprocess(image, child.given)
            except WrongPicture as error:
                raise ModelFault("wrong_input", str(error)) from error
            return self._postprocess(self._exchange(child, began, meanwhile))

    def ask(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """The raw output for a ready-made input tensor. Raises Late or ModelFault."""
        began = self._clock()
        with self._lock:
            child = self._free_child(began)
            if tensor.shape != child.given.shape or tensor.dtype != child.given.dtype:
                wanted = f"{child.given.dtype} of shape {child.given.shape}"
                raise ModelFault(
                    "wrong_input", f"{tensor.dtype} of shape {tensor.shape}, wanted {wanted}"
                )
            np.copyto(child.given, tensor)
            return self._exchange(child, began).copy()

    def step(self, now_ns: int) -> None:
        """Notice a death or a hang, start the child again, hear its hello. Never waits."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._corpses = [child for child in self._corpses if not child.reaped()]
            if self._model is None:
                return
            if self._child is None:
                if now_ns >= self._restart_ns:
                    self._spawn(now_ns)
                return
            self._tend(self._child, now_ns)
        finally:
            self._lock.release()

    def abort(self) -> None:
        """Kill the child: whoever waits for its answer hears that it died. Never waits."""
        if (child := self._child) is not None:
            child.strike()

    def close(self) -> None:
        """End the child and let go of everything. May be called twice; `start` begins anew."""
        with self._lock:
            self._ready = False
            self._owed.settled()
            if self._child is not None:
                self._child.let_go()
                self._corpses.append(self._child)
                self._child = None
            for child in self._corpses:
                try:
                    child.process.wait(1.0)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.process.wait()
            self._corpses = []
            if self._model is not None:
                os.close(self._model)
                self._model = None

    def _free_child(self, began: int) -> Child:
        """A child that is ready and has nothing to do. Raises Late or ModelFault."""
        child = self._child
        if child is None or not self._ready:
            raise ModelFault("not_ready", self.last_fault or "the model is not loaded yet")
        if self._owed.open:
            self._wait(child, began)
        return child

    def _exchange(
        self, child: Child, began: int, meanwhile: Callable[[], object] | None = None
    ) -> NDArray[Any]:
        """The output for what is in `child.given`, as a view of the shared memory."""
        self._number += 1
        sent = self._clock()
        try:
            child.send(self._number)
        except ChildGone as error:
            raise self._bury(child, self._clock(), "died", str(error)) from error
        self._owed.sent(sent)
        if meanwhile is not None:
            meanwhile()
        reply = self._wait(child, began)
        self.last_inference_ms = (self._clock() - sent) / 1e6
        if reply.status == FAILED:
            raise ModelFault("nonsense", f"the model could not be run: {reply.text}")
        self.run_ms = reply.value / 1e6
        return child.answer

    def _wait(self, child: Child, began: int) -> Reply:
        """Wait for the answer to the newest request until the deadline counted from `began`."""
        until = began + int(self.deadline_ms * 1e6) if self.deadline_ms > 0 else NEVER
        now = self._clock()
        while True:
            limit = min(until, self._owed.overdue_at(now, self.hang_ms))
            self._owed.waits(limit)
            try:
                reply = child.receive((limit - now) / 1e9)
            except ChildGone as error:
                raise self._bury(child, self._clock(), "died", str(error)) from error
            now = self._clock()
            if reply is not None and reply.number == self._number:
                self._owed.settled()
                if now >= limit:
                    raise Late(f"the answer came after {(now - began) / 1e6:.0f} ms")
                return reply
            if now >= self._owed.overdue_at(now, self.hang_ms):  # whatever else it says meanwhile
                raise self._bury(child, now, "hung", f"no answer for {self.hang_ms:.0f} ms")
            if now >= until:
                raise Late(f"no answer within {self.deadline_ms:.0f} ms")

    def _tend(self, child: Child, now_ns: int) -> None:
        """Look after a child that no `predict` is using at the moment."""
        try:
            reply = child.receive(0.0)
            child.last_words()
        except ChildGone as error:
            self._bury(child, now_ns, "died", str(error))
            return
        if reply is not None and reply.number == self._number and self._ready:
            self._owed.settled()
        elif reply is not None and reply.status == FAILED:
            code = "too_large" if reply.text == NO_MEMORY else "does_not_load"
            self._bury(child, now_ns, code, f"the model cannot be loaded: {reply.text}")
        elif not self._ready and child.hello is not None:
            problems = misfits(child.hello, self.bundle.spec)
            if problems:
                message = "the model does not fit: " + "; ".join(problems)
                self._bury(child, now_ns, "does_not_fit", message)
            self._ready = not problems
        elif not self._ready and now_ns - self._started_ns > START_S * 1e9:
            self._bury(child, now_ns, "hung", f"the model did not load within {START_S:.0f} s")
        elif self._owed.open and now_ns > self._owed.overdue_at(now_ns, self.hang_ms):
            self._bury(child, now_ns, "hung", f"no answer for {self.hang_ms:.0f} ms")

    def _spawn(self, now_ns: int) -> None:
        assert self._model is not None
        self._started_ns = now_ns
        try:
            self._child = Child(self._model, self._threads, self._idle, self._memory_mb)
        except OSError as error:
            self._count_death(now_ns, "died", f"no process can be started: {error}")

    def _bury(self, child: Child, now_ns: int, code: str, message: str) -> ModelFault:
        """One death: end the process, without waiting for it, and plan the next start. What to
        raise where somebody waits for an answer."""
        self._ready = False
        self._owed.settled()
        self._child = None
        child.kill()
        self._corpses.append(child)
        self._count_death(now_ns, code, message, child.killed_by_others)
        return ModelFault(code, message)

    def _count_death(self, now_ns: int, code: str, message: str, killed: bool = False) -> None:
        self.last_fault, self.last_fault_code = message, code
        self._restart_ns = self._deaths.count(now_ns, killed)
