"""What the line is told, the moment it is decided."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol, TextIO

from edge.records import Inspection
from edge.store.batch import Committed


class Output(Protocol):
    """Carries decisions to whatever moves the parts. Called on the inspect thread, for overruns
    on the tend thread: must be quick and must not raise."""

    def tell(self, inspection: Inspection) -> None:
        """The decision about one part."""
        ...


class Silent:
    """Nobody is told; records and people are enough."""

    def tell(self, inspection: Inspection) -> None:
        """Nothing."""


class _Stream:
    """Lines for another program. A reader that goes away ends the telling, not the line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self._lock = threading.Lock()

    def _say(self, lines: Iterable[str]) -> None:
        with self._lock:
            if self._stream is None:
                return
            try:
                print("\n".join(lines), file=self._stream, flush=True)
            except (OSError, ValueError):
                _discard(self._stream)
                self._stream = None


class Lines(_Stream):
    """One JSON object a line on a stream: `{"id", "part_id", "decision", "reason"}`."""

    def tell(self, inspection: Inspection) -> None:
        """Write the decision and flush it."""
        told = {
            "id": inspection.id,
            "part_id": inspection.part_id,
            "decision": inspection.decision,
            "reason": inspection.reason,
        }
        self._say([json.dumps(told)])


class Records(_Stream):
    """The bodies of committed records on a stream, one a line: the bytes that are stored."""

    def __call__(self, committed: Sequence[Committed]) -> None:
        """Write them and flush."""
        if committed:
            self._say(done.body.decode() for done in committed)


def _discard(stream: TextIO) -> None:
    """What is still in the buffer goes nowhere, else the end of the program would fail over it."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
