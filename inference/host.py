"""The child process: one loaded model, fed through shared memory and two pipes.

Run as `python -m inference.host REQUESTS REPLIES MEMORY MODEL THREADS IDLE MEGABYTES`; the first
four are file descriptors passed by the parent, MEGABYTES what the model may take (0: no limit). The
raw pipes are used instead of standard input and output, because TFLite prints there. It ends when
its request pipe ends, even in the middle of an invocation, so that no child outlives its parent. It
imports neither cv2 nor anything else it does not need: a restart costs what numpy and the runtime
cost.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference import exchange
from inference.confine import cap_memory, end_with, go_first
from inference.idle import give_way, weigh_session
from inference.interpreter import CannotRun, Interpreter, TensorDetail, load_runtime

STACK_MB = 10
"""What each further thread of the runtime takes for itself; measured 6 to 9 on x86."""


def main(arguments: list[str]) -> int:
    """Serve until the request pipe ends. Exit code 0, or 1 when the model cannot run."""
    requests, replies, memory, model, threads, idle, cap = (int(one) for one in arguments)
    go_first()
    if idle:
        give_way()
    weigh_session()
    # The parent drains after Ctrl-C and SIGTERM, and needs this process until it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_with(requests)
    try:
        if cap:
            load_runtime()
            cap_memory(cap + STACK_MB * (threads - 1))
        interpreter = Interpreter(_whole(model), threads)
        said, given, answer = _share(interpreter, memory)
    except (CannotRun, OSError, ValueError, TypeError, MemoryError) as error:
        _send(replies, exchange.failed(0, str(error)))
        return 1
    _send(replies, exchange.hello(said))
    try:
        _serve(requests, replies, interpreter, given, answer)
    except BrokenPipeError:
        return 0
    return 0


def _serve(
    requests: int,
    replies: int,
    interpreter: Interpreter,
    given: NDArray[Any],
    answer: NDArray[Any],
) -> None:
    while data := os.read(requests, exchange.REQUEST_BYTES):
        number = exchange.read_request(data)
        began = time.perf_counter_ns()
        try:
            output = interpreter.run(given)
            if output.shape != answer.shape:
                raise CannotRun(f"the output has shape {output.shape}, not {answer.shape}")
            answer[...] = output
        except CannotRun as error:
            _send(replies, exchange.failed(number, str(error)))
            continue
        _send(replies, exchange.answered(number, time.perf_counter_ns() - began))


def _share(
    interpreter: Interpreter, memory: int
) -> tuple[exchange.Hello, NDArray[Any], NDArray[Any]]:
    """Make room in the shared memory for the first input and output, as arrays."""
    said = exchange.hello_for(interpreter.inputs, interpreter.outputs)
    os.ftruncate(memory, said.size)
    shared = mmap.mmap(memory, said.size)
    given = tensor_at(shared, 0, interpreter.inputs)
    answer = tensor_at(shared, said.output_at, interpreter.outputs)
    return said, given, answer


def tensor_at(shared: mmap.mmap, offset: int, details: tuple[TensorDetail, ...]) -> NDArray[Any]:
    """The first of these tensors as an array over the shared memory. Raises ValueError for one
    without a fixed size in bytes."""
    if not details or details[0].nbytes == 0:
        raise ValueError("a model without an input and an output of fixed size")
    detail = details[0]
    count = int(np.prod(detail.shape, dtype=np.int64))
    flat = np.frombuffer(shared, detail.dtype, count, offset)
    return flat.reshape(detail.shape)


def _whole(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=True) as file:
        file.seek(0)
        return file.read()


def _send(replies: int, data: bytes) -> None:
    while data:
        data = data[os.write(replies, data) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
