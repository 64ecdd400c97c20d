"""Makes the records of the queue: answers, corrections, the end of a shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.access.record import Access
from edge.clock import Clock
from edge.records import Origin
from edge.review.case import Case
from edge.review.correction import Correction
from edge.review.refusal import Refused
from edge.review.verdict import Answer, Basis, Verdict, Via

Said = Literal["accept", "reject", "unsure", "hold"]
"""What a person can say: `hold` is recorded as `unsure` with `hold`."""
SAID: tuple[Said, ...] = ("accept", "reject", "unsure", "hold")
LONGEST_LABEL, LONGEST_NOTE = 100, 1000


@dataclass(frozen=True, slots=True)
class Words:
    """What a person said about a part, as far as it can be recorded. Raises Refused: nonsense."""

    said: Said
    label: str | None = None
    note: str | None = None
    via: Via = "page"

    @classmethod
    def of(cls, said: object, label: object, note: object, via: Via) -> Words:
        """Checked: they come from a browser or a program."""
        known = next((word for word in SAID if word == said), None)
        if known is None:
            raise Refused("nonsense", "an answer is accept, reject, unsure or hold")
        named, noted = text(label, LONGEST_LABEL), text(note, LONGEST_NOTE)
        return cls(known, None if known == "accept" else named, noted, via)

    @property
    def answer(self) -> Answer:
        """As the record carries it."""
        return "unsure" if self.said == "hold" else self.said

    @property
    def sure(self) -> bool:
        """Whether it decides what happens to a part."""
        return self.said != "unsure"


@dataclass(frozen=True, slots=True)
class Typed:
    """What comes with an answer by command: the request, whose id the record gets, the Unix account
    that typed it, and what the person says they looked at."""

    request: str
    account: str | None
    basis: Basis = "picture"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be thought of an answer (`verdict`, None where there was none): another label, or
    without `words` none. With `undo` the line is not to act on it."""

    verdict: str | None
    words: Words | None = None
    reason: str | None = None
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Pen:
    """Everything that a record of the queue needs besides what was said."""

    clock: Clock
    origin: Origin

    def verdict(
        self, case: Case, who: str, words: Words, shown: bool, typed: Typed | None = None
    ) -> Verdict:
        """An answer, given now. `shown`: they could see the model's answer before."""
        return Verdict(
            id=self.clock.new_id() if typed is None else typed.request,
            account=None if typed is None else typed.account,
            origin=self.origin,
            given=self.clock.moment(),
            inspection=case.inspection,
            verdict=words.answer,
            by=who,
            part_id=case.part_id,
            label=words.label,
            note=words.note,
            basis=case.basis if typed is None else typed.basis,
            picture=case.picture,
            answer_shown=shown,
            hold=words.said == "hold",
            via=words.via,
        )

    def correction(
        self,
        case: Case,
        who: str,
        change: Change,
        shown: bool = True,
        typed: Typed | None = None,
    ) -> Correction:
        """Another label for a part, or none. `shown`: they could see the model's answer."""
        return Correction(
            id=self.clock.new_id() if typed is None else typed.request,
            account=None if typed is None else typed.account,
            origin=self.origin,
            given=self.clock.moment(),
            inspection=case.inspection,
            verdict=change.verdict,
            to=None if change.words is None else change.words.answer,
            by=who,
            reason=change.reason,
            undo=change.undo,
            part_id=case.part_id,
            label=None if change.words is None else change.words.label,
            answer_shown=shown,
        )

    def hand_over(self, who: str, counts: dict[str, int]) -> Access:
        """The end of somebody's shift, without the note: it may name people."""
        given = self.clock.moment()
        name = self.clock.new_id()
        return Access(name, self.origin, given, "hand_over", by=who, details=counts)


def text(value: object, longest: int) -> str | None:
    """A short text of visible characters; None for none. Raises Refused: nonsense."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise Refused("nonsense", f"expected a text of up to {longest} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused("nonsense", "a text that is no UTF-8") from None
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in value):
        raise Refused("nonsense", "a text with control characters")
    return value.strip() or None


def basis(value: object) -> Basis:
    """What the person looked at. Raises Refused: nonsense."""
    if value == "picture":
        return "picture"
    if value == "part":
        return "part"
    raise Refused("nonsense", "a basis is picture or part")
