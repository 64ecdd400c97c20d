"""Both models against what is known of a part: persons' answers, challenge parts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.records import Decision
from edge.report.numbers import percent
from edge.rollout.breach import FALSE_ALARM, Breach
from edge.rollout.guards import Guard


@dataclass(slots=True)
class Both:
    """What both decided on a part, and what was made of it. `presumed` is the block in which it
    counts as a defect since both reject it; `answered` that a person's answer has counted."""

    newcomer: Decision
    other: Decision
    presumed: int | None = None
    answered: bool = False


class Truths:
    """The guards `verdicts` and `challenge`."""

    def __init__(self, max_escape: float, max_overkill: float) -> None:
        self.sides = Guard(0.5, FALSE_ALARM)
        self.escapes = Guard(max_escape, FALSE_ALARM)
        self.challenge_escapes = Guard(max_escape, FALSE_ALARM)
        self.challenge_overkill = Guard(max_overkill, FALSE_ALARM)
        self.verdicts = 0

    def add(self, newcomer: Decision, other: Decision) -> Both:
        """A part that both decided, or left open."""
        both = Both(newcomer, other)
        if newcomer == other == "reject":
            both.presumed = self.escapes.add(0)
        return both

    def verdict(self, both: Both, defect: bool, led: bool) -> None:
        """A person's first answer. `led`: the other model's answer was shown to the person."""
        if both.answered:
            return
        both.answered = True
        self.verdicts += 1
        if both.presumed is not None:
            if not defect:
                self.escapes.drop(both.presumed, 0)
        elif defect:
            self.escapes.add(int(both.newcomer == "accept"))
        if not led and {both.newcomer, both.other} == {"accept", "reject"}:
            self.sides.add(int(both.newcomer == ("accept" if defect else "reject")))

    def challenge(self, newcomer: Decision, defect: bool) -> None:
        """A part of known truth."""
        if defect:
            self.challenge_escapes.add(int(newcomer == "accept"))
        else:
            self.challenge_overkill.add(int(newcomer == "reject"))

    def broken(self) -> Breach | None:
        """What these say against the newcomer."""
        if self.sides.broken():
            wrong, n = self.sides.all.plus, self.sides.all.n
            return Breach(
                "verdicts",
                f"where both models were sure and differed, persons found it wrong {wrong} times"
                f" of {n}",
            )
        for code, guard, words in (
            ("verdicts", self.escapes, "defects, by persons' answers"),
            ("challenge", self.challenge_escapes, "challenge defects"),
        ):
            if guard.broken():
                return Breach(code, f"it accepts {_of(guard)} {words}")
        if self.challenge_overkill.broken():
            return Breach(
                "challenge", f"it rejects {_of(self.challenge_overkill)} good challenge parts"
            )
        return None

    def as_json(self) -> dict[str, object]:
        """For people and records."""
        wrong, n = self.sides.all.plus, self.sides.all.n
        return {
            "verdicts": self.verdicts,
            "differed": {"wrong": {"candidate": wrong, "other": n - wrong}},
            "escapes": _counted(self.escapes),
            "challenge": {
                "escapes": _counted(self.challenge_escapes),
                "overkill": _counted(self.challenge_overkill),
            },
        }

    def kept(self) -> dict[str, object]:
        """What `restore` reads."""
        return {"verdicts": self.verdicts, "guards": [one.as_json() for one in self._guards()]}

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take up what `kept` gave. Raises ValueError, KeyError or TypeError otherwise."""
        self.verdicts = int(content["verdicts"])
        for guard, said in zip(self._guards(), content["guards"], strict=True):
            guard.restore(said)

    def _guards(self) -> tuple[Guard, ...]:
        return (self.sides, self.escapes, self.challenge_escapes, self.challenge_overkill)


def _counted(guard: Guard) -> dict[str, int]:
    return {"count": guard.all.plus, "n": guard.all.n}


def _of(guard: Guard) -> str:
    share = percent(guard.all.plus / guard.all.n)
    return f"{guard.all.plus} of {guard.all.n} ({share}, at most {percent(guard.limit)} allowed)"
