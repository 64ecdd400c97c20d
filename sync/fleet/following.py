"""A member of a roll-out, brought up to what its station says. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from sync.assignment import Action
from sync.fleet.said import Evidence, Said, Trial

FOLLOWED = frozenset(
    {
        "assigned", "downloading", "verified", "proved", "shadow", "needs_calibration", "canary",
        "trial", "refused",
    }
)  # fmt: skip
"""Under way: the station is asked to bring the bundle up, and has not ended with it."""
AWAY_FROM_IT = frozenset({"superseded", "cancelled"})
"""The station has nothing to do with this roll-out any more."""
FORGED = frozenset(
    {
        "wrong_key", "under_threshold", "revoked_key", "rollback", "old_assignment",
        "mix_and_match", "other_station", "endless", "malformed",
    }
)  # fmt: skip
"""Refusals of what anybody may have published in our place. Ours is there again within seconds
(`sync/fleet/herald.py`), and the station takes it."""
PATIENCE_S = 60.0
"""A station that still says so after so long does refuse ours."""
STATES = FOLLOWED | AWAY_FROM_IT | {"waiting", "active", "rejected", "rolled_back"}


@dataclass(frozen=True, slots=True)
class Member:
    """One station of a roll-out. `serial` is that of the assignment that began its newest attempt,
    None before the first. `trial` is *active*, but may still go back by itself; `refused` is a
    pack that it does not take. Of its `evidence` a person has `accepted` so much.
    """

    station: str
    wave: int
    state: str = "waiting"
    serial: int | None = None
    code: str | None = None
    why: str | None = None
    share: float | None = None
    evidence: Evidence = field(default_factory=Evidence)
    accepted: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a station now. `newest` is the roll-out of its newest assignment, `action`
    what that says. `fresh`: it has said something since then. `offline_s`: how long it has been
    away, None while it is here. `named`: a newer roll-out names it. `busy`: what its newest
    assignment began there has not ended. `again`: that assignment lets a refused bundle in.
    `refused_s`: how long it has been refusing a pack."""

    said: Said | None = None
    newest: str | None = None
    action: Action | None = None
    fresh: bool = False
    offline_s: float | None = None
    named: bool = False
    busy: bool = False
    again: bool = False
    refused_s: float = math.inf


def follow(member: Member, rollout: str, digest: str, seen: Seen) -> Member:
    """The member as the station's newest word makes it."""
    if member.state in AWAY_FROM_IT:
        return member
    if member.state == "waiting":
        return replace(member, state="superseded") if seen.named else member
    if seen.newest is not None and seen.newest != rollout:
        ended = member.state not in FOLLOWED
        return member if ended else replace(member, state="superseded", code=None, why=None)
    if seen.said is None or member.serial is None:
        return member
    said, serial = seen.said, member.serial
    if said.desired is None or said.desired.serial < serial:
        return _refused(member, said, seen) if seen.fresh else member
    return _heard(member, digest, said, serial)


def _heard(member: Member, digest: str, said: Said, serial: int) -> Member:
    word = _word(digest, said, serial)
    if said.running is not None and said.running.bundle == digest:
        evidence = _newer(word.evidence, member) if word is not None else member.evidence
        state = "active" if said.running.trial is None else "trial"
        return replace(member, state=state, code=None, why=None, share=1.0, evidence=evidence)
    if word is not None:
        return replace(
            member,
            state=word.state if word.state in STATES else "assigned",
            code=word.code,
            why=word.why,
            share=word.share,
            evidence=_newer(word.evidence, member),
        )
    return _arriving(member, digest, said, serial)


def _newer(evidence: Evidence, member: Member) -> Evidence:
    """What is known of it: a station does not repeat the figures of a candidate that has ended."""
    return evidence if evidence.parts or evidence.deaths else member.evidence


def _word(digest: str, said: Said, serial: int) -> Trial | None:
    """What it says of this bundle in this attempt, the candidate before one that has ended."""
    for one in (said.candidate, said.last):
        if one is not None and one.bundle == digest and (one.serial or 0) >= serial:
            return one
    return None


def _arriving(member: Member, digest: str, said: Said, serial: int) -> Member:
    for one in said.refused:
        if one.bundle == digest and (one.serial or 0) >= serial:
            return replace(member, state="rejected", code=one.code, why=one.why)
    if said.delivery is not None and said.delivery.state == "refused":
        return replace(member, state="refused", code=said.delivery.code, why=said.delivery.why)
    if said.delivery is not None and said.delivery.state in ("downloading", "verified"):
        return replace(member, state=said.delivery.state, code=None, why=None)
    if member.state in ("assigned", "refused", "downloading", "verified"):
        return replace(member, state="assigned", code=None, why=None)
    return member


def _refused(member: Member, said: Said, seen: Seen) -> Member:
    if said.refusal is None:
        return member
    if said.refusal.code in FORGED and seen.refused_s < PATIENCE_S:
        return member
    return replace(member, state="refused", code=said.refusal.code, why=said.refusal.why)
