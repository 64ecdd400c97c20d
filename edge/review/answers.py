"""The queue as the page and the API use it: claims, answers, undo, corrections."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable

from edge.log import log
from edge.records import utc
from edge.review.amending import Amending
from edge.review.board import left_s
from edge.review.case import Case
from edge.review.claims import Held
from edge.review.giving import Giving
from edge.review.group import Group
from edge.review.pen import LONGEST_NOTE, text
from edge.review.standing import Given, Standing
from edge.review.verdicts import latest
from edge.review.waiting import Claim, Decided, HandOver, Listed, Waiting

HAND_OVER = "hand_over"


class Answers(Giving, Amending):
    """The rules of the queue over its board and its chain. May be used from several threads.

    `who` is the id of a person or a machine. Whatever is recorded is durable on return; where a
    method raises Refused, nothing is. What the caller must know of roles it is told: `others`.
    """

    def waiting(self) -> Waiting:
        """How much waits, and how long."""
        with self._mutex:
            return self._board.waiting(self._clock.monotonic_ns(), self._clock.wall())

    def listed(self, most: int, who: str | None = None) -> list[Listed]:
        """The first cases in their order."""
        with self._mutex:
            return self._board.listed(most, self._clock.monotonic_ns(), who)

    def groups(self) -> list[Group]:
        """Open escalations of one cause, where there are five or more."""
        with self._mutex:
            return self._board.groups()

    def case(self, inspection: str) -> Case | None:
        """What the queue knows of a part that waits, or is over since not long ago."""
        with self._mutex:
            standing = self._board.find(inspection)
            return None if standing is None else standing.case

    def waits(self, inspection: str) -> bool:
        """Whether somebody is to answer about this part."""
        with self._mutex:
            return inspection in self._board

    def state(self, inspection: str, who: str | None = None) -> dict[str, object]:
        """`state` (waiting, claimed, answered, decided), `fate`, `by_me`, `answer`, `undo`.

        `answer` is who answered what and when; `undo` is undone, undoing, too_late, or None where
        nobody has taken an answer back. Raises Refused: unknown.
        """
        with self._mutex:
            standing = self._board.find(inspection)
            if standing is None:
                return self._told_by_files(inspection, who)
            holder = self._board.holder(inspection, self._clock.monotonic_ns())
            given, fate = standing.given, standing.fate
        word = "decided" if fate else "answered" if given else "claimed" if holder else "waiting"
        return {
            "state": word,
            "fate": None if fate is None else fate.as_json(),
            "by_me": who is not None and who == (given.by if given else holder),
            "answer": None if given is None else given.as_json(),
            "undo": self._undoing.state(inspection, fate),
        }

    def claim(self, who: str, inspection: str | None = None) -> Claim | None:
        """The next case, or this one, for this person; None where nothing waits.

        Raises Refused: unknown, claimed, answered, too_late.
        """
        with self._mutex:
            now_ns = self._clock.monotonic_ns()
            held = self._board.claim(who, secrets.token_urlsafe(16), now_ns, inspection)
            return None if held is None else self._as_claim(held, now_ns)

    def renew(self, who: str, claim: str) -> None:
        """A sign of life, every third of the lease. Raises Refused: expired, answered, too_late."""
        with self._mutex:
            self._board.renew(who, claim, self._clock.monotonic_ns())

    def release(self, who: str, claim: str) -> None:
        """Give it back; one that has ended is no error."""
        with self._mutex:
            self._board.release(who, claim)

    def release_all(self, who: str) -> None:
        """Give back whatever this person has: they sign out, or the page is locked."""
        with self._mutex:
            self._board.release_all(who)

    def skip(self, who: str, claim: str) -> None:
        """Ask about the others first. Raises Refused: expired."""
        with self._mutex:
            self._board.skip(who, claim, self._clock.monotonic_ns())

    def saw(self, who: str, inspection: str) -> None:
        """This person was shown what the model said of this part."""
        with self._mutex:
            self._memory.saw(who, inspection)

    def hand_over(self, who: str, note: object) -> HandOver:
        """The end of a shift: claims are free, the counts are recorded, the note is kept for
        whoever comes next. Raises Refused: nonsense, not_now."""
        said = text(note, LONGEST_NOTE) or ""
        self.release_all(who)
        now = self.waiting()
        with self._mutex:
            given = self._memory.given_by(who)
        over = HandOver(who, utc(self._clock.wall()), said, now.count, now.escalations, given)
        counts = {"waiting": over.waiting, "escalations": over.escalations, "answered": given}
        made = self._pen.hand_over(who, counts)
        self._append([made], {HAND_OVER: json.dumps(over.as_json())})
        with self._mutex:
            self._memory.shift_ended(who)
        return over

    def last_hand_over(self) -> HandOver | None:
        """What the shift before left; None where nothing that can be read."""
        kept = self._chain.state(HAND_OVER)
        try:
            return None if kept is None else HandOver(**json.loads(kept))
        except (ValueError, TypeError) as error:
            log.warning("answers.hand_over", error=error)
            return None

    def fill(self, cases: Iterable[tuple[Case, float]]) -> None:
        """Many new cases, each with the wall time since when it waits; the oldest first."""
        with self._mutex:
            self._board.fill(cases)

    def add(self, case: Case, since_s: float) -> None:
        """A case that waits; one that is known gets its new deadline."""
        with self._mutex:
            self._board.add(case, since_s)

    def decided(self, inspection: str, fate: Decided) -> Standing | None:
        """The line has committed what happens to the part."""
        with self._mutex:
            return self._board.decided(inspection, fate)

    def withdraw(self, inspection: str) -> None:
        """Nobody is to be asked about this part any more."""
        with self._mutex:
            self._board.withdraw(inspection)

    def given(self, inspection: str, given: Given) -> None:
        """An answer that was recorded before this service began."""
        with self._mutex:
            standing = self._board.find(inspection)
            if standing is not None and standing.given is None:
                self._board.answered(standing, given)

    def _as_claim(self, held: Held, now_ns: int) -> Claim:
        standing = self._board.find(held.inspection)
        assert standing is not None
        behind = self._board.next(held.who, now_ns, held.inspection)
        after = None if behind is None else self._board.find(behind)
        return Claim(
            token=held.token,
            case=standing.case,
            lease_s=self._board.lease_s,
            since=standing.since,
            left_s=left_s(standing.case, now_ns),
            may_see=self._may_see(held.who, standing.case),
            next=None if after is None else after.case,
        )

    def _told_by_files(self, inspection: str, who: str | None) -> dict[str, object]:
        self._case(inspection)
        given = latest(self._chain, inspection)
        fate = self._fate(inspection)
        said = None if given is None or given["verdict"] is None else given
        return {
            "state": "decided" if fate else "answered" if said else "waiting",
            "fate": None if fate is None else fate.as_json(),
            "by_me": said is not None and said["by"] == who,
            "answer": said,
            "undo": self._undoing.state(inspection, fate),
        }
