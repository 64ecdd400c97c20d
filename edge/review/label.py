"""What persons' answers about one part make its label. Pure.

Each person's newest word stands. A correction is about the part: it replaces every word before it,
whoever gave it; one without a new label takes back the answer that it names. Words that disagree
make no label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edge.review.correction import SCHEMA as CORRECTION
from edge.review.verdict import SCHEMA as VERDICT
from edge.review.verdict import Answer, Basis

State = Literal["labelled", "disputed", "unsure", "withdrawn"]
Kind = Literal["good", "defect"]
PREFIX = "defect/"


@dataclass(frozen=True, slots=True)
class Word:
    """What one person says about a part now. `record` is its verdict or correction, `about` the
    verdict that a correction names."""

    record: str
    said: Answer
    type: str | None
    by: str
    at: str
    basis: Basis
    answer_shown: bool
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of a part by its persons.

    `kind` and `best` are None unless it is labelled. `best` is the word that a training set should
    rest on: about the picture before about the part, blind before led, early before late. `type` is
    the newest one that was named. `words` are all that stand, oldest first.
    """

    state: State
    kind: Kind | None = None
    type: str | None = None
    best: Word | None = None
    words: tuple[Word, ...] = ()

    @property
    def corrected(self) -> bool:
        """Whether it is somebody's correction."""
        return self.best is not None and self.best.about is not None


def label_of(records: Iterable[Mapping[str, Any]], basis: Basis) -> Label:
    """The label that these records of one inspection make, in the order of their chain.

    `basis` is that of the case, for corrections of what nobody has answered. Records of other kinds
    are passed over. Raises KeyError for a damaged one.
    """
    words = tuple(_standing(records, basis))
    sure = [word for word in words if word.said != "unsure"]
    if not sure:
        return Label("unsure" if words else "withdrawn", words=words)
    if len({word.said for word in sure}) > 1:
        return Label("disputed", words=words)
    kind: Kind = "good" if sure[0].said == "accept" else "defect"
    named = [word.type for word in sure if word.type]
    best = min(sure, key=lambda word: (word.basis != "picture", word.answer_shown))
    return Label("labelled", kind, named[-1] if kind == "defect" and named else None, best, words)


def _standing(records: Iterable[Mapping[str, Any]], basis: Basis) -> list[Word]:
    words: list[Word] = []
    for record in records:
        if record["schema"] == VERDICT:
            words = [word for word in words if word.by != record["by"]]
            words.append(_word(record, record["verdict"], record["basis"]))
        elif record["schema"] == CORRECTION:
            about = record["verdict"]
            of = [word for word in words if about in (word.record, word.about)]
            if record["to"] is None:
                words = [word for word in words if word not in of]
            else:
                words = [_word(record, record["to"], of[0].basis if of else basis, about or "")]
    return words


def _word(record: Mapping[str, Any], said: Answer, basis: Basis, about: str | None = None) -> Word:
    label = record["label"]
    return Word(
        record=record["id"],
        said=said,
        type=label.removeprefix(PREFIX) or None if isinstance(label, str) else None,
        by=record["by"],
        at=record["at"],
        basis=basis,
        answer_shown=record.get("answer_shown") is True,
        about=about,
    )
