"""What the queue knows besides its cases, and forgets at a restart. Pure."""

from __future__ import annotations

from collections import Counter, OrderedDict

from edge.review.refusal import Refused

MOST = 20_000


class Memory:
    """Claims that were used up, answers that were shown, and how many each person gave."""

    def __init__(self, most: int = MOST) -> None:
        self._spent: OrderedDict[str, None] = OrderedDict()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._given: Counter[str] = Counter()
        self._most = most

    def check_fresh(self, claim: str) -> None:
        """Raises Refused, replayed, where an answer with this claim was recorded."""
        if claim in self._spent:
            raise Refused("replayed", "this answer has been given already")

    def spend(self, claim: str) -> None:
        """An answer with this claim is being recorded."""
        self._spent[claim] = None
        if len(self._spent) > self._most:
            self._spent.popitem(last=False)

    def unspend(self, claim: str) -> None:
        """It could not be recorded."""
        self._spent.pop(claim, None)

    def saw(self, who: str, inspection: str) -> None:
        """This person was shown what the model said of this part."""
        self._seen[who, inspection] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def has_seen(self, who: str, inspection: str) -> bool:
        """Whether they were."""
        return (who, inspection) in self._seen

    def gave(self, who: str, count: int = 1) -> None:
        """They have answered."""
        self._given[who] += count

    def given_by(self, who: str) -> int:
        """How many answers they gave since their last shift ended, or the service began."""
        return self._given[who]

    def shift_ended(self, who: str) -> None:
        """Their count begins anew."""
        del self._given[who]
