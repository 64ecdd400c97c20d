"""Everything that was said about each part."""

from __future__ import annotations

from pathlib import Path

from edge.review.spoken import first, spoken, undone
from edge.review.verdicts import FILE, give
from tests.edge.review.test_verdicts import correction, verdict


def test_answers_and_corrections_by_part_in_order(tmp_path: Path) -> None:
    assert spoken(tmp_path / FILE) == {}
    given = verdict(1, "a")
    for made in (given, verdict(2, "b"), correction(3, given), verdict(4, "a", "reject")):
        give(tmp_path, made)
    found = spoken(tmp_path / FILE)
    assert [one["id"] for one in found["a"]] == ["verdict-1", "correction-3", "verdict-4"]
    assert [one["id"] for one in found["b"]] == ["verdict-2"]
    assert found["a"][1]["to"] is None


def test_the_first_answer_that_was_not_undone() -> None:
    one, two = verdict(1), verdict(2, answer="reject")
    late = correction(3, one)
    early = correction(4, one, undo=True)
    assert first([]) is None
    assert first([one.content(), two.content(), late.content()]) == one.content()
    assert first([one.content(), early.content(), two.content()]) == two.content()
    assert first([one.content(), early.content()]) is None
    assert undone([late.content(), early.content()]) == {"verdict-1"}
