"""The preload library for child processes: what it records, makes fail, and tells of the time."""

from __future__ import annotations

import atexit
import functools
import mmap
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("preload.c")
CONTROL = struct.Struct("<qQQQ")
HEAD = struct.Struct("<IIQQIIQ")
MARK = "M"


@functools.cache
def library() -> Path:
    """The compiled library. Skips the test where there is no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or struct.calcsize("P") != 8:
        pytest.skip("fault injection needs gcc and 64 bits: sudo apt-get install gcc libc6-dev")
    folder = Path(tempfile.mkdtemp(prefix="edge-inspect-faults-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / "preload.so"
    options = ["-std=gnu11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *options, "-o", target, SOURCE, "-lpthread"], check=True)
    return target


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `op`: Create, Write, Truncate to `offset`, Sync, sYnc of a folder, failEd sync,
    Rename, Link, Unlink, make Directory, Mark. `file` is the inode number where it is known."""

    op: str
    pid: int
    file: int
    offset: int
    path: str
    other: str
    data: bytes


class Faults:
    """What happens to programs that are started with `environment`.

    `watched` is the folder whose changes are recorded (`record`) and made to fail. `folder` holds
    log and control file and must lie elsewhere. While recording, fsync only goes into the log.
    """

    def __init__(
        self,
        folder: Path,
        watched: Path | None = None,
        record: bool = False,
        seed: int = 1,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "changes.log"
        control = folder / "control"
        control.write_bytes(CONTROL.pack(0, 0, 0, 0))
        with open(control, "r+b") as stream:
            self._control = mmap.mmap(stream.fileno(), CONTROL.size)
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(library()),
            "FAULTS_CONTROL": str(control),
            "FAULTS_SEED": str(seed),
        }
        if watched is not None:
            self.environment["FAULTS_DIR"] = os.path.realpath(watched)
        if record:
            self.log.touch()
            self.environment |= {"FAULTS_LOG": str(self.log), "FAULTS_MARK_FD": "1"}

    @property
    def injected(self) -> int:
        """How many calls have failed."""
        return int(CONTROL.unpack_from(self._control)[2])

    def fail(self, share: float) -> None:
        """From now on this share of the calls fails."""
        struct.pack_into("<Q", self._control, 8, int(share * 1e6))

    def shift_clock(self, seconds: float) -> None:
        """From now on the wall clock is off by so much. Files keep the kernel's times."""
        struct.pack_into("<q", self._control, 0, int(seconds * 1e9))

    def synchronise(self, synced: bool) -> None:
        """From now on the kernel says that the clock is synchronised, or that it is not."""
        struct.pack_into("<Q", self._control, 24, 1 if synced else 2)

    def mark(self, text: str) -> None:
        """Write a mark of the test's own into the log, as a whole line."""
        data = text.encode() + b"\n"
        with open(self.log, "ab", buffering=0) as stream:
            stream.write(HEAD.pack(ord(MARK), os.getpid(), 0, 0, 0, 0, len(data)) + data)

    def events(self) -> list[Event]:
        """What was recorded so far."""
        return list(_events(self.log.read_bytes()))


def _events(log: bytes) -> Iterator[Event]:
    at = 0
    while at < len(log):
        op, pid, file, offset, path, other, data = HEAD.unpack_from(log, at)
        at += HEAD.size
        names = [log[at : at + path], log[at + path : at + path + other]]
        at += path + other + data
        first, second = (os.fsdecode(name) for name in names)
        yield Event(chr(op), pid, file, offset, first, second, log[at - data : at])
