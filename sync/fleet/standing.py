"""Where every station stands with its models, for people and programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timezone

from sync.fleet import words
from sync.fleet.following import Member
from sync.fleet.plan import Plan
from sync.fleet.rollout import State, succeeded
from sync.fleet.said import Desired, Evidence, Refusal, Running, Said, Trial
from sync.refusals import REFUSALS

WARN_S = 30 * 86400.0
CERTIFICATE, UNSYNCHRONISED, LOST = "certificate", "clock_not_synchronised", "lost"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something at a station that keeps new models away, by its name: `expired` (the fleet's signed
    metadata), `wrong_clock` (the station's) or the code of another refusal; `certificate` (its own,
    for the broker); `lost` (what it knew of models); `clock_not_synchronised`, which is only
    said."""

    name: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One station. `assigned` is what the fleet has assigned last, `said` what the station says;
    `member` is its place in the newest roll-out that has begun with it or will. `offline_since` is
    None while it is here, and empty where it has never been heard."""

    station: str
    assigned: Desired | None
    said: Said | None
    member: Member | None
    rollout: str | None
    offline_since: str | None
    line: str | None
    certificate_until: str | None
    troubles: tuple[Trouble, ...] = ()

    @property
    def running(self) -> Running | None:
        """The bundle that decides there."""
        return None if self.said is None else self.said.running

    @property
    def candidate(self) -> Trial | None:
        """The bundle that is on probation there."""
        return None if self.said is None else self.said.candidate

    @property
    def in_trouble(self) -> bool:
        """Whether somebody has to do something there."""
        return any(one.name != UNSYNCHRONISED for one in self.troubles)

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Bundles that the station does not take any more."""
        return () if self.said is None else self.said.refused


@dataclass(frozen=True, slots=True)
class Course:
    """One roll-out: its newest wave, from 1, of so many, and its stations by what they are at.
    `resumed`: by whom and when, the last time."""

    id: str
    bundle: str
    name: str
    version: str
    state: State | str
    why: str | None
    plan: Plan
    wave: int
    waves: int
    by: str
    reason: str | None
    at: str
    members: tuple[Member, ...]
    resumed: tuple[str, str] | None = None

    def counts(self) -> dict[str, int]:
        """How many stations are in each state."""
        found: dict[str, int] = {}
        for one in self.members:
            found[one.state] = found.get(one.state, 0) + 1
        return dict(sorted(found.items()))

    def accepted(self) -> Evidence:
        """What stations had shown when it was resumed, added up: it counts no more."""
        names = [one.name for one in fields(Evidence)]
        known = [one.accepted for one in self.members]
        return Evidence(*(sum(getattr(one, name) for one in known) for name in names))

    @property
    def succeeded(self) -> int:
        """Stations that are where the plan wants them."""
        return sum(1 for one in self.members if succeeded(one, self.plan))

    @property
    def unjudged(self) -> int:
        """Those among them where no decision of the bundle was compared with another model's: the
        model there decides nothing, or it was there before."""
        return sum(
            1 for one in self.members if succeeded(one, self.plan) and one.evidence.compared == 0
        )


def standing(
    station: str,
    status: tuple[str, str, str | None] | None,
    said: Said | None,
    assigned: Desired | None,
    place: tuple[str, Member] | None,
    now: float,
) -> Standing:
    """Put together. `status` is the station's newest status, since when it says so, and the newest
    that was more than a last will; `place` is the id of a roll-out and its member."""
    content = words.status(status[0]) if status is not None else None
    facts: Mapping[str, object] = content or {}
    since = None
    if content is None or facts.get("sync") == "down":
        since = status[1] if status is not None else ""
    fuller = words.status(status[2] or "") if status is not None else None
    until = facts.get("certificate_until") or (fuller or {}).get("certificate_until")
    line = facts.get("line")
    certificate = until if isinstance(until, str) else None
    troubles = [
        *_refusals(said),
        *_download(said),
        *_waits(said),
        *_lost(said),
        *_certificate(certificate, since, now),
        *_clock(said),
    ]
    return Standing(
        station,
        assigned,
        said,
        place[1] if place else None,
        place[0] if place else None,
        since,
        line if isinstance(line, str) else None,
        certificate,
        tuple({one.name: one for one in reversed(troubles)}.values()),
    )


def seconds(at: str | None) -> float | None:
    """A time as it is written in messages, in seconds since 1970."""
    try:
        moment = datetime.fromisoformat((at or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _refusals(said: Said | None) -> Iterable[Trouble]:
    if said is not None and said.refusal is not None:
        refusal = said.refusal
        yield Trouble(refusal.code, refusal.why, refusal.mend)


def _download(said: Said | None) -> Iterable[Trouble]:
    delivery = None if said is None else said.delivery
    if delivery is not None and delivery.code in REFUSALS:
        refusal = REFUSALS[delivery.code]
        what = f"{refusal.words}: {delivery.why}" if delivery.why else refusal.words
        yield Trouble(delivery.code, what, refusal.mend)


def _waits(said: Said | None) -> Iterable[Trouble]:
    """One on probation has a code only as long as it waits for something."""
    trial = None if said is None else said.candidate
    if trial is not None and trial.code in REFUSALS:
        refusal = REFUSALS[trial.code]
        what = f"{refusal.words}: {trial.why}" if trial.why else refusal.words
        yield Trouble(trial.code, what, refusal.mend)


def _lost(said: Said | None) -> Iterable[Trouble]:
    """What a station runs is not what it ran, since it forgot that it did."""
    if said is None or said.lost is None:
        return
    lost, now, coming = said.lost, said.running, said.candidate
    if now is not None and now.bundle == lost.bundle:
        return
    instead = "no model" if now is None else f"{now.name} {now.version}, as configured,"
    what = f"its line.db was lost: {instead} decides instead of {lost.name} {lost.version}"
    mend = "push that one again (`edge-inspect fleet push`), or install it at the station"
    if coming is not None and coming.bundle == lost.bundle:
        mend = "nothing: it goes through its whole probation there again"
    yield Trouble(LOST, what, mend)


def _clock(said: Said | None) -> Iterable[Trouble]:
    if said is not None and said.clock_synced is False:
        what = "its clock is not synchronised: what expires is judged by the newest time it knows"
        yield Trouble(UNSYNCHRONISED, what, "sudo timedatectl set-ntp true, at the station")


def _certificate(until: str | None, offline_since: str | None, now: float) -> Iterable[Trouble]:
    end = seconds(until)
    if end is None or end - now > WARN_S:
        return
    mend = "give the station a new certificate: sync.certificate_file"
    if end > now:
        yield Trouble(CERTIFICATE, f"its certificate ends on {until}", mend)
    elif offline_since is None:
        yield Trouble(CERTIFICATE, f"its certificate ended on {until}", mend)
    else:
        what = f"its certificate ended on {until}, and it cannot connect again"
        yield Trouble(CERTIFICATE, what, mend)
