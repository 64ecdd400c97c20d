"""A simulated operator: takes a part, looks at it for a while, answers. Errs at a stated rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

WRONG = 0.02
"""How often a simulated operator gives the wrong one of accept and reject."""
UNSURE = 0.03
"""How often one says *not sure*."""
LEAVES_S = 10.0
"""A part that has waited less than this is left to a person who has joined."""
LOOKS_S = (0.8, 2.4)
"""How long one looks at a part: any time between these is as likely. Two of them keep up with what
the demo asks at its usual rate, three parts in four seconds."""
IDLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """One part in the queue. `left_s` is None where nothing happens by itself."""

    inspection: str
    left_s: float | None
    claimed: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A part that was taken, and the picture that is on the screen."""

    claim: str
    inspection: str
    picture: str | None
    types: tuple[str, ...] = ()


class Queue(Protocol):
    """What an operator does with the queue."""

    def waiting(self) -> Iterable[Waiting]:
        """What waits."""

    def claim(self, inspection: str) -> Asked | None:
        """Take a part."""

    def answer(self, asked: Asked, verdict: str, label: str | None) -> bool:
        """Answer it."""


class Operator:
    """Answers one part after the other. The truth comes from the simulation, which alone knows it;
    the model's answer plays no part.

    `step` does one thing and says when to be called again. What has been claimed by anybody else
    is left alone.
    """

    def __init__(
        self,
        queue: Queue,
        truth: Callable[[str], str | None],
        allowed_s: float,
        chance: Callable[[], float],
    ) -> None:
        self.answered = 0
        self._queue = queue
        self._truth = truth
        self._until_s = allowed_s - LEAVES_S
        self._chance = chance
        self._asked: Asked | None = None

    def step(self, now: float) -> float:
        """Answer the part that was taken, else take one. Raises what the queue raises."""
        if self._asked is None:
            self._asked = self._take()
            low, high = LOOKS_S
            return now + (IDLE_S if self._asked is None else low + (high - low) * self._chance())
        asked, self._asked = self._asked, None
        verdict, label = self.judge(self._truth(asked.inspection), asked.types)
        self.answered += self._queue.answer(asked, verdict, label)
        return now + IDLE_S * self._chance()

    def judge(self, truth: str | None, types: tuple[str, ...]) -> tuple[str, str | None]:
        """Verdict and defect type for a part of this truth (`good`, `defect/scratch`)."""
        kind, _, type_ = (truth or "").partition("/")
        if not kind or self._chance() < UNSURE:
            return "unsure", None
        right = self._chance() >= WRONG
        if (kind == "good") == right:
            return "accept", None
        return "reject", type_ if type_ in types else None

    def _take(self) -> Asked | None:
        for part in self._queue.waiting():
            ripe = part.left_s is None or part.left_s <= self._until_s
            if ripe and not part.claimed:
                return self._queue.claim(part.inspection)
        return None
