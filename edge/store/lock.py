"""One process at a time: a lock that ends with its holder, however the holder ends."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from types import TracebackType

from edge.store.durable import make_directory
from edge.store.errors import Held


class Lock:
    """Holds `path` (flock) from construction to `release` or the end of the process.

    Raises `Held`, which names the holder, when another process has it. The file stays behind: its
    being there means nothing, only the lock on it does. The descriptor is not inherited by
    programs that this process starts.
    """

    def __init__(self, path: Path, command: str | None = None) -> None:
        self.path = path
        make_directory(path.parent)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Held(str(path), self._close_and_name_holder()) from None
        except OSError:
            os.close(self._handle)
            raise
        self._write(f"pid {os.getpid()} ({command or _command_line()})")

    def release(self) -> None:
        """Let go. May be called twice."""
        if self._handle >= 0:
            self._write("")
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _write(self, text: str) -> None:
        # Only words for people: a full disk must not keep the service from starting.
        try:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, text.encode(), 0)
        except OSError:
            pass

    def _close_and_name_holder(self) -> str:
        text = os.pread(self._handle, 4096, 0).decode(errors="replace").strip()
        os.close(self._handle)
        # The holder may be between taking the lock and writing its name.
        return text or "another process"


def _command_line() -> str:
    program = os.path.basename(sys.argv[0] or "python")
    named = "edge-inspect" if program == "__main__.py" else program  # `python -m edge`
    return " ".join([named, *sys.argv[1:]])[:500]
