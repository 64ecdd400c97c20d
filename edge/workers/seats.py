"""Which model decides the next part, and by whose cuts. Pure.

A model, what records say of it, and what its answers are judged by belong together. They are
replaced together, by one assignment, so that no part is ever judged by another model's cuts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from edge.inspection import Model, Ruling, Setup


class ReadyModel(Model, Protocol):
    """A model that may be away for a moment."""

    @property
    def ready(self) -> bool:
        """Whether `predict` would be answered."""
        ...

    @property
    def free(self) -> bool:
        """Whether it is ready, and owes no answer to an earlier part."""
        ...

    @property
    def run_ms(self) -> float:
        """How long the model itself took for its last answer."""
        ...

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until it is; whether it is."""
        ...


@dataclass(frozen=True, slots=True)
class Seat:
    """One model with its setup and its ruling. `digest` is that of its bundle; empty without."""

    setup: Setup
    ruling: Ruling
    model: ReadyModel | None = None
    digest: str = ""

    def same_as(self, other: Seat) -> bool:
        """Whether nothing differs for a part. Familiar ranges hold pictures, which have no truth
        value: another one is another one."""
        ours, theirs = self.ruling, other.ruling
        return (
            self.model is other.model
            and ours.familiar is theirs.familiar
            and (ours.degree, ours.cuts, ours.ask_all)
            == (theirs.degree, theirs.cuts, theirs.ask_all)
            and self.setup == other.setup
            and self.digest == other.digest
        )


@dataclass(frozen=True, slots=True)
class Canary:
    """A candidate that decides this share of the parts, 0..1."""

    seat: Seat
    share: float


@dataclass(frozen=True, slots=True)
class Seats:
    """Who decides. Replaced as a whole, never changed."""

    active: Seat
    canary: Canary | None = None

    def choose(self, chance: Callable[[], float]) -> tuple[Seat, float | None]:
        """Whose part the next one is, before anything about it is known; and the canary's share
        where it is the canary's.

        `chance` gives a number that is uniform in 0 to below 1. A canary that is away, or still
        owes an answer, gets no part: nothing waits for it.
        """
        canary = self.canary
        if canary is None or chance() >= canary.share:
            return self.active, None
        model = canary.seat.model
        if model is None or not model.free:
            return self.active, None
        return canary.seat, canary.share

    def same_as(self, other: Seats) -> bool:
        """Whether nothing differs for a part."""
        if self.canary is None or other.canary is None:
            return self.canary is other.canary and self.active.same_as(other.active)
        return (
            self.canary.share == other.canary.share
            and self.canary.seat.same_as(other.canary.seat)
            and self.active.same_as(other.active)
        )

    def under(self, ruling: Ruling, canary: Ruling | None = None) -> Seats:
        """The same models under another ruling; a canary without one of its own is left out."""
        beside = None
        if self.canary is not None and canary is not None:
            beside = replace(self.canary, seat=replace(self.canary.seat, ruling=canary))
        return Seats(replace(self.active, ruling=ruling), beside)


class Seated(Protocol):
    """Where the inspect thread looks up who decides."""

    def sit(self, seats: Seats) -> None:
        """From the next part on these decide."""
        ...
