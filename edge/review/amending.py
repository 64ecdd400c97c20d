"""Answers that are taken back, and labels that are corrected."""

from __future__ import annotations

import json

from edge.review.case import Case
from edge.review.lineside import UNREADABLE
from edge.review.pen import LONGEST_NOTE, Change, Typed, Words, text
from edge.review.refusal import Refused
from edge.review.room import Room
from edge.review.undoing import Undo
from edge.review.verdicts import latest, state_of
from edge.review.waiting import Outcome


class Amending(Room):
    """The half of `Answers` that changes what persons said before."""

    def undo(self, who: str, verdict: str, typed: Typed | None = None) -> Outcome:
        """Take an answer of one's own back. Raises Refused: unknown, not_allowed, not_now.

        Where the line has acted, or the model's answer was shown since, the label is taken back and
        the part's fate stays. Asked again, it says what became of it.
        """
        case = self._own_answer(who, verdict)
        inspection = case.inspection
        last = latest(self._chain, inspection)
        is_last = last is not None and last["id"] == verdict
        gone = is_last and last is not None and "correction" in last
        if not gone and not self._undoing.knows(inspection, verdict):
            self._take_back(who, case, verdict, is_last, typed)
        return self._undoing.outcome(inspection, self._fate(inspection))

    def _take_back(
        self, who: str, case: Case, verdict: str, is_last: bool, typed: Typed | None
    ) -> None:
        with self._mutex:
            standing = self._board.by_verdict(verdict)
            given = None if standing is None else standing.given
            if given is not None and given.verdict != verdict:
                standing = given = None  # a later answer stands: it is not the one to take back
        final = case.alone if given is None else given.final
        early = not final and self._fate(case.inspection) is None
        change = Change(verdict, undo=early)
        made = self._pen.correction(case, who, change, self._may_see(who, case), typed)
        state = state_of(made.content()) if is_last else {}
        request = None if typed is None else typed.request
        (done,) = self._append([made], state, request)
        epoch = str(json.loads(done.body)["epoch"])
        with self._mutex:
            undo = Undo(verdict, made.id, epoch, done.seq, early)
            self._undoing.note(case.inspection, undo)
            if early and standing is not None and standing.given == given:
                self._board.reopen(standing)

    def correct(
        self,
        who: str,
        inspection: str,
        to: object,
        label: object = None,
        reason: object = None,
        others: bool = False,
        typed: Typed | None = None,
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
        change = Change(None if before is None else before["id"], words, why)
        made = self._pen.correction(case, who, change, typed=typed)
        self._append([made], state_of(made.content()), None if typed is None else typed.request)
        return Outcome("recorded", inspection, made.id, corrected=True)

    def _own_answer(self, who: str, verdict: str) -> Case:
        try:
            record = self._chain.verdict(verdict)
        except UNREADABLE as error:
            raise Refused("not_now", f"the answers cannot be read: {error}") from error
        if record is None:
            raise Refused("unknown", "there is no such answer")
        if record["by"] != who:
            raise Refused("not_allowed", "only who gave an answer takes it back")
        return self._case(record["inspection"])
