"""Which assignments this station takes: only those that the fleet's keys vouch for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sync.assignment import Assignment
from sync.refusals import TrustRefused


@dataclass(frozen=True, slots=True)
class Accepted:
    """An assignment that was verified, and is remembered as the newest. The same one again is
    accepted again. `sent_at` is what the pack says of itself, in seconds since 1970; nobody has
    signed that.

    For `run` and `pause` the bundle's file is listed by the fleet's offline keys; `cancel` and
    `rollback` hold whatever the list says, and nothing is to be fetched for them.
    """

    assignment: Assignment
    sent_at: float


class Trust:
    """The station's judgement of packs. It remembers, in `folder`, what it has already taken."""

    def __init__(
        self,
        folder: Path,
        root_file: Path | None,
        station: str,
        *,
        now: Callable[[], float],
        clock_synced: Callable[[], bool],
    ) -> None:
        self._folder = folder
        self._root_file = root_file
        self._station = station
        self._now = now
        self._clock_synced = clock_synced

    def accept(self, pack: bytes) -> Accepted:
        """Verify a pack and remember it, on disk, before it is reported. Raises TrustRefused, and
        nothing else; what was accepted before stays as it was."""
        raise TrustRefused("no_trust_root", "sync.trust_root_file is not set")

    def note_time(self) -> None:
        """To be called now and then: the clock's time is remembered, about once an hour, while the
        clock is synchronised. Cheap; never raises."""
