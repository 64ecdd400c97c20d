"""Scores from a CSV file: strict, each part once, a million rows."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calibrating.gathered import Unusable
from edge.calibrating.table import CHUNK, SAME_PART, read_table, rows_of
from edge.decision.evidence import Samples


def table(folder: Path, *rows: str, header: str = "score,label") -> Path:
    path = folder / "scores.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def test_scores_labels_and_types(tmp_path: Path) -> None:
    rows = ("defect, 0.9 ,scratch,x", "good,0.1,ignored,y", "", "defect,1,dent,z", "defect,0,,z")
    found = read_table(table(tmp_path, *rows, header="Label,score,TYPE,note"))
    samples = found.samples
    assert samples.scores.tolist() == [0.9, 0.1, 1.0, 0.0]
    assert samples.defect.tolist() == [True, False, True, True]
    assert [samples.types[at] if at >= 0 else None for at in samples.type_of] == [
        "scratch", None, "dent", None,
    ]  # fmt: skip
    assert (samples.parts, samples.sha256, found.left_out) == ((), (), ())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("nan,good", "'nan'"),
        ("-0.001,good", "'-0.001'"),
        ("1.0000001,good", "'1.0000001'"),
        ("inf,defect", "'inf'"),
        (",defect", "''"),
        ("x,defect", "'x'"),
        ("0.5,bad", "'bad'"),
        ("0.5,Good", "'Good'"),
        ("0.5", "too few columns"),
    ],
)
@pytest.mark.parametrize("before", [0, CHUNK])
def test_a_wrong_row_is_named(tmp_path: Path, row: str, said: str, before: int) -> None:
    path = table(tmp_path, *["0.5,good"] * before, row, "0.5,good,more")
    with pytest.raises(Unusable, match=f"{path}:{before + 2}: .*{said}"):
        read_table(path)


@pytest.mark.parametrize("header", ["", "0.5,good", "score", "label,type"])
def test_a_wrong_header_is_named(tmp_path: Path, header: str) -> None:
    with pytest.raises(Unusable, match=r":1: expected the columns score,label"):
        read_table(table(tmp_path, "0.5,good", header=header))


def test_bytes_that_are_no_table_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    for data in (b"score,label\n0.5,g\xffod\n", b'score,label\n"' + b"x" * 200_000):
        path.write_bytes(data)
        with pytest.raises(Unusable):
            read_table(path)


def test_rows_of_different_lengths_are_no_error(tmp_path: Path) -> None:
    path = table(tmp_path, "0.5,good,P1,more,and more", "0.6,good", header="score,label,part")
    assert read_table(path).samples.parts == ("P1", None)


@given(st.randoms(use_true_random=False), st.integers(1, 6))
def test_a_part_counts_once_whatever_the_order(
    tmp_path_factory: pytest.TempPathFactory, random: object, copies: int
) -> None:
    rows = [f"0.{k}{part},good,P{part}" for part in range(5) for k in range(1, copies + 1)]
    folder = tmp_path_factory.mktemp("tables")
    first = read_table(table(folder, *rows, header="score,label,part"))
    random.shuffle(rows)  # type: ignore[attr-defined]
    second = read_table(table(folder, *rows, header="score,label,part"))
    for found in (first, second):
        assert len(found.samples.scores) == 5
        assert sum(left.count for left in found.left_out) == 5 * (copies - 1)
    assert sorted(first.samples.scores) == sorted(second.samples.scores)
    assert first.fingerprint == second.fingerprint


def test_the_row_of_a_part_is_not_chosen_by_its_score(tmp_path: Path) -> None:
    rows = [f"{score},good,P{part}" for part in range(400) for score in (0.1, 0.9)]
    found = read_table(table(tmp_path, *rows, header="score,label,part"))
    low = int((found.samples.scores == 0.1).sum())
    assert 150 < low < 250
    assert found.left_out[0].why == SAME_PART


def test_a_part_that_is_good_and_a_defect_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "0.5,good,P1", "0.5,defect,P1", header="score,label,part")
    with pytest.raises(Unusable, match=r":3: the part 'P1'"):
        read_table(path)


def test_equal_scores_are_different_parts(tmp_path: Path) -> None:
    found = read_table(table(tmp_path, *["0.5,good"] * 500))
    assert len(found.samples.scores) == 500


def test_a_million_rows(tmp_path: Path) -> None:
    n = 1_000_000
    path = tmp_path / "scores.csv"
    with path.open("w") as stream:
        stream.write("score,label\n")
        for at in range(0, n, 1000):
            stream.write("".join(f"0.{at + k:06d},good\n" for k in range(1000)))
    samples = read_table(path).samples
    assert len(samples.scores) == n
    assert samples.scores[-1] == 0.999999
    assert samples.scores.itemsize + samples.defect.itemsize + samples.type_of.itemsize == 13


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    samples = Samples(
        scores=np.array([0.1 + 0.2, 1.0]),
        defect=np.array([False, True]),
        types=("dent",),
        type_of=np.array([-1, 0], np.int32),
        sha256=tuple(hashlib.sha256(name).hexdigest() for name in (b"a", b"b")),
        parts=("P1", None),
    )
    rows = [",".join(row) for row in rows_of(samples)]
    found = read_table(table(tmp_path, *rows, header="sha256,score,label,type,part")).samples
    assert found.scores.tolist() == samples.scores.tolist()
    assert found.parts == samples.parts
    assert found.types == ("dent",)
