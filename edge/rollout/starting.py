"""Which model a station begins with, by what is remembered and what can be read. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from edge.rollout.changes import Change, configured, give_up
from edge.rollout.probation import Impossible
from edge.rollout.standing import FACTORY, Place, Standing


def starting(
    standing: Standing, readable: Callable[[Place], bool], wall: float, new_id: str
) -> Change:
    """The standing to begin with, whose active bundle can be read; it is stored at once.

    A bundle that a person has configured since comes first. One that is damaged gives way to the
    previous one, else to the factory one; where none can be read, it stays: persons decide. A
    previous one that is damaged is no way back.
    """
    active, factory = standing.active, standing.factory
    if standing.previous is not None and not readable(standing.previous):
        standing = replace(standing, previous=None)
    if active.slot == FACTORY:
        if active.digest and factory.digest and active.digest != factory.digest:
            return configured(standing, wall)
        return Change(replace(standing, active=replace(factory, since=active.since)), ())
    if factory.digest and factory.digest != active.factory:
        return configured(standing, wall)
    if readable(active):
        return Change(standing, ())
    why = f"the bundle in slot {standing.active.slot} cannot be read"
    with contextlib.suppress(Impossible):
        return give_up(standing, "unusable", why, wall, new_id)
    return Change(standing, ())
