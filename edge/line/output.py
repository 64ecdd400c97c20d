"""What the line is told, the moment it is decided."""

from __future__ import annotations

import json
from typing import Protocol, TextIO

from edge.records import Inspection


class Output(Protocol):
    """Carries decisions to whatever moves the parts. Called on the inspect thread: must be quick
    and must not raise."""

    def tell(self, inspection: Inspection) -> None:
        """The decision about one part."""
        ...


class Silent:
    """Nobody is told; records and people are enough."""

    def tell(self, inspection: Inspection) -> None:
        """Nothing."""


class Lines:
    """One JSON object a line on a stream: `{"id", "part_id", "decision", "reason"}`.

    A reader that goes away ends the telling, not the line.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream

    def tell(self, inspection: Inspection) -> None:
        """Write the decision and flush it."""
        if self._stream is None:
            return
        told = {
            "id": inspection.id,
            "part_id": inspection.part_id,
            "decision": inspection.decision,
            "reason": inspection.reason,
        }
        try:
            print(json.dumps(told), file=self._stream, flush=True)
        except (OSError, ValueError):
            self._stream = None
