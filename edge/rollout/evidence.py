"""A new model and the old one on the same parts: what differs, and when it is too much. Pure.

*The newcomer* is the bundle on probation, *the other* the one that it is to replace or has just
replaced. Each guard is a claim that a limit makes about the newcomer, under a test that holds at
every time (edge/rollout/guards.py):

    code        the claim                                                  its looks
    permissive  at most max_permissive of the parts are accepted by it     pairs with cuts
                though the other rejects them, or a person called them
                defects
    escalation  it escalates at most max_escalation_rise more of the       pairs with cuts
                parts than the other
    overkill    it rejects at most max_overkill_rise more of the parts     pairs with cuts
                than the other, defects in somebody's word aside
    late        it is late, and the other not, in at most 1 % of the       all pairs
                parts, or no more often than the reverse
    slower      at most half of its answers take longer than               pairs of two answers
                max_latency_ratio times the other's, plus 1 ms
    verdicts    where both are sure and differ, it is wrong no more        answers that were
                often than the other                                       not led
    verdicts    of the defects in a person's word, and of what both        answers, and pairs
                reject, it accepts at most max_escape                      that both reject
    challenge   it accepts at most max_escape of the challenge defects,    challenge parts
                and rejects at most max_overkill of the good ones

**False alarms.** Permissive and overkill are three tests each, late, slower and escalation one,
verdicts and challenge two. While its claim holds, each of these 13 breaks with a probability of at
most 1 in 10,000 in the whole life of a candidate: together 0.13 %. A newcomer that answers exactly
as the other does can break none but `late` and `slower`.

**Power.** With the default limits, nine of ten candidates at twice a limit are found within 15,000
parts for permissive (1 % instead of 0.5 %), 1,200 for escalation (10 % instead of 5 %), 2,600 for
overkill (4 % instead of 2 %); at ten times these limits within 400, and at once at `min_parts`.

Three rules are no statistics. `died`: three deaths, or a single one of the child that decides
parts, and more than twice those of the other. The way back is short then, and where parts come
slowly a third death would be long in coming. A single one that was somebody else's doing (SIGKILL:
a person, or the kernel for want of memory) is no reason to go: no model ends itself in that way.
`nonsense`: three answers that are none, likewise. `constant`: one and the same score for all parts,
though the other scores 20 of them above 0.5 and 20 below (three, where it is the reason for one of
the first three guards). No healthy model does any of these, and a machine that kills both models
breaks none.

`spot_check` is the word of the line's own instruments (edge/monitor/bounds.py) after a promotion:
one false alarm in 10,000 drawn defects. A spot check of a part in a canary is a person's answer.

**Persons' answers.** What the newcomer accepts and the other only escalates is what a better model
does: it counts against the newcomer where a person calls it a defect, and not otherwise. What the
other rejects counts, unless a person calls it good; what is called a defect is no overkill. Until
such a part is answered, for up to 200 further pairs, it counts for nothing; then as an error.
Where the newcomer decides, nobody is asked about what it is sure of; there persons vouch by what
they said before (edge/rollout/rises.py).

Nothing but the three rules is judged before `min_parts` pairs. What broke stays broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.rollout.breach import Breach
from edge.rollout.disagreement import Disagreement
from edge.rollout.health import FEW, Health
from edge.rollout.pair import Pair, Side
from edge.rollout.truths import Truths
from sync.assignment import Limits


class Evidence:
    """What both models said so far. Give it everything in the order in which it happened.

    `max_escape` and `max_overkill` are the targets of the calibration. The newcomer is the
    candidate of every pair, also after its promotion.
    """

    def __init__(
        self, limits: Limits, max_escape: float = 0.01, max_overkill: float = 0.01
    ) -> None:
        self.limits = limits
        self.parts = 0
        self.decided = 0
        self.compared = 0
        self.health = Health(limits)
        self.truths = Truths(max_escape, max_overkill)
        self.disagreement = Disagreement(limits, self.truths)
        self._last_fault = 0
        self._first_cuts = 0
        self._died_deciding = 0
        self._breach: Breach | None = None

    def add(self, pair: Pair) -> None:
        """One more part that both have seen."""
        newcomer, other = pair.candidate, pair.active
        alone = pair.decided_by == "candidate"
        self.parts += 1
        self.decided += alone
        self.health.add(newcomer, other)
        if newcomer.fault not in (None, "late"):
            self._last_fault = self.parts
        ours, theirs = newcomer.would_be, other.would_be
        if ours is not None:
            self._first_cuts = self._first_cuts or self.parts
            if pair.truth is not None:
                self.truths.challenge(ours, pair.truth == "defect")
            elif theirs is not None:
                self.compared += 1
                self.disagreement.add(pair.inspection, self.parts, ours, theirs, alone)
        self.disagreement.forget(self.parts)

    def verdict(
        self, inspection: str, verdict: str, label: str | None = None, shown: bool = False
    ) -> None:
        """A person's answer; `shown` says that the deciding model's answer was seen before it.

        One about a part that is not known (any more), or `unsure`, changes nothing. Another answer
        about the same part changes what it clears; the guard `verdicts` has counted the first.
        """
        if verdict in ("accept", "reject"):
            self.disagreement.verdict(inspection, verdict == "reject", led=shown)

    def death(self, side: Side, deciding: bool = False) -> None:
        """A child of one of the two models died, or was killed for hanging; `deciding` says that
        it decided parts, and was not there for comparison only."""
        self.health.deaths[side != "candidate"] += 1
        if side == "candidate":
            self._last_fault = self.parts
            self._died_deciding += deciding

    def spot_checks(self, words: str) -> None:
        """The line's own instruments say that a bound of the newcomer's calibration is broken."""
        self._breach = self._breach or Breach("spot_check", words)

    def lacking(self, since: int = 0) -> str | None:
        """Why it may not go on yet, in words; None where it may. It takes `min_parts` pairs after
        pair number `since`, after the newcomer's last fault or death, and from its first answer
        with cuts on; nothing is broken, nor would be if nobody cleared what is open."""
        least = self.limits.min_parts
        seen = self.parts - max(since, self._last_fault, self._first_cuts - 1)
        if seen < least:
            anew = " since its last fault" if self._last_fault > since else ""
            return f"both models are compared: {seen} of at least {least} parts{anew}"
        if (broken := self.broken()) is not None:
            return broken.words
        if not self.disagreement.settled():
            return "persons have still to say who is right where both models differ"
        return None

    def broken(self) -> Breach | None:
        """Why the newcomer has to go; None as long as nothing speaks against it."""
        if self._breach is None:
            self._breach = self.health.hopeless(1 if self._died_deciding else FEW)
        if self._breach is None and self.parts >= self.limits.min_parts:
            self._breach = self.health.broken() or self._differs() or self.truths.broken()
        return self._breach

    def _differs(self) -> Breach | None:
        """That it answers always the same is the better reason."""
        found = self.disagreement.broken()
        return None if found is None else self.health.constant(FEW) or found

    def as_json(self) -> dict[str, object]:
        """The figures, for the status, records and people. Nothing in it names a part."""
        return {
            "parts": self.parts,
            "decided": self.decided,
            "compared": self.compared,
            **self.disagreement.as_json(),
            **self.health.as_json(),
            **self.truths.as_json(),
        }

    def kept(self) -> dict[str, object]:
        """Everything, for `restore`."""
        return {
            "counts": [self.parts, self.decided, self.compared],
            "marks": [self._last_fault, self._first_cuts, self._died_deciding],
            "health": self.health.kept(),
            "truths": self.truths.kept(),
            "disagreement": self.disagreement.kept(),
            "breach": None if self._breach is None else [self._breach.code, self._breach.words],
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take up what `kept` gave. Raises ValueError, KeyError or TypeError for anything else:
        take a new one then."""
        self.parts, self.decided, self.compared = (int(count) for count in content["counts"])
        marks = [int(mark) for mark in content["marks"]]
        self._last_fault, self._first_cuts, self._died_deciding = marks
        self.health.restore(content["health"])
        self.truths.restore(content["truths"])
        self.disagreement.restore(content["disagreement"])
        self._breach = None if content["breach"] is None else Breach(*content["breach"])
