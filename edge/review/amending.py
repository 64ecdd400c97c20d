"""Answers that are taken back, and labels that are corrected."""

from __future__ import annotations

from edge.review.case import Case
from edge.review.pen import LONGEST_NOTE, Words, text
from edge.review.refusal import Refused
from edge.review.room import Room
from edge.review.undoing import Undo
from edge.review.verdicts import latest, state_of
from edge.review.waiting import Outcome


class Amending(Room):
    """The half of `Answers` that changes what persons said before."""

    def undo(self, who: str, verdict: str) -> Outcome:
        """Take an answer of one's own back. Raises Refused: unknown, not_allowed, not_now.

        Where the line has acted, or the model's answer was shown since, the label is taken back and
        the part's fate stays. Asked again, it says what became of it.
        """
        case = self._own_answer(who, verdict)
        inspection = case.inspection
        last = latest(self._chain, inspection)
        if last is None or last["id"] != verdict or "correction" in last:
            return self._undoing.outcome(inspection, self._fate(inspection))
        with self._mutex:
            standing = self._board.by_verdict(verdict)
            given = None if standing is None else standing.given
        fate = self._fate(inspection)
        early = given is not None and not given.final and fate is None
        made = self._pen.taken_back(case, who, verdict, early, self._may_see(who, case))
        (done,) = self._append([made], state_of(made.content()))
        with self._mutex:
            place = (self._chain.head[0], done.seq)
            self._undoing.note(inspection, Undo(verdict, made.id, *place, early))
            if early and standing is not None and standing.given == given:
                self._board.reopen(standing)
        return self._undoing.outcome(inspection, self._fate(inspection))

    def correct(
        self,
        who: str,
        inspection: str,
        to: object,
        label: object = None,
        reason: object = None,
        others: bool = False,
    ) -> Outcome:
        """Another label for a part, or with None none. Its fate stays as it is.

        `others`: this person may correct what others said. Raises Refused: nonsense, unknown,
        not_allowed (also where the part still waits: answer it), not_now.
        """
        words = None if to is None else Words.of(to, label, None, "page")
        if words is not None and words.said == "hold":
            raise Refused("nonsense", "a label is accept, reject or unsure")
        why = text(reason, LONGEST_NOTE)
        if why is None:
            raise Refused("nonsense", "a correction needs a reason")
        case = self._case(inspection)
        before = latest(self._chain, inspection)
        with self._mutex:
            if inspection in self._board:
                raise Refused("not_allowed", "the part still waits: answer it", {"waits": True})
        if (before is None or before["by"] != who) and not others:
            raise Refused("not_allowed", "only a lead corrects what others said")
        made = self._pen.correction(case, who, before, words, why)
        self._append([made], state_of(made.content()))
        return Outcome("recorded", inspection, made.id, corrected=True)

    def _own_answer(self, who: str, verdict: str) -> Case:
        record = self._chain.verdict(verdict)
        if record is None:
            raise Refused("unknown", "there is no such answer")
        if record["by"] != who:
            raise Refused("not_allowed", "only who gave an answer takes it back")
        return self._case(record["inspection"])
