"""What a part's answers make of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge.records import Moment, Origin
from edge.review.correction import Correction
from edge.review.label import Label, label_of
from edge.review.verdict import Verdict

ORIGIN, NOW = Origin("a/b/c", "boot", "c", "1"), Moment(1.8e9, 0)


def said(name: str, answer: str, by: str = "p-1", **more: Any) -> dict[str, Any]:
    return Verdict(name, ORIGIN, NOW, "part", answer, by, **more).content()  # type: ignore[arg-type]


def corrected(name: str, of: str | None, to: str | None, by: str = "p-9", **more: Any):
    return Correction(name, ORIGIN, NOW, "part", of, to, by, **more).content()  # type: ignore[arg-type]


def label(*records: dict[str, Any], basis: Any = "picture") -> Label:
    return label_of(records, basis)


def test_one_answer() -> None:
    assert label(said("v", "accept")).kind == "good"
    found = label(said("v", "reject", label="scratch"))
    assert (found.state, found.kind, found.type) == ("labelled", "defect", "scratch")
    assert label(said("v", "reject", label="defect/dent")).type == "dent"
    assert label(said("v", "reject")).type is None
    assert label(said("v", "accept", label="scratch")).type is None


def test_unsure_is_no_label_and_speaks_against_nobody() -> None:
    assert label(said("v", "unsure")).state == "unsure"
    assert label(said("v", "unsure"), said("w", "reject", "p-2")).kind == "defect"


def test_nobody_has_answered() -> None:
    assert label().state == "withdrawn"


def test_persons_who_disagree() -> None:
    found = label(said("v", "accept"), said("w", "reject", "p-2"))
    assert (found.state, found.kind, found.best) == ("disputed", None, None)
    assert [word.by for word in found.words] == ["p-1", "p-2"]


def test_a_person_s_newest_word_stands() -> None:
    found = label(said("v", "accept"), said("w", "reject", "p-2"), said("x", "reject"))
    assert (found.state, found.kind, len(found.words)) == ("labelled", "defect", 2)


def test_the_corrected_label_counts() -> None:
    found = label(said("v", "accept"), corrected("c", "v", "reject", label="stain"))
    assert (found.kind, found.type, found.corrected) == ("defect", "stain", True)
    assert found.best is not None
    assert found.best.by == "p-9"


def test_a_correction_settles_a_dispute_and_may_be_disputed() -> None:
    both = said("v", "accept"), said("w", "reject", "p-2")
    assert label(*both, corrected("c", "w", "accept")).kind == "good"
    assert label(*both, corrected("c", "w", "accept"), said("x", "reject", "p-3")).state == (
        "disputed"
    )


def test_what_was_taken_back_counts_no_more() -> None:
    assert label(said("v", "accept"), corrected("c", "v", None, undo=True)).state == "withdrawn"
    left = label(said("v", "accept"), said("w", "reject", "p-2"), corrected("c", "v", None))
    assert left.kind == "defect"
    # Also after it was corrected: the queue still names the answer.
    twice = label(said("v", "accept"), corrected("c", "v", "reject"), corrected("d", "v", None))
    assert twice.state == "withdrawn"
    assert (
        label(said("v", "accept"), corrected("c", "v", None), said("w", "reject")).kind == "defect"
    )


def test_the_best_word_is_about_the_picture_and_blind() -> None:
    found = label(
        said("v", "reject", "p-1", basis="part"),
        said("w", "reject", "p-2", answer_shown=True),
        said("x", "reject", "p-3"),
    )
    assert found.best is not None
    assert found.best.record == "x"
    part = label(said("v", "reject", basis="part"))
    assert part.best is not None
    assert part.best.basis == "part"


def test_a_correction_rests_on_what_the_answer_rested_on() -> None:
    part = label(said("v", "accept", basis="part"), corrected("c", "v", "reject"))
    assert part.best is not None
    assert part.best.basis == "part"
    alone = label(corrected("c", None, "reject"), basis="part")
    assert alone.best is not None
    assert alone.best.basis == "part"


answers = st.lists(
    st.tuples(
        st.sampled_from(["accept", "reject", "unsure"]), st.sampled_from(["p-1", "p-2", "p-3"])
    )
)


@given(answers)
def test_only_the_newest_sure_words_of_each_person_decide(given_: list[tuple[str, str]]) -> None:
    records = [said(f"v{n}", answer, by) for n, (answer, by) in enumerate(given_)]
    newest = {by: answer for answer, by in given_}
    sure = {answer for answer in newest.values() if answer != "unsure"}
    found = label(*records)
    expected = {0: ("unsure" if newest else "withdrawn"), 1: "labelled", 2: "disputed"}
    assert found.state == expected[len(sure)]
    assert len(found.words) == len(newest)
