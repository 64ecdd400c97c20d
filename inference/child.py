"""The parent's end of one child process: pipes, shared memory, its last words. No policy."""

from __future__ import annotations

import contextlib
import fcntl
import math
import mmap
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from inference import exchange
from inference.exchange import Hello, Replies, Reply
from inference.host import tensor_at

LAST_WORDS = 2000
DYING_S = 0.05
_PACKAGES = str(Path(__file__).resolve().parent.parent)


class ChildGone(Exception):
    """The child ended, closed its pipe, or wrote what is no reply."""


def sealed_memory(content: bytes) -> int:
    """A descriptor of anonymous memory with this content, which nobody can change any more."""
    descriptor = os.memfd_create("model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


class Child:
    """A running `inference.host`. For one thread at a time.

    After `hello` is there, `given` is the input tensor and `answer` the output tensor, both over
    memory that the child shares. An `idle` one runs only when nobody else wants to. With
    `memory_mb` the model may take no more than that. Raises OSError when no process can be started.
    """

    def __init__(
        self, model: int, threads: int, idle: bool = False, memory_mb: int | None = None
    ) -> None:
        self.hello: Hello | None = None
        self._parser = Replies()
        self._open = True
        self._struck = False
        ends: list[int] = []
        try:
            ends += os.pipe()
            ends += os.pipe()
            ends += os.pipe()
            self._memory = os.memfd_create("tensors", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            ends.append(self._memory)
            more = (str(threads), str(int(idle)), str(memory_mb or 0))
            self.process = self._spawn(ends[0], ends[3], ends[5], model, more)
        except OSError:
            for end in ends:
                os.close(end)
            raise
        for end in (ends[0], ends[3], ends[5]):
            os.close(end)
        self._requests, self.replies, self._words = ends[1], ends[2], ends[4]
        os.set_blocking(self._words, False)
        self._waiter = select.poll()
        self._waiter.register(self.replies, select.POLLIN)
        self._said = b""

    def _spawn(
        self, requests: int, replies: int, words: int, model: int, arguments: tuple[str, ...]
    ) -> subprocess.Popen[bytes]:
        # A child that prints without end must neither block nor fill anything.
        os.set_blocking(words, False)
        passed = (requests, replies, self._memory, model)
        return subprocess.Popen(
            [sys.executable, "-m", "inference.host", *map(str, passed), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            pass_fds=passed,
            cwd=_PACKAGES,  # where -m looks first: never into the folder of whoever types
            start_new_session=True,  # Ctrl-C is for the parent
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def receive(self, timeout_s: float) -> Reply | None:
        """The next reply but the hello, or None after `timeout_s`. Raises ChildGone."""
        timeout_ms = max(0, math.ceil(min(timeout_s, 3600.0) * 1000))
        if not self._waiter.poll(timeout_ms):
            return None
        return self._read()

    def _read(self) -> Reply | None:
        try:
            data = os.read(self.replies, 65536)
            found = self._parser.feed(data)
        except (OSError, ValueError) as error:
            raise ChildGone(str(error)) from error
        if not data:
            raise ChildGone(self.end())
        for reply in found:
            if reply.status == exchange.HELLO:
                self._greet(reply.text)
        rest = [reply for reply in found if reply.status != exchange.HELLO]
        return rest[-1] if rest else None

    def send(self, number: int) -> None:
        """Ask the child to run what is in `given`. Raises ChildGone."""
        try:
            os.write(self._requests, exchange.request(number))
        except OSError as error:
            raise ChildGone(self.end()) from error

    def _greet(self, text: str) -> None:
        try:
            hello = exchange.read_hello(text)
            # From here on the child cannot take the memory away under the parent's feet.
            fcntl.fcntl(self._memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
            shared = mmap.mmap(self._memory, hello.size)
            self.given: NDArray[Any] = tensor_at(shared, 0, hello.inputs)
            self.answer: NDArray[Any] = tensor_at(shared, hello.output_at, hello.outputs)
        except (OSError, ValueError, TypeError) as error:
            raise ChildGone(f"an unusable hello: {error}") from error
        self.hello = hello

    def last_words(self) -> str:
        """The end of what the child printed, on one line."""
        if self._open:
            try:
                while data := os.read(self._words, 65536):
                    self._said = (self._said + data)[-LAST_WORDS:]
            except BlockingIOError:
                pass
        return " ".join(self._said.decode(errors="replace").split())

    def end(self) -> str:
        """How the child ended, in words, with what it printed last; it may still be running."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(DYING_S)  # its pipe closes a moment before its exit code is there
        code = self.process.returncode
        if code is None:
            how = "the model's process closed its pipe"
        elif code < 0:
            who = ", by a person or for want of memory" if self.killed_by_others else ""
            how = f"the model's process was ended by {_signal_name(-code)}{who}"
        else:
            how = f"the model's process ended with exit code {code}"
        words = self.last_words()
        return f"{how}; it said: {words[-300:]}" if words else how

    @property
    def killed_by_others(self) -> bool:
        """Whether it is known to have been ended by SIGKILL, and not by this handle.

        No model does that to its own process, whatever it computes: one that crashes ends by
        another signal or with an exit code, one that wants too much memory by a failed allocation
        (`memory_mb`). So it was a person, or the kernel when the machine's memory ran out.
        """
        return self.process.returncode == -signal.SIGKILL and not self._struck

    def strike(self) -> None:
        """End the process now. For any thread; may be called twice."""
        if self.process.poll() is None:
            self._struck = True
            self.process.kill()

    def kill(self) -> None:
        """The same, and let go of everything but its exit code."""
        self.strike()
        self.let_go()

    def let_go(self) -> None:
        """Close the pipes and the memory: a child that is alive ends by itself."""
        if self._open:
            self._open = False
            for descriptor in (self._requests, self.replies, self._words, self._memory):
                os.close(descriptor)

    def reaped(self) -> bool:
        """Whether the process is gone, its exit code collected. Never waits."""
        return self.process.poll() is not None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
