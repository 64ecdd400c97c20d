import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.store.errors import Held
from edge.store.lock import Lock

HOLD = """
import sys
from pathlib import Path
from edge.store.lock import Lock
lock = Lock(Path(sys.argv[1]), "edge-inspect run")
print("held", flush=True)
sys.stdin.read()
"""


def _holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_second_taker_is_told_who_holds_it_and_a_killed_holder_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "state" / "line.lock"
    process = _holder(path)
    try:
        with pytest.raises(Held) as held:
            Lock(path)
        assert held.value.holder == f"pid {process.pid} (edge-inspect run)"
        assert str(path) in str(held.value)
    finally:
        process.kill()
        process.communicate()
    with Lock(path):
        assert f"pid {os.getpid()}" in path.read_text()
    assert path.read_text() == ""


def test_a_program_started_by_the_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    try:
        lock.release()
        Lock(tmp_path / "lock").release()
    finally:
        child.communicate()


def test_refused_takers_leave_no_descriptor_behind(tmp_path: Path) -> None:
    with Lock(tmp_path / "lock"):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(10):
            with pytest.raises(Held):
                Lock(tmp_path / "lock")
        assert len(os.listdir("/proc/self/fd")) == before
