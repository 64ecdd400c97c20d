"""What happens to the models of a station, each change as a whole. Pure.

Each function gives the next `Standing` together with the steps that are to be recorded. Both are
written in one transaction before anything is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from edge.rollout.probation import Event, Impossible, Orders, Probation, State
from edge.rollout.standing import (
    FACTORY,
    NOTHING,
    Refusal,
    Standing,
    place_of,
    with_calibration,
)

MOST_REFUSED = 200
"""Digests whose refusal is remembered; the oldest are forgotten first, years later."""


@dataclass(frozen=True, slots=True)
class Word:
    """Whose word an event is: the fleet's, or that of a person with the account that typed it."""

    by: str
    account: str | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story: what goes into a record `rollout/1`.

    `before` is the state that the candidate was in, None for one that is new here.
    """

    probation: Probation
    event: str
    before: State | None
    word: Word | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be stored: the standing afterwards, and how it came about."""

    standing: Standing
    steps: tuple[Step, ...]


def begin(standing: Standing, probation: Probation, word: Word, *, again: bool = False) -> Change:
    """A new candidate, which supersedes an open one.

    A digest that is refused here is rejected at once with `rolled_back_before`. Raises Impossible
    during a trial: that is waited for.
    """
    if standing.on_trial:
        raise Impossible("the active model is on trial")
    typed = probation.orders.source is not None
    serial = probation.orders.serial
    lost = standing.lost
    if lost is not None and (typed or lost.digest != probation.digest):
        lost = None  # somebody has looked, or the fleet wants another one
    standing = replace(standing, seen=max(standing.seen or 0, serial), noted=False, lost=lost)
    steps: tuple[Step, ...] = ()
    if standing.candidate is not None:
        change = move(standing, "supersede", probation.since, code="superseded", word=word)
        standing, steps = change.standing, change.steps
    # a command has no number of its own: it is a person's newer word
    known = standing.refusal(probation.digest, serial + typed, again)
    if known is not None:
        why = f"{known.code} before: {known.why}"
        ended = replace(probation, state="rejected", code="rolled_back_before", why=why)
        first = Step(ended, "fail", None, word)
        return Change(replace(standing, last=ended), (*steps, first))
    if probation.state == "verified":
        standing, probation = _placed(standing, probation)
    refused = {key: one for key, one in standing.refused.items() if key != probation.digest}
    first = Step(probation, "install" if typed else "assign", None, word)
    return Change(replace(standing, candidate=probation, refused=refused), (*steps, first))


def move(
    standing: Standing,
    event: Event,
    wall: float,
    *,
    code: str | None = None,
    why: str | None = None,
    word: Word | None = None,
    **changes: Any,
) -> Change:
    """Something happens to the candidate; `changes` are members of its probation. Raises
    Impossible.

    A promotion makes it active with its own calibration, in the same change; a rollback from there
    gives the previous bundle and its calibration back.
    """
    before = standing.candidate
    if before is None:
        raise Impossible(f"{event}: there is no candidate")
    moved = before.after(event, wall, code=code, why=why, **changes)
    if moved.state == "verified" != before.state:
        standing, moved = _placed(standing, moved)
    if moved.state == "active" != before.state:
        standing = _promoted(standing, moved, wall)
    if moved.state == "rolled_back" and before.state == "active":
        standing = _returned(standing, wall)
    if moved.state in ("rejected", "rolled_back"):
        standing = _refused(standing, moved, wall)
    if moved.over:
        standing = replace(standing, candidate=None, last=moved, noted=False)
    else:
        standing = replace(standing, candidate=moved)
    return Change(standing, (Step(moved, event, before.state, word),))


def give_up(
    standing: Standing,
    code: str,
    why: str,
    wall: float,
    new_id: str,
    word: Word | None = None,
    parts: int | None = None,
) -> Change:
    """The active model goes: the previous one is active again, else the factory one.

    An open candidate stays where it is, and is compared anew: the `parts` that it was compared on
    so far count no longer. Raises Impossible where there is nothing to go back to.
    """
    event: Event = "fail" if word is None else "rollback"
    if standing.on_trial:
        return move(standing, event, wall, code=code, why=why, word=word)
    if standing.back is None or not standing.back.digest:
        raise Impossible("there is no other model to go back to")
    gone = standing.active
    orders = Orders(serial=gone.serial or 0, by=word.by if word else "", rollout=gone.rollout)
    ended = Probation(
        id=new_id,
        digest=gone.digest,
        name=gone.name,
        version=gone.version,
        orders=orders,
        state="rolled_back",
        slot=gone.slot,
        code=code,
        why=why,
        since=wall,
        calibration=gone.calibration,
        calibration_sha256=gone.calibration_sha256,
    )
    standing = _refused(_returned(standing, wall), ended, wall)
    if standing.candidate is not None and parts is not None:
        standing = replace(standing, candidate=replace(standing.candidate, base=parts))
    step = Step(ended, event, "active", word)
    return Change(replace(standing, last=ended, noted=False), (step,))


def configured(standing: Standing, wall: float) -> Change:
    """A person has configured another bundle: the factory one is active.

    A candidate was compared with another model: it ends. A trial ends, too.
    """
    steps: tuple[Step, ...] = ()
    if standing.on_trial:
        change = move(standing, "settle", wall, trial=None)
        standing, steps = change.standing, change.steps
    elif standing.candidate is not None:
        change = move(standing, "supersede", wall, code="superseded", why="another configuration")
        standing, steps = change.standing, change.steps
    active = replace(standing.factory, since=wall)
    return Change(replace(standing, active=active, previous=None, lost=None), steps)


def calibrated(standing: Standing, calibration: str, sha256: str) -> Standing:
    """A person has applied a calibration to the active model: a return brings it back."""
    active = with_calibration(standing.active, calibration, sha256)
    factory = active if active.slot == FACTORY else standing.factory
    return replace(standing, active=active, factory=factory)


def _placed(standing: Standing, probation: Probation) -> tuple[Standing, Probation]:
    """A slot for it. What lay there is no longer the previous bundle, before it is overwritten."""
    slot, previous = standing.free_slot(), standing.previous
    if previous is not None and previous.slot == slot:
        previous = None
    return replace(standing, previous=previous), replace(probation, slot=slot)


def _promoted(standing: Standing, candidate: Probation, wall: float) -> Standing:
    place = replace(
        place_of(candidate),
        since=wall,
        factory=standing.factory.digest,
        serial=candidate.orders.serial,
        rollout=candidate.orders.rollout,
    )
    return replace(standing, active=place, previous=standing.active, lost=None)


def _returned(standing: Standing, wall: float) -> Standing:
    """The previous bundle is active again, else the factory one; never the one that goes.

    A station that had no model before has none again: persons decide.
    """
    back = standing.back or NOTHING
    place = replace(back, since=wall, factory=standing.factory.digest)
    return replace(standing, active=place, previous=None)


def _refused(standing: Standing, ended: Probation, wall: float) -> Standing:
    entry = Refusal(
        name=ended.name,
        version=ended.version,
        code=ended.code or "",
        why=ended.why or "",
        serial=max(ended.orders.serial, standing.seen or 0),
        at=wall,
    )
    kept = {key: one for key, one in standing.refused.items() if key != ended.digest}
    newest = list({**kept, ended.digest: entry}.items())[-MOST_REFUSED:]
    lost = standing.lost
    if lost is not None and lost.digest == ended.digest:
        lost = None  # there is a better reason by now
    return replace(standing, refused=dict(newest), lost=lost)
