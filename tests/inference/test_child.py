"""The child process itself, host.py at its other end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from inference.child import Child, ChildGone, sealed_memory
from inference.exchange import FAILED, OK
from tests.inference.bundles import alive, until
from tests.simulators.tflite import bright_is_good, passing


@pytest.fixture
def start():
    children, memories = [], []

    def start_one(model: bytes) -> Child:
        memories.append(sealed_memory(model))
        children.append(Child(memories[-1], 1))
        return children[-1]

    yield start_one
    for child in children:
        child.kill()
        child.process.wait()
    for memory in memories:
        os.close(memory)


def greeted(child: Child) -> Child:
    while child.hello is None:
        assert child.receive(30.0) is None
    return child


def test_says_what_it_loaded_and_answers_by_number(start):
    child = greeted(start(bright_is_good()))
    assert child.hello.inputs[0].shape == child.given.shape == (1, 8, 8, 3)
    for number, level, good in ((7, 1.0, 1.0), (8, 0.0, 0.0)):
        child.given[...] = level
        child.send(number)
        reply = child.receive(30.0)
        assert (reply.number, reply.status) == (number, OK)
        assert child.answer[0, 0] == pytest.approx(good, abs=0.001)


def test_what_cannot_be_loaded_is_said_in_words(start):
    child = start(passing((1, 8, 8, 3), (1, 2), operator="edgetpu-custom-op"))
    reply = child.receive(30.0)
    assert (reply.number, reply.status) == (0, FAILED)
    assert "edgetpu-custom-op" in reply.text
    with pytest.raises(ChildGone):
        child.receive(30.0)


def test_a_killed_child_is_gone_with_the_reason(start):
    child = greeted(start(bright_is_good()))
    os.kill(child.pid, signal.SIGKILL)
    child.process.wait()
    with pytest.raises(ChildGone, match="SIGKILL"):
        child.receive(30.0)
    with pytest.raises(ChildGone):
        child.send(1)


def test_ends_by_itself_when_the_parent_lets_go(start):
    child = greeted(start(bright_is_good()))
    child.let_go()
    assert child.process.wait(30.0) == 0


HANGING = """
import signal, sys
from inference import host


def hang(model, threads):
    print("hangs", flush=True)
    signal.pause()


host.Interpreter = hang
host.main(sys.argv[1:])
"""


def test_ends_with_its_parent_even_while_the_model_hangs():
    memory = sealed_memory(b"model")
    reading, writing = os.pipe()
    passed = [reading, memory]
    command = [sys.executable, "-c", HANGING, *map(str, (reading, 1, memory, memory, 1, 0, 0))]
    with subprocess.Popen(command, pass_fds=passed, stdout=subprocess.PIPE) as process:
        os.close(reading)
        os.close(memory)
        assert process.stdout.readline() == b"hangs\n"
        os.close(writing)
        assert process.wait(30.0) == 0


def test_signals_meant_for_the_parent_do_not_end_it(start):
    child = greeted(start(bright_is_good()))
    os.kill(child.pid, signal.SIGINT)
    os.kill(child.pid, signal.SIGTERM)
    child.given[...] = 1.0
    child.send(1)
    assert child.receive(30.0).number == 1
    assert os.getpgid(child.pid) != os.getpgrp()


def test_what_it_prints_is_kept_short_and_never_blocks_it(start):
    child = greeted(start(bright_is_good()))
    printing = os.open(f"/proc/{child.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
    try:
        with contextlib.suppress(BlockingIOError):
            while os.write(printing, b"nonsense " * 1000):
                pass  # until the pipe is full
    finally:
        os.close(printing)
    child.send(1)
    assert child.receive(30.0).number == 1
    assert 0 < len(child.last_words()) <= 2000
    with open(f"/proc/{child.pid}/fdinfo/2") as info:
        flags = next(line for line in info if line.startswith("flags:"))
    assert int(flags.split()[1], 8) & os.O_NONBLOCK


def test_the_memory_cannot_be_taken_away(start):
    child = greeted(start(bright_is_good()))
    with pytest.raises(PermissionError):
        os.truncate(f"/proc/{child.pid}/fd/{child._memory}", 0)
    assert child.given.shape == (1, 8, 8, 3)


def test_the_model_in_memory_cannot_be_changed():
    memory = sealed_memory(b"model")
    try:
        with pytest.raises(PermissionError):
            os.pwrite(memory, b"other", 0)
        assert os.pread(memory, 10, 0) == b"model"
    finally:
        os.close(memory)


def test_does_not_load_what_it_does_not_need(start):
    child = greeted(start(bright_is_good()))
    with open(f"/proc/{child.pid}/maps") as maps:
        assert "cv2" not in maps.read()


def test_a_stopped_child_is_gone_after_kill(start):
    child = greeted(start(bright_is_good()))
    os.kill(child.pid, signal.SIGSTOP)
    child.kill()
    child.kill()
    until(child.reaped, "the killed process")
    assert not alive(child.pid)


def test_the_input_is_what_the_parent_wrote(start):
    child = greeted(start(bright_is_good("int8")))
    child.given[...] = np.int8(-128)
    child.send(3)
    assert child.receive(30.0).number == 3
    assert child.answer[0].tolist() == [-128, 127]
