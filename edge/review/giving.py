"""Answers: one, several together, one that was typed."""

from __future__ import annotations

from collections.abc import Sequence

from edge.records import utc
from edge.review.claims import Held
from edge.review.pen import Typed, Words
from edge.review.refusal import Refused
from edge.review.room import Room
from edge.review.standing import Given, Standing
from edge.review.verdict import Verdict, Via
from edge.review.verdicts import state_of
from edge.review.waiting import Outcome

MOST_TOGETHER = 200


class Giving(Room):
    """The half of `Answers` that records what persons say of parts that wait."""

    def verdict(
        self,
        who: str,
        claim: str,
        inspection: str,
        picture: str | None,
        verdict: object,
        label: object = None,
        note: object = None,
        via: Via = "page",
    ) -> Outcome:
        """An answer: accept, reject, unsure, or hold. Durable on return.

        `picture` is the hash of what was on the screen. Raises Refused: nonsense, replayed,
        expired, answered, wrong_picture, unknown, not_now (the disk; the claim is still good).
        """
        words = Words.of(verdict, label, note, via)
        with self._mutex:
            self._memory.check_fresh(claim)
            standing = self._board.find(inspection)
            if standing is not None and standing.case.picture != picture:
                raise Refused("wrong_picture", "another picture was on the screen")
            standing = self._board.begin(who, claim, inspection)
            self._memory.spend(claim)
        try:
            return self._give(standing, who, words)
        except Refused:
            with self._mutex:
                self._memory.unspend(claim)
                lease_ns = int(self._board.lease_s * 1e9)
                until_ns = self._clock.monotonic_ns() + lease_ns
                self._board.give_back(standing, Held(claim, who, inspection, until_ns))
            raise

    def together(
        self,
        who: str,
        parts: Sequence[tuple[str, str | None]],
        verdict: object,
        label: object = None,
        note: object = None,
        via: Via = "page",
    ) -> list[Outcome]:
        """Several waiting parts at once, as (inspection, picture): reject or hold, never accept.

        One outcome for each; `refused` where somebody else has the part, it is over, or another
        picture was shown. Raises Refused: nonsense, not_now.
        """
        words = Words.of(verdict, label, note, via)
        if words.said not in ("reject", "hold") or not 0 < len(parts) <= MOST_TOGETHER:
            raise Refused("nonsense", f"up to {MOST_TOGETHER} parts are rejected or held together")
        refused: dict[str, Outcome] = {}
        begun: dict[str, Standing] = {}
        with self._mutex:
            now_ns = self._clock.monotonic_ns()
            for inspection, picture in dict(parts).items():
                try:
                    begun[inspection] = self._begin_one(who, inspection, picture, now_ns)
                except Refused as refusal:
                    refused[inspection] = Outcome("refused", inspection, refused=refusal.code)
        done = self._give_all(list(begun.values()), who, words) if begun else {}
        return [(done | refused)[inspection] for inspection in dict(parts)]

    def typed(self, who: str, inspection: str, words: Words, typed: Typed) -> Outcome:
        """An answer by command. It needs no claim; a part that has been answered, or that somebody
        has in hand, gets it as a further answer. Raises Refused: unknown, not_now."""
        case = self._case(inspection)
        if self._chain.seen(typed.request):
            return Outcome("recorded", inspection, typed.request)
        with self._mutex:
            standing = self._board.find(inspection)
            if standing is not None and (standing.over or standing.busy):
                standing = None
            if standing is not None:
                standing.busy = True
        made = self._pen.verdict(case, who, words, self._may_see(who, case), typed)
        try:
            self._append([made], state_of(made.content()), typed.request)
        except Refused:
            if standing is not None:
                self._board.give_back(standing)
            raise
        with self._mutex:
            if standing is None:
                return Outcome("recorded", inspection, made.id)
            return self._settle(standing, made)

    def _give(self, standing: Standing, who: str, words: Words) -> Outcome:
        shown = self._may_see(who, standing.case)
        made = self._pen.verdict(standing.case, who, words, shown)
        self._append([made], state_of(made.content()))
        with self._mutex:
            return self._settle(standing, made)

    def _give_all(self, begun: Sequence[Standing], who: str, words: Words) -> dict[str, Outcome]:
        made = [
            self._pen.verdict(one.case, who, words, self._may_see(who, one.case)) for one in begun
        ]
        state = {key: value for one in made for key, value in state_of(one.content()).items()}
        try:
            self._append(made, state)
        except Refused:
            with self._mutex:
                for standing in begun:
                    self._board.give_back(standing)
            raise
        with self._mutex:
            pairs = zip(begun, made, strict=True)
            return {one.inspection: self._settle(standing, one) for standing, one in pairs}

    def _begin_one(self, who: str, inspection: str, picture: str | None, now_ns: int) -> Standing:
        standing = self._board.find(inspection)
        if standing is not None and standing.case.picture != picture:
            raise Refused("wrong_picture", "another picture was on the screen")
        if standing is not None and standing.case.alone:
            raise Refused("not_allowed", "this part is answered by itself")
        return self._board.begin_free(who, inspection, now_ns)

    def _settle(self, standing: Standing, made: Verdict) -> Outcome:
        """The answer is on the disk: what follows from it."""
        case, now_ns = standing.case, self._clock.monotonic_ns()
        sure = made.verdict != "unsure" or made.hold
        asked_again = not sure and case.kind == "escalation" and standing.fate is None
        until_ns = made.given.monotonic_ns + int(self._undo_s * 1e9)
        if case.deadline_ns is not None:
            until_ns = min(until_ns, case.deadline_ns)
        if asked_again:
            self._board.unsure(standing, now_ns)
        else:
            at, final = utc(made.given.wall), case.alone or case.kind != "escalation"
            given = Given(made.id, made.by, made.verdict, made.hold, at, until_ns, final)
            self._board.answered(standing, given)
        self._memory.gave(made.by)
        reveal = case.alone and not asked_again
        if reveal:
            self._memory.saw(made.by, case.inspection)
        undoable = sure and not case.alone and standing.fate is None
        return Outcome(
            "recorded",
            case.inspection,
            made.id,
            undo_s=max(0.0, (until_ns - now_ns) / 1e9) if undoable else 0.0,
            answer=case.answer if reveal else None,
            fate=standing.fate,
        )
