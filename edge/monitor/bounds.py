"""The bounds of one calibration, watched: what records say, bounds, alarms. Pure.

Spot checks: all drawn parts form a sample that knows nothing of the score, whatever the model then
decided. Among those that turn out to be defects, a share of at most `max_escape` may have been
accepted. Challenge parts have a known truth and say the same directly. Alarms stay until `reset`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.decision.challenge import TAG
from edge.monitor.betting import Rate
from edge.monitor.drift import Drift
from edge.monitor.timeline import Outcome, Timeline

LOOKS_BETWEEN = 10_000.0
"""Drawn defects, or challenge parts of one kind, between two false alarms at the very limit."""
YEARS_BETWEEN = 20
"""Years of spot checks between two false alarms about slip, were it exactly at its limit."""
MOST_OPEN = 400
"""Checks that wait for an answer; beyond it the oldest counts as unanswered for good."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the plant can bear. Without `max_slip` the slip is estimated and not watched."""

    max_escape: float
    max_overkill: float
    confidence: float
    checks_per_day: int
    max_slip: float | None = None

    @property
    def alpha(self) -> float:
        """What each of two bounds may spend of 1 - confidence."""
        return (1.0 - self.confidence) / 2


@dataclass(frozen=True, slots=True)
class _Check:
    """A part that was drawn: what the model made of it, with which probability it was drawn, and
    whether the model's answer stands, so that the person is asked besides."""

    decision: str
    p: float
    sure: bool


class Bounds:
    """The instruments of one calibration. Give it every record about its parts, in order."""

    def __init__(self, wanted: Wanted, unsure: float | None = None) -> None:
        self.wanted = wanted
        self.parts = 0
        self.rates = {
            name: Rate()
            for name in ("sampled", "slip", "overkill", "challenge_escape", "challenge_overkill")
        }
        self.watched = {
            "escape_bound": Timeline(wanted.max_escape, LOOKS_BETWEEN),
            "challenge_escape": Timeline(wanted.max_escape, LOOKS_BETWEEN),
            "challenge_overkill": Timeline(wanted.max_overkill, LOOKS_BETWEEN),
        }
        if wanted.max_slip is not None and wanted.checks_per_day:
            between = 365.0 * YEARS_BETWEEN * wanted.checks_per_day
            self.watched["slip_bound"] = Timeline(wanted.max_slip, between)
        self.drift = Drift(unsure)
        self._open: dict[str, _Check] = {}

    @property
    def open_checks(self) -> list[str]:
        """Sure answers that a person is asked about, oldest first."""
        return [name for name, check in self._open.items() if check.sure]

    def waits_for(self, inspection: str) -> bool:
        """Whether an answer about this part would count."""
        return inspection in self._open

    def inspection(self, record: Record) -> None:
        """One part that was decided by this calibration."""
        if TAG in record["tags"]:
            self._challenge(record)
            return
        self.parts += 1
        would = record["would_be"]
        unfamiliar = any(doubt["name"] == "unfamiliar" for doubt in record["doubts"])
        self.drift.see(unfamiliar, None if would is None else would == "escalate")
        check = record["spot_check"]
        decision = decided(record)
        if check is not None and decision is not None:
            kept = _Check(decision, check["p"], record["decision"] != "escalate")
            self._sample(record["id"], kept, check["drawn"])

    def _sample(self, name: str, check: _Check, drawn: bool) -> None:
        decision, p = check.decision, check.p
        self.rates["sampled"].see(p, drawn)
        if decision != "escalate":
            self.rates["slip" if decision == "accept" else "overkill"].see(p, drawn)
        if not drawn:
            return
        self._open[name] = check
        accepted = decision == "accept"
        self.watched["escape_bound"].add(name, "skip" if accepted else "charge", open=True)
        if accepted and "slip_bound" in self.watched:
            self.watched["slip_bound"].add(name, "miss", open=True)
        if len(self._open) > MOST_OPEN:
            oldest = next(iter(self._open))
            del self._open[oldest]
            for timeline in self.watched.values():
                timeline.give_up(oldest)

    def verdict(self, record: Record) -> None:
        """A person's answer. One about a part that was not drawn, or `unsure`, changes nothing."""
        name, said = record["inspection"], record["verdict"]
        if name not in self._open or said not in ("accept", "reject"):
            return
        check = self._open.pop(name)
        decision, p = check.decision, check.p
        defect, accepted = said == "reject", decision == "accept"
        self.rates["sampled"].answer(p, defect)
        if accepted:
            self.rates["slip"].answer(p, defect)
        elif decision == "reject":
            self.rates["overkill"].answer(p, not defect)
        outcome: Outcome = "skip" if not defect else "error" if accepted else "miss"
        self.watched["escape_bound"].settle(name, outcome)
        if accepted and "slip_bound" in self.watched:
            self.watched["slip_bound"].settle(name, "error" if defect else "miss")

    def _challenge(self, record: Record) -> None:
        decision = decided(record)
        if decision is None:
            return
        defect = record["truth"] == "defect"
        name = "challenge_escape" if defect else "challenge_overkill"
        error = decision == ("accept" if defect else "reject")
        self.rates[name].see(1.0, True)
        self.rates[name].answer(1.0, error)
        self.watched[name].add(record["id"], "error" if error else "miss")

    def broken(self) -> dict[str, str]:
        """The limits that no longer hold, by name, and why."""
        reasons = {
            "escape_bound": f"spot checks: more than {self.wanted.max_escape:.3g} of the defects"
            " are accepted",
            "slip_bound": f"spot checks: more than {self.wanted.max_slip or 0:.3g} of the accepted"
            " parts are defects",
            "challenge_escape": "challenge parts: more than"
            f" {self.wanted.max_escape:.3g} of the defects are accepted",
            "challenge_overkill": "challenge parts: more than"
            f" {self.wanted.max_overkill:.3g} of the good parts are rejected",
        }
        found: dict[str, str] = {}
        for name, timeline in self.watched.items():
            if timeline.raised:
                limit = limit_of(name)
                found[limit] = "; ".join(filter(None, (found.get(limit), reasons[name])))
        if self.drift.reason is not None:
            found["drift"] = self.drift.reason
        return found

    def reset(self, limit: str) -> None:
        """A person has cleared this limit: its detectors begin anew."""
        if limit == "drift":
            self.drift.reset()
        for name, timeline in self.watched.items():
            if limit_of(name) == limit:
                timeline.reset()

    def as_json(self) -> dict[str, object]:
        """To be kept over a restart."""
        return {
            "parts": self.parts,
            "rates": {name: rate.as_json() for name, rate in self.rates.items()},
            "watched": {name: timeline.as_json() for name, timeline in self.watched.items()},
            "drift": self.drift.as_json(),
            "open": [[name, one.decision, one.p, one.sure] for name, one in self._open.items()],
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take up what `as_json` gave; a limit that is new since then begins anew.

        Raises ValueError, KeyError or TypeError for anything else: take a new one then.
        """
        self.parts = int(content["parts"])
        self.rates = {name: Rate.from_json(content["rates"][name]) for name in self.rates}
        for name, timeline in self.watched.items():
            if name in content["watched"]:
                timeline.restore(content["watched"][name])
        self.drift.restore(content["drift"])
        self._open = {name: _Check(*check) for name, *check in content["open"]}


def decided(record: Record) -> str | None:
    """What the model decided; where people decide, what it would have. None where it was not asked,
    or had no cuts."""
    if record["reason"] == "automation":
        would: str | None = record["would_be"]
        return would
    return str(record["decision"])


def limit_of(name: str) -> str:
    """The limit of automation that a detector belongs to."""
    return "challenge" if name.startswith("challenge") else name
