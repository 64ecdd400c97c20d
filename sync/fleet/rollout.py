"""How a roll-out goes on: in waves, judged by the lines' own figures. Pure.

`decide` is asked again and again with all that is known, and says what is to change. It never
begins a wave while a threshold is exceeded, and never assigns a station of a later wave. What
cannot go on by itself is paused, with the reason: nothing waits for ever without a word.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sync.assignment import Action
from sync.fleet.breach import breached, is_failed
from sync.fleet.following import AWAY_FROM_IT, FOLLOWED, Member, Seen, follow
from sync.fleet.plan import Plan

State = Literal["running", "paused", "done", "cancelled", "rolled_back"]
STATES: tuple[State, ...] = ("running", "paused", "done", "cancelled", "rolled_back")


@dataclass(frozen=True, slots=True)
class Rollout:
    """One roll-out as it stands. `digest` is that of its bundle, `wave` the newest that has begun,
    from 0."""

    id: str
    digest: str
    state: State
    plan: Plan
    wave: int = 0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An assignment that a station is to get. `fresh` begins an attempt: what the station said of
    earlier ones does not count any more. `again`: it failed here before, and is to be tried."""

    station: str
    action: Action
    fresh: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to change: the roll-out, those members that are not as they were, assignments."""

    rollout: Rollout
    members: tuple[Member, ...] = ()
    orders: tuple[Order, ...] = ()


@dataclass(slots=True)
class _Board:
    """The members, while they are looked at."""

    rollout: Rollout
    members: dict[str, Member]
    seen: Mapping[str, Seen]
    orders: list[Order] = field(default_factory=list)

    def of_wave(self, wave: int) -> list[Member]:
        return [one for one in self.members.values() if one.wave == wave]

    def put(self, member: Member) -> None:
        self.members[member.station] = member

    def away(self, member: Member) -> bool:
        """Whether nobody waits for this station any more."""
        offline = self.seen[member.station].offline_s
        return offline is not None and offline >= self.rollout.plan.thresholds.offline_s


def decide(rollout: Rollout, members: Iterable[Member], seen: Mapping[str, Seen]) -> Decision:
    """What to do now; `seen` holds every member's station."""
    before = {one.station: one for one in members}
    board = _Board(rollout, dict(before), seen)
    for one in before.values():
        board.put(follow(one, rollout.id, rollout.digest, seen[one.station]))
    if rollout.state == "running":
        rollout = _running(board)
    elif rollout.state == "paused":
        _hold(board)
    elif rollout.state in ("rolled_back", "cancelled"):
        _end(board, "rollback" if rollout.state == "rolled_back" else "cancel")
    changed = [one for name, one in board.members.items() if one != before[name]]
    return Decision(rollout, tuple(changed), tuple(board.orders))


def succeeded(member: Member, plan: Plan) -> bool:
    """Whether a station is where the plan wants it, with the evidence that it asks for."""
    if member.state == "active":
        return True
    if plan.strategy != "shadow" and plan.promote:
        return False
    enough = member.evidence.parts >= plan.limits.min_parts
    if plan.strategy == "shadow":
        return enough and member.state in ("shadow", "needs_calibration", "canary")
    last = plan.steps[-1] / 100
    return enough and member.state == "canary" and (member.share or 0.0) >= last - 1e-9


def ready(wave: Sequence[Member], board: _Board) -> bool:
    """Whether so many of a wave have succeeded that the next may begin."""
    plan = board.rollout.plan
    counted = [one for one in wave if one.state not in AWAY_FROM_IT]
    good = [one for one in counted if succeeded(one, plan)]
    waited = [one for one in counted if succeeded(one, plan) or not _left_out(one, board)]
    if not waited:
        return not counted  # nobody is left in it: it holds up nobody
    return bool(good) and len(good) >= math.ceil(len(waited) * plan.thresholds.success - 1e-9)


def _running(board: _Board) -> Rollout:
    rollout = board.rollout
    breach = breached(rollout.plan, list(board.members.values()))
    if breach is not None:
        _hold(board)
        return replace(rollout, state="paused", why=breach)
    last = max((one.wave for one in board.members.values()), default=0)
    wave = rollout.wave
    while wave < last and all(ready(board.of_wave(one), board) for one in range(wave + 1)):
        wave += 1
        if any(one.state == "waiting" for one in board.of_wave(wave)):
            break  # what comes behind it is for the next time
    if wave == rollout.wave:
        _stand_in(board, wave)
        stuck = _stuck(board, wave) if wave < last else None
        if stuck is not None:
            _hold(board)
            return replace(rollout, state="paused", why=stuck)
    for one in list(board.members.values()):
        _go(board, one, wave)
    finished = wave == last and all(_settled(one, rollout.plan) for one in board.members.values())
    return replace(rollout, wave=wave, state="done" if finished else "running", why=None)


def _stuck(board: _Board, last: int) -> str | None:
    """Why the next wave will never begin: too many of one have failed, though not so many of all
    that a threshold is exceeded, and nobody in it is still under way."""
    plan = board.rollout.plan
    for wave in range(last + 1):
        own = [one for one in board.of_wave(wave) if one.state not in AWAY_FROM_IT]
        failed = sorted((one for one in own if is_failed(one)), key=lambda one: one.station)
        if not failed or ready(own, board):
            continue
        if all(one in failed or _left_out(one, board) or _settled(one, plan) for one in own):
            good, first = sum(succeeded(one, plan) for one in own), failed[0]
            reason = f"{first.code}: {first.why}" if first.why else first.code or first.state
            more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
            return (
                f"wave {wave + 1}: {good} of {good + len(failed)} stations have it, and "
                f"{plan.thresholds.success:.0%} must before the next begins: "
                f"not {first.station}{more} ({reason})"
            )
    return None


def _go(board: _Board, member: Member, wave: int) -> None:
    """Begin with a station whose turn it is; let one go on that was held."""
    if member.wave > wave:
        return
    if member.state == "waiting":
        tried = member.serial is not None
        _order(board, member, "run", fresh=True, again=board.rollout.plan.again or tried)
    elif member.state in FOLLOWED and board.seen[member.station].action == "pause":
        _order(board, member, "run", again=board.seen[member.station].again)


def _hold(board: _Board) -> None:
    """Candidates stay where they are; who has not begun does not begin."""
    for one in list(board.members.values()):
        seen = board.seen[one.station]
        if one.state in FOLLOWED and seen.action == "run":
            _order(board, one, "pause", again=seen.again)  # it may have heard of nothing yet


def _end(board: _Board, action: Action) -> None:
    """Whoever was assigned gets the word; who was not, has nothing to do with it any more."""
    for one in list(board.members.values()):
        if one.serial is None:
            if one.state == "waiting":
                board.put(replace(one, state="cancelled"))
            continue
        seen = board.seen[one.station]
        newest = seen.newest == board.rollout.id
        began = newest and (one.state in FOLLOWED or one.state == "waiting")
        has_it = one.state == "active" and (newest or _still_has_it(board, seen))
        said = newest and seen.action == action
        if not said and (began or (action == "rollback" and has_it)):
            _order(board, one, action)


def _still_has_it(board: _Board, seen: Seen) -> bool:
    """Whether a station decides by this bundle, since what came later has ended without it."""
    running = None if seen.said is None else seen.said.running
    return running is not None and running.bundle == board.rollout.digest and not seen.busy


def _order(
    board: _Board, member: Member, action: Action, fresh: bool = False, again: bool = False
) -> None:
    board.orders.append(Order(member.station, action, fresh, again))
    if fresh:
        board.put(Member(member.station, member.wave, "assigned", member.serial))


def _stand_in(board: _Board, wave: int) -> None:
    """While nobody of the wave is waited for, one station of a later wave goes in its place: so
    one that is switched off, or has no labels, does not hold up all others, and none goes without
    evidence."""
    own = [one for one in board.of_wave(wave) if one.state not in AWAY_FROM_IT]
    if not own or not all(_left_out(one, board) for one in own):
        return
    if any(succeeded(one, board.rollout.plan) for one in own):
        return
    later = [
        one
        for one in board.members.values()
        if one.wave > wave and one.state == "waiting" and not board.away(one)
    ]
    if later:
        board.put(replace(min(later, key=lambda one: (one.wave, one.station)), wave=wave))


def _left_out(member: Member, board: _Board) -> bool:
    """Whether the wave does not wait for this station: it is away, its own labels are missing for
    good, or its clock or disk keeps it from taking anything or from going on. One that failed is
    not left out: it counts against the wave."""
    if member.state in ("rejected", "refused") and not is_failed(member):
        return True
    return member.state in FOLLOWED and (member.code == "no_space" or board.away(member))


def _settled(member: Member, plan: Plan) -> bool:
    """Whether nothing is to come. One that is away keeps a roll-out open: thresholds go on."""
    open_ended = member.state in FOLLOWED or member.state == "waiting"
    return not open_ended or succeeded(member, plan)
