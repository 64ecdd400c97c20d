"""Where two models decide differently about the same part, and what persons say of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.records import Decision
from edge.report.numbers import percent
from edge.rollout.breach import FALSE_ALARM, Breach
from edge.rollout.guards import Guard
from edge.rollout.rises import Look, Rise, look
from edge.rollout.truths import Both, Truths
from sync.assignment import Limits

KNOWN = 2000
"""The newest parts, about which a person's answer can still count."""
OPEN = 200
"""So many pairs long a person's answer about one is waited for."""


@dataclass(slots=True)
class _Part:
    """One of the newest parts; `number` is that of its pair."""

    number: int
    both: Both
    permissive: Look
    overkill: Look
    good: int = 0
    """1 where the newcomer alone accepts, and a person has called it good."""


class Disagreement:
    """The guards `permissive`, `overkill`, `escalation`, and what feeds `verdicts`."""

    def __init__(self, limits: Limits, truths: Truths) -> None:
        least, alpha = limits.min_parts, FALSE_ALARM
        self.permissive = Rise(limits.max_permissive, alpha, least, lowest=0)
        self.overkill = Rise(limits.max_overkill_rise, alpha, least, lowest=-1)
        self.escalation = Guard(limits.max_escalation_rise, alpha, lowest=-1)
        self.stricter = 0
        self.accepts_alone = self.called_good = 0
        self.escalated = [0, 0]
        self._truths = truths
        self._parts: dict[str, _Part] = {}
        self._open: list[str] = []

    def add(self, name: str, number: int, ours: Decision, theirs: Decision, alone: bool) -> None:
        """What the newcomer and the other decide; `alone`: the newcomer's answer counts."""
        self.stricter += theirs == "accept" != ours
        self.accepts_alone += ours == "accept" != theirs
        escalates = (ours == "escalate", theirs == "escalate")
        self.escalated = [n + one for n, one in zip(self.escalated, escalates, strict=True)]
        self.escalation.add(escalates[0] - escalates[1])
        part = _Part(
            number,
            self._truths.add(ours, theirs),
            self.permissive.add(int(ours == "accept" and theirs == "reject"), alone),
            self.overkill.add((ours == "reject") - (theirs == "reject"), alone),
        )
        self._parts[name] = part
        if part.permissive.open or part.overkill.open:
            self._open.append(name)

    def forget(self, number: int) -> None:
        """The pair of this number has come: about those long before it nobody will answer."""
        while self._open and self._parts[self._open[0]].number <= number - OPEN:
            part = self._parts[self._open.pop(0)]
            for rise, one in ((self.permissive, part.permissive), (self.overkill, part.overkill)):
                if one.open:
                    rise.settle(one, cleared=False)
        while len(self._parts) > KNOWN:
            del self._parts[next(iter(self._parts))]

    def verdict(self, name: str, defect: bool, led: bool) -> None:
        """A person's answer about a part; about one that is not known it changes nothing."""
        part = self._parts.get(name)
        if part is not None:
            self._about_accepting(part, defect)
            self.overkill.settle(part.overkill, cleared=defect)
            self._truths.verdict(part.both, defect, led)

    def _about_accepting(self, part: _Part, defect: bool) -> None:
        both, seen = part.both, part.permissive
        if not both.newcomer == "accept" != both.other:
            return
        good = 0 if defect else 1
        self.called_good += good - part.good
        part.good = good
        if both.other == "reject":
            self.permissive.settle(seen, cleared=not defect)
        else:
            self.permissive.blame(seen, wrong=defect)

    def broken(self) -> Breach | None:
        """The first of the three that does not hold."""
        for code, rise, words in (
            ("permissive", self.permissive, "it accepts {} that the other model rejects, or a"
             " person called defects"),
            ("overkill", self.overkill, "it rejects {} more than the other model"),
        ):  # fmt: skip
            if rise.broken():
                net = rise.against - rise.in_favour
                return Breach(code, words.format(_parts(net, rise.n, rise.asked.limit)))
        counts = self.escalation.all
        if self.escalation.broken():
            shown = _parts(counts.plus - counts.minus, counts.n, self.escalation.limit)
            return Breach("escalation", f"it escalates {shown} more than the other model")
        return None

    def settled(self) -> bool:
        """Whether all would hold, too, if nobody cleared what is open."""
        return not any(rise.broken(worst=True) for rise in (self.permissive, self.overkill))

    def as_json(self) -> dict[str, object]:
        """For people and records."""
        return {
            "permissive": {
                "count": self.accepts_alone,
                "called_good": self.called_good,
                "against": self.permissive.against,
                "open": self.permissive.open,
            },
            "stricter": self.stricter,
            "escalated": dict(zip(("candidate", "other"), self.escalated, strict=True)),
            "rejected": {"more": self.overkill.against, "less": self.overkill.in_favour},
        }

    def kept(self) -> dict[str, object]:
        """What `restore` reads."""
        return {
            "stricter": self.stricter,
            "escalated": self.escalated,
            "accepts_alone": [self.accepts_alone, self.called_good],
            "permissive": self.permissive.as_json(),
            "overkill": self.overkill.as_json(),
            "escalation": self.escalation.as_json(),
            "parts": [_kept(name, part) for name, part in self._parts.items()],
            "open": self._open,
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take up what `kept` gave. Raises ValueError, KeyError or TypeError otherwise."""
        self.stricter = int(content["stricter"])
        self.escalated = [int(count) for count in content["escalated"]]
        self.accepts_alone, self.called_good = (int(n) for n in content["accepts_alone"])
        self.permissive.restore(content["permissive"])
        self.overkill.restore(content["overkill"])
        self.escalation.restore(content["escalation"])
        self._parts = dict(_part(*said) for said in content["parts"])
        self._open = [str(name) for name in content["open"] if name in self._parts]


def _parts(count: int, n: int, limit: float) -> str:
    share = percent(count / n)
    return f"{count} of {n} parts ({share}, at most {percent(limit)} allowed)"


def _kept(name: str, part: _Part) -> list[object]:
    both = part.both
    said = [both.newcomer, both.other, both.presumed, both.answered]
    looks = part.permissive.as_json(), part.overkill.as_json()
    return [name, part.number, said, *looks, part.good]


def _part(
    name: str, number: int, both: Any, permissive: Any, overkill: Any, good: int
) -> tuple[str, _Part]:
    return name, _Part(int(number), Both(*both), look(permissive), look(overkill), int(good))
