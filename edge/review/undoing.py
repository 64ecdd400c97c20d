"""Answers that were taken back, and whether the line had acted on them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from edge.review.lineside import UNREADABLE, LineSide
from edge.review.waiting import Decided, Outcome

MOST = 2000


@dataclass(frozen=True, slots=True)
class Undo:
    """One answer that was taken back: by which record, at which place of the queue's chain.

    Not `early`: it was known to be too late, and only the label was taken back.
    """

    verdict: str
    correction: str
    epoch: str
    seq: int
    early: bool


class Undoing:
    """What became of each undo. The line's word decides: it is certain once the line has read the
    record and what it has committed says nothing of the answer."""

    def __init__(self, line: LineSide, most: int = MOST) -> None:
        self._line = line
        self._most = most
        self._undone: OrderedDict[str, Undo] = OrderedDict()
        self._certain: set[str] = set()
        self._mutex = threading.Lock()

    def note(self, inspection: str, undo: Undo) -> None:
        """The record is on the disk."""
        with self._mutex:
            self._undone[inspection] = undo
            self._certain.discard(inspection)  # that was said of an answer before
            if len(self._undone) > self._most:
                name, _ = self._undone.popitem(last=False)
                self._certain.discard(name)

    def knows(self, inspection: str, verdict: str) -> bool:
        """Whether this answer was taken back."""
        undo = self._undone.get(inspection)
        return undo is not None and undo.verdict == verdict

    def outcome(self, inspection: str, fate: Decided | None) -> Outcome:
        """For the page. One from before this service began is long settled."""
        undo = self._undone.get(inspection)
        if undo is None:
            if fate is None:
                return Outcome("undone", inspection)
            return Outcome("too_late", inspection, fate=fate, corrected=True)
        state = self.state(inspection, fate)
        if state == "undone":
            return Outcome("undone", inspection, undo.correction)
        if state == "undoing":
            return Outcome("undoing", inspection, undo.correction)
        return Outcome("too_late", inspection, undo.correction, fate=fate, corrected=True)

    def state(self, inspection: str, fate: Decided | None) -> str | None:
        """undone, undoing, too_late; None where nobody took an answer back."""
        undo = self._undone.get(inspection)
        if undo is None:
            return None
        if not undo.early or (fate is not None and fate.verdict == undo.verdict):
            return "too_late"  # what the line has committed counts, whatever was certain before
        if inspection in self._certain:
            return "undone"
        if fate is None and not self._has_read(undo):
            return "undoing"
        try:
            fate = fate or self._line.fate(inspection)
        except UNREADABLE:
            return "undoing"
        if fate is not None and fate.verdict == undo.verdict:
            return "too_late"
        self._certain.add(inspection)
        return "undone"

    def _has_read(self, undo: Undo) -> bool:
        read = self._line.read()
        if read is None:
            return False
        return not read.running or (read.epoch == undo.epoch and read.seq >= undo.seq)
