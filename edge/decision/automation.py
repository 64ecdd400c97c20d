"""Which degree of automation is in force, and why. Pure: time is passed in.

The least of the ceiling in the configuration, the degree set by a person, and every active limit.
Live limits end with their cause. Latched limits stay until a named person clears them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.decision.policy import rank
from edge.records import Degree

HOUR_NS = 3600 * 10**9
LIVE_PER_HOUR = 3
"""More live limits than this within an hour latch."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that holds automation down: the highest degree that it allows, and why."""

    name: str
    degree: Degree
    reason: str
    latched: bool = False


@dataclass(frozen=True, slots=True)
class InForce:
    """The degree in force and the names of what holds it there."""

    degree: Degree
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """A limit that came (`began`) or went, for the records."""

    limit: Limit
    began: bool


class Limits:
    """All limits of a station. Not thread-safe: the tend thread owns it."""

    def __init__(self, latched: Iterable[Limit] = ()) -> None:
        self._latched = {limit.name: limit for limit in latched}
        self._live: dict[str, Limit] = {}
        self._began_ns: list[int] = []

    @property
    def active(self) -> tuple[Limit, ...]:
        """Every limit that holds now."""
        return (*self._live.values(), *self._latched.values())

    @property
    def latched(self) -> tuple[Limit, ...]:
        """The limits that a person must clear; to be kept over a restart."""
        return tuple(self._latched.values())

    def update(self, live: Iterable[Limit], now_ns: int) -> list[Change]:
        """Make `live` the live limits and say what changed.

        The fourth one to begin within an hour also latches, as `unsteady`.
        """
        wanted = {limit.name: limit for limit in live}
        changes = [Change(self._live[name], False) for name in self._live if name not in wanted]
        began = [limit for name, limit in wanted.items() if name not in self._live]
        changes += [Change(limit, True) for limit in began]
        self._live = wanted
        self._began_ns = [at for at in self._began_ns if now_ns - at < HOUR_NS]
        self._began_ns += [now_ns] * len(began)
        if len(self._began_ns) > LIVE_PER_HOUR and "unsteady" not in self._latched:
            reason = f"{len(self._began_ns)} limits began within an hour"
            changes.append(self.latch(Limit("unsteady", "assist", reason)))
        return changes

    def latch(self, limit: Limit) -> Change:
        """Hold automation down until a person clears it."""
        held = Limit(limit.name, limit.degree, limit.reason, latched=True)
        self._latched[limit.name] = held
        return Change(held, True)

    def clear(self, name: str) -> Change | None:
        """A person ends a latched limit; None when there is none of that name."""
        limit = self._latched.pop(name, None)
        if limit is None:
            return None
        self._began_ns.clear()
        return Change(limit, False)


def in_force(ceiling: Degree, chosen: Degree | None, limits: Iterable[Limit]) -> InForce:
    """The least of all, and a sentence that names what decides it."""
    found = InForce(ceiling, "the ceiling in the configuration")
    if chosen is not None and rank(chosen) < rank(found.degree):
        found = InForce(chosen, "set by a person")
    for limit in limits:
        if rank(limit.degree) < rank(found.degree):
            found = InForce(limit.degree, f"{limit.name}: {limit.reason}")
    return found
