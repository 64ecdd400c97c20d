"""What a process of ours that runs a strange model may take from the others."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import threading
from pathlib import Path

MOST_EXPENDABLE = 1000
_MIB = 2**20


def go_first(badness: int = MOST_EXPENDABLE) -> None:
    """When memory runs out, the kernel ends this process before the others.

    Raising one's own badness (proc(5), oom_score_adj) is always allowed; lowering it is not, so
    that a process which is more expendable already stays so.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(badness))


def cap_memory(megabytes: int) -> None:
    """Let this process take so much more memory than it has now, and no more.

    It counts what is written to and belongs to nobody else (RLIMIT_DATA, setrlimit(2)): not the
    libraries, nor what is shared with the parent. An allocation beyond it fails.
    """
    limit = _data_bytes() + megabytes * _MIB
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def end_with(descriptor: int) -> None:
    """End this process at once when the other end of a pipe, this end of which it reads, is closed.

    A thread waits for it: where the runtime releases the global lock this also works while a model
    runs or hangs.
    """
    threading.Thread(target=_wait_and_end, args=(descriptor,), daemon=True).start()


def _wait_and_end(descriptor: int) -> None:
    waiter = select.poll()
    waiter.register(descriptor, 0)  # only hang-up and error
    waiter.poll()
    os._exit(0)


def _data_bytes() -> int:
    """What counts against RLIMIT_DATA so far."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
