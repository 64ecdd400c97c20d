"""Candidates and standings for tests, short to write."""

from dataclasses import replace

from edge.rollout.changes import Word, begin, move
from edge.rollout.probation import Orders, Probation
from edge.rollout.standing import FACTORY, Place, Standing

FLEET = Word("fleet-manager")


def digest(letter):
    """The digest of the bundle of this letter."""
    return letter * 64


def place(letter="f", slot=FACTORY, **more):
    """Where a bundle lies."""
    return Place(slot, digest(letter), "rings", "1.0.0", **more)


def standing(**more):
    """A station that runs its factory bundle."""
    return Standing(**{"active": place(), "factory": place(), **more})


def probation(letter="c", serial=1, state="assigned", source=None, **more):
    """A new candidate."""
    given = Orders(
        serial=serial,
        by="fleet-manager",
        rollout="r1",
        source=source,
        **{key: more.pop(key) for key in ("strategy", "steps", "promote", "limits") if key in more},
    )
    return Probation(
        id=f"p-{letter}-{serial}",
        digest=digest(letter),
        name="rings",
        version="1.1.0",
        orders=given,
        state=state,
        **more,
    )


PATH = ("arrive", "prove", "shadow", "calibrate", "share", "promote")
"""The events that lead a candidate from its assignment to being active."""
REACHED = {
    "assigned": 0,
    "verified": 1,
    "proved": 2,
    "shadow": 3,
    "canary": 5,
    "active": 6,
}


def changes_of(event):
    """What comes with an event, as the steward gives it."""
    return {
        "calibrate": {"calibration": "cal-c", "calibration_sha256": "1" * 64},
        "promote": {"trial": 500},
        "settle": {"trial": None},
    }.get(event, {})


def reach(state, letter="c", serial=1, start=None):
    """A standing whose candidate is in this state."""
    now = begin(start or standing(), probation(letter, serial), FLEET).standing
    for event in PATH[: REACHED[state]]:
        now = move(now, event, 1.0, **changes_of(event)).standing
    return now


def settled(letter="c", serial=1, start=None):
    """A standing in which this bundle is active and its trial is over."""
    return move(reach("active", letter, serial, start), "settle", 2.0, trial=None).standing


def with_previous(letter):
    """A standing whose previous bundle lies in slot b."""
    return replace(standing(), previous=place(letter, "b"))
