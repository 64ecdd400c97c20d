"""Where one case stands: waiting, being answered, answered, decided. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from edge.review.case import Case
from edge.review.verdict import Answer
from edge.review.waiting import Decided

MOST_DONE = 5000
"""Cases that are over and still known, so that whoever comes second is told what happened."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that is on the disk. Until `until_ns` the line leaves it alone.

    `final`: it cannot be undone, because the model's answer has been shown since.
    """

    verdict: str
    by: str
    said: Answer
    hold: bool
    at: str
    until_ns: int = 0
    final: bool = False

    def as_json(self) -> dict[str, object]:
        """For whoever comes second."""
        return {"by": self.by, "verdict": self.said, "hold": self.hold, "at": self.at}


@dataclass(slots=True)
class Standing:
    """A case and what has become of it. `number` is its place among those without a deadline."""

    case: Case
    since: str
    since_s: float
    number: int
    given: Given | None = None
    fate: Decided | None = None
    busy: bool = False

    @property
    def over(self) -> bool:
        """Whether nobody is asked about it any more."""
        return self.given is not None or self.fate is not None


class Standings:
    """All cases that wait, and the last ones that are over."""

    def __init__(self, most_done: int = MOST_DONE) -> None:
        self._open: dict[str, Standing] = {}
        self._done: OrderedDict[str, Standing] = OrderedDict()
        self._verdicts: dict[str, str] = {}
        self._most_done = most_done

    def __iter__(self) -> Iterator[Standing]:
        """Those that are not over, and those whose fate is still to come."""
        return iter(self._open.values())

    def find(self, inspection: str) -> Standing | None:
        """Where this one stands; None where it is not known, or no longer."""
        return self._open.get(inspection) or self._done.get(inspection)

    def by_verdict(self, verdict: str) -> Standing | None:
        """The case that this answer is about."""
        name = self._verdicts.get(verdict)
        return None if name is None else self.find(name)

    def put(self, standing: Standing) -> None:
        """Keep it where it belongs now. An answered escalation stays until it is decided."""
        name = standing.case.inspection
        self._open.pop(name, None)
        self._done.pop(name, None)
        if standing.given is not None:
            self._verdicts[standing.given.verdict] = name
        ends = standing.fate is not None or standing.case.kind != "escalation"
        if not (standing.over and ends):
            self._open[name] = standing
            return
        self._done[name] = standing
        while len(self._done) > self._most_done:
            _, oldest = self._done.popitem(last=False)
            if oldest.given is not None:
                self._verdicts.pop(oldest.given.verdict, None)

    def forget(self, inspection: str) -> None:
        """It was no case after all."""
        self._open.pop(inspection, None)
        self._done.pop(inspection, None)
