"""Who has taken which case, and until when. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Held:
    """One case in one person's hands. After `until_ns` anybody may take it; until somebody does,
    it is still theirs when they give a sign of life."""

    token: str
    who: str
    inspection: str
    until_ns: int


class Claims:
    """At most one case for each person, and one person for each case."""

    def __init__(self) -> None:
        self._by_case: dict[str, Held] = {}
        self._by_who: dict[str, Held] = {}

    def take(self, held: Held) -> None:
        """It is theirs now; what they had before, and who had it before, is free."""
        self.drop(self._by_who.get(held.who))
        self.drop(self._by_case.get(held.inspection))
        self._by_case[held.inspection] = self._by_who[held.who] = held

    def renew(self, held: Held, until_ns: int) -> Held:
        """The same with a later end."""
        later = replace(held, until_ns=until_ns)
        self.take(later)
        return later

    def drop(self, held: Held | None) -> None:
        """Nobody has it any more."""
        if held is not None and self._by_case.get(held.inspection) == held:
            del self._by_case[held.inspection]
            del self._by_who[held.who]

    def of(self, who: str) -> Held | None:
        """What this person has or had last, if nobody else has taken it."""
        return self._by_who.get(who)

    def on(self, inspection: str) -> Held | None:
        """Who has or had this case last."""
        return self._by_case.get(inspection)

    def free(self, inspection: str, now_ns: int, who: str | None = None) -> bool:
        """Whether `who` may take it: nobody else has it."""
        held = self._by_case.get(inspection)
        return held is None or held.who == who or held.until_ns <= now_ns

    def find(self, who: str, token: str) -> Held | None:
        """This person's claim with this token."""
        held = self._by_who.get(who)
        return held if held is not None and held.token == token else None
