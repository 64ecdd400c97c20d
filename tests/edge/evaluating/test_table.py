"""Scores from a file, with columns to slice by."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.calibrating.gathered import Unusable
from edge.evaluating.table import table_cases


def write(folder: Path, text: str) -> Path:
    path = folder / "scores.csv"
    path.write_text(text)
    return path


def test_other_columns_are_tags_and_a_part_counts_once(tmp_path: Path) -> None:
    text = (
        "Score,label,type,part,shift\n0.1,good,,a-1,day\n0.9,defect,dent,a-2,\n"
        "0.8,defect,dent,a-2,day\n0.5,defect,,b-3,night\n"
    )
    found = table_cases(write(tmp_path, text))
    assert found.defect.tolist() == [False, True, True]
    assert list(found.tags["family"]) == ["a", "a", "b"]
    assert list(found.tags["type"]) == ["unknown", "dent", "unknown"]
    assert set(found.tags["shift"]) <= {"day", "night", "unknown"}
    assert found.left_out[0].count == 1


def test_equal_rows_without_a_part_are_different_parts(tmp_path: Path) -> None:
    assert len(table_cases(write(tmp_path, "score,label\n0.1,good\n0.1,good\n")).scores) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("score\n0.1\n", "1: expected the columns score,label"),
        ("", "found nothing"),
        ("score,label\n0.1,good\nnan,good\n", "3: the score 'nan'"),
        ("score,label\n1.5,good\n", "2: the score '1.5'"),
        ("score,label\n0.5\n", "2: the label ''"),
        ("score,label\n0.5,bad,1,2\n", "2: the label 'bad'"),
    ],
)
def test_the_first_wrong_row_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        table_cases(write(tmp_path, text))
