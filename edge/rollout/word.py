"""What the fleet's newest assignment means for the models here. Pure.

An assignment counts once: `Standing.seen` is the serial of the newest one that was acted upon, and
is stored together with what it led to.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

from edge.rollout.changes import Change, Word, begin, give_up, move
from edge.rollout.probation import Impossible, Orders, Probation, orders
from edge.rollout.standing import FACTORY, Place, Standing
from sync.assignment import Assignment


def heed(standing: Standing, said: Assignment, new_id: str, wall: float) -> Change | None:
    """What an assignment leads to; None where it is not newer, or has to wait for a trial to end.

    A station that has lost what it knew, and the copy of it too, begins nothing by an assignment
    that was there before: nobody knows what became of that one here.
    """
    if standing.seen is None:
        return Change(replace(standing, seen=said.serial, lost=_wanted(standing, said)), ())
    if said.serial <= standing.seen:
        return None
    word = Word(said.by)
    if said.action == "run":
        return _run(standing, said, word, new_id, wall)
    change: Change | None = None
    with contextlib.suppress(Impossible):
        change = _stop(standing, said, word, new_id, wall)
    return _seen(change or Change(standing, ()), said)


def _run(
    standing: Standing, said: Assignment, word: Word, new_id: str, wall: float
) -> Change | None:
    digest, beside = said.bundle.digest, standing.beside
    if digest == standing.active.digest:
        # It runs already. What was tried meanwhile is no longer wanted.
        change = Change(standing, ())
        if beside is not None:
            change = move(standing, "supersede", wall, code="superseded", word=word)
        elif standing.on_trial:
            change = _reordered(standing, orders(said), word, wall)
        active = replace(change.standing.active, serial=said.serial, rollout=said.rollout)
        return _seen(replace(change, standing=replace(change.standing, active=active)), said)
    if standing.on_trial:
        return None
    if beside is not None and beside.digest == digest:
        return _seen(_reordered(standing, orders(said), word, wall), said)
    coming = Probation(
        id=new_id,
        digest=digest,
        name=said.bundle.name,
        version=said.bundle.version,
        orders=orders(said),
        since=wall,
    )
    return begin(standing, coming, word, again=said.again)


def _stop(
    standing: Standing, said: Assignment, word: Word, new_id: str, wall: float
) -> Change | None:
    digest, beside = said.bundle.digest, standing.beside
    if said.action == "rollback" and digest == standing.active.digest:
        return give_up(standing, "ordered", "the fleet ordered it", wall, new_id, word)
    if beside is None or beside.digest != digest:
        return None
    if said.action == "pause":
        return _reordered(standing, orders(said), word, wall)
    if said.action == "cancel":
        return move(standing, "cancel", wall, code="ordered", word=word)
    return move(standing, "rollback", wall, code="ordered", why="the fleet ordered it", word=word)


def _reordered(standing: Standing, new: Orders, word: Word, wall: float) -> Change:
    """The same bundle under new orders; a canary stays at its step, as far as there is one."""
    assert standing.candidate is not None
    step = min(standing.candidate.step, len(new.steps) - 1)
    return move(standing, "order", wall, word=word, orders=new, step=step)


def _seen(change: Change, said: Assignment) -> Change:
    standing, lost = change.standing, change.standing.lost
    stands = said.action in ("run", "pause")
    if lost is not None and not (stands and lost.digest == said.bundle.digest):
        lost = None  # nobody wants any more what ran here before line.db was lost
    return replace(change, standing=replace(standing, seen=said.serial, lost=lost))


def _wanted(standing: Standing, said: Assignment) -> Place | None:
    bundle = said.bundle
    if said.action != "run" or bundle.digest == standing.active.digest:
        return None
    return Place(FACTORY, bundle.digest, bundle.name, bundle.version)
