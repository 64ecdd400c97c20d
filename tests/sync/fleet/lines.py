"""Stations as the fleet hears them, in memory: each does what it is told, or what it likes."""

from __future__ import annotations

from dataclasses import replace

from sync.fleet.following import Member, Seen
from sync.fleet.plan import Plan, Thresholds, sizes
from sync.fleet.rollout import Rollout, decide
from sync.fleet.said import Desired, Evidence, Refusal, Running, Said, Trial

DIGEST, OLD = "d" * 64, "0" * 64
PLAN = Plan(("a/b/*",), waves=("1", "3", "100%"), thresholds=Thresholds(success=1.0))


class Line:
    """One station: what it last said, and what it was last told."""

    def __init__(self):
        self.serial, self.attempt, self.action, self.rollout = 0, 0, None, None
        self.offline_s = None
        self.fresh = False
        self.named = False
        self.said = Said(running=Running(OLD))

    def told(self, rollout, action, fresh):
        self.serial += 1
        self.rollout, self.action = rollout, action
        self.fresh = False
        if fresh:
            self.attempt = self.serial
        return self.serial

    def hears(self):
        """It has read its newest assignment."""
        self.say(desired=Desired(DIGEST, self.serial, self.rollout, self.action))

    def say(self, **what):
        self.fresh = True
        self.said = replace(self.said, **what)

    def tries(self, state, parts=0, share=None, code=None, **counts):
        """A candidate in this state."""
        self.hears()
        evidence = Evidence(parts=parts, compared=parts, **counts)
        trial = Trial(
            DIGEST,
            state,
            share=share,
            serial=self.serial,
            parts=parts,
            code=code,
            evidence=evidence,
        )
        if state == "active":
            self.say(candidate=None, last=trial, running=Running(DIGEST))
        elif state in ("rejected", "rolled_back", "cancelled", "superseded"):
            self.say(candidate=None, last=trial, running=Running(OLD))
        else:
            self.say(candidate=trial)

    def refuses(self, code):
        self.say(refusal=Refusal(code, "because"))

    @property
    def seen(self):
        return Seen(self.said, self.rollout, self.action, self.fresh, self.offline_s, self.named)


class Plant:
    """A roll-out over some stations, advanced as the fleet does."""

    def __init__(self, count=6, plan=PLAN):
        names = [f"a/b/{number}" for number in range(count)]
        self.lines = {name: Line() for name in names}
        self.rollout = Rollout("r1", DIGEST, "running", plan)
        ends = sizes(plan.waves, count)
        self.members = {
            name: Member(name, next(wave for wave, end in enumerate(ends) if number < end))
            for number, name in enumerate(names)
        }
        self.told = []

    def step(self):
        seen = {name: line.seen for name, line in self.lines.items()}
        decided = decide(self.rollout, self.members.values(), seen)
        self.rollout = decided.rollout
        self.members.update({one.station: one for one in decided.members})
        for order in decided.orders:
            serial = self.lines[order.station].told("r1", order.action, order.fresh)
            if order.fresh:
                self.members[order.station] = replace(self.members[order.station], serial=serial)
        self.told += decided.orders
        return decided

    def of(self, *states):
        return sorted(name for name, one in self.members.items() if one.state in states)

    def resume(self):
        """As the order of a person does it: whoever failed is tried again, and what is known is
        accepted."""
        for name, one in self.members.items():
            self.members[name] = replace(one, accepted=one.evidence)
        failed = ("rejected", "rolled_back", "refused")
        for name in self.of(*failed):
            self.members[name] = replace(self.members[name], state="waiting", code=None, why=None)
        self.rollout = replace(self.rollout, state="running", why=None)
