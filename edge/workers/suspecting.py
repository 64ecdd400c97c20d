"""Tells the writer of a database when its readers find it damaged. On the tend thread.

The writer has most pages in its memory, and may write on for hours into a file that nobody can
read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edge.recovery.history import History
from edge.store.symptoms import Symptom
from edge.workers.entry import Entry

LASTS_NS = 500_000_000
"""A reader must meet it again with the file opened anew: twice within this time."""


class Suspecting:
    """Watches the readers of this process."""

    def __init__(self, readers: Sequence[History], suspect: Callable[[Symptom], None]) -> None:
        self._readers = readers
        self._suspect = suspect
        self._since_ns: dict[Symptom, int] = {}

    def step(self, now_ns: int) -> Iterator[Entry]:
        """See what the readers met last."""
        seen = {reader.symptom for reader in self._readers} - {None}
        self._since_ns = {
            symptom: self._since_ns.get(symptom, now_ns) for symptom in seen if symptom is not None
        }
        for symptom, since_ns in self._since_ns.items():
            if now_ns - since_ns >= LASTS_NS:
                self._suspect(symptom)
        yield from ()

    def close(self) -> None:
        """Nothing is held."""
