"""A disagreement to the newcomer's disadvantage that persons may yet clear up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.monitor.betting import Level, Rate
from edge.rollout.guards import Guard

AGAIN = 1.05
"""What persons vouch for is worked out anew after so many times the parts: it holds meanwhile."""


@dataclass(slots=True)
class Look:
    """One part: `raw` is 1 where the newcomer is at a disadvantage, -1 the reverse, else 0.

    `counted` is what the guard makes of it at the moment, `alone` that the newcomer decided,
    `open` that a person may still answer, `cleared` that one has, in the newcomer's favour.
    """

    raw: int
    counted: int
    block: int
    alone: bool
    open: bool
    cleared: bool = False

    def as_json(self) -> list[int]:
        """What `look` reads."""
        flags = (self.alone, self.open, self.cleared)
        return [self.raw, self.counted, self.block, *(int(flag) for flag in flags)]


def look(content: Sequence[int]) -> Look:
    """The look that `as_json` described. Raises ValueError or TypeError."""
    raw, counted, block, alone, open, cleared = content
    return Look(raw, counted, block, bool(alone), bool(open), bool(cleared))


class Rise:
    """Watches the mean of `raw` over all parts, less what persons have cleared.

    `asked` are the parts that the other model decides: of these a person may answer, and until then
    a look counts as 0. `alone` are those that the newcomer decides: there the limit is higher by
    the share that persons have cleared among `asked`, the upper end of a confidence sequence that
    holds at every time, once `least` of them came and any was cleared.

    Which model decides is drawn before anything about the part is known, so that both are samples
    of the same parts. Ever wrong with at most 3 `alpha`: both guards, and the upper end.
    """

    def __init__(self, limit: float, alpha: float, least: int, lowest: int) -> None:
        self.asked = Guard(limit, alpha, lowest)
        self.alone = Guard(limit, alpha, lowest)
        self.open = 0
        self.cleared = 0
        self.least = least
        self._known: tuple[int, float] = (0, 0.0)

    def add(self, raw: int, alone: bool) -> Look:
        """One part on which both have decided."""
        open = raw > 0 and not alone
        counted = 0 if open else raw
        block = (self.alone if alone else self.asked).add(counted)
        self.open += open
        return Look(raw, counted, block, alone, open)

    def settle(self, look: Look, cleared: bool) -> None:
        """A person has answered, or will not: where this is not `cleared`, it counts."""
        if look.open:
            self.open, look.open = self.open - 1, False
        counted = 0 if cleared and look.raw > 0 else look.raw
        (self.alone if look.alone else self.asked).change(look.block, look.counted, counted)
        if not look.alone and look.raw > 0:
            self.cleared += cleared - look.cleared
            look.cleared = cleared
        look.counted = counted

    def blame(self, look: Look, wrong: bool) -> None:
        """A person's answer about a part that counted for nothing: `wrong` makes it count."""
        counted = 1 if wrong else look.raw
        (self.alone if look.alone else self.asked).change(look.block, look.counted, counted)
        look.counted = counted

    @property
    def against(self) -> int:
        """Parts that count against the newcomer."""
        return self.asked.all.plus + self.alone.all.plus

    @property
    def in_favour(self) -> int:
        """Parts of the reverse."""
        return self.asked.all.minus + self.alone.all.minus

    @property
    def n(self) -> int:
        """All parts."""
        return self.asked.all.n + self.alone.all.n

    def broken(self, *, worst: bool = False) -> bool:
        """Whether it is too much; with `worst`, if nothing that is open were cleared."""
        return self.asked.broken(self.open if worst else 0) or self.alone.broken(
            limit=self.alone.limit + self._vouched()
        )

    def _vouched(self) -> float:
        seen = self.asked.all.n
        if seen < self.least or not self.cleared:
            return 0.0
        if seen >= AGAIN * self._known[0]:
            rate = Rate({1.0: Level(seen, self.cleared, seen, seen)})
            self._known = (seen, rate.bounds(self.asked.alpha)[1])
        return self._known[1]

    def as_json(self) -> dict[str, object]:
        """To be kept over a restart."""
        return {
            "asked": self.asked.as_json(),
            "alone": self.alone.as_json(),
            "open": self.open,
            "cleared": self.cleared,
        }

    def restore(self, content: dict[str, object]) -> None:
        """Take up what `as_json` gave. Raises ValueError, KeyError or TypeError otherwise."""
        self.asked.restore(content["asked"])
        self.alone.restore(content["alone"])
        self.open, self.cleared = int(str(content["open"])), int(str(content["cleared"]))
