"""Calibrations on disk with their evidence, and two of them side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.calibrating.keeping import compare, keep, listed, scores_file
from edge.calibrating.table import read_table
from edge.calibrations import Calibration, read
from edge.decision.evidence import Samples
from tests.edge.test_calibrations import content


def kept(folder: Path, number: int, scores: dict[str, float], **changed: Any) -> Calibration:
    rows = [(score, False, None, sha256, None) for sha256, score in scores.items()]
    samples = Samples.of(rows, [None] * len(rows))
    return read(keep(folder, content(number, **changed), samples))


def test_the_scores_lie_beside_it_and_can_be_calibrated_from_again(tmp_path: Path) -> None:
    made = kept(tmp_path, 1, {"a" * 64: 0.1 + 0.2, "b" * 64: 1.0})
    found = read_table(scores_file(tmp_path, made.id))
    assert found.samples.scores.tolist() == [0.1 + 0.2, 1.0]


def test_two_side_by_side(tmp_path: Path) -> None:
    first = kept(tmp_path, 1, {"a": 0.05, "b": 0.2, "c": 0.95, "d": 0.5, "only": 0.1})
    second = kept(
        tmp_path, 2, {"a": 0.4, "b": 0.2, "c": 0.95, "d": 0.9}, accept_below=0.3, reject_above=0.8
    )
    found = compare([tmp_path], first, second)
    assert (found.common, found.permissive, found.strict, found.changed) == (4, 1, 1, 3)
    assert found.as_json()["more_permissive"] == 1
    assert compare([tmp_path], first, first).changed == 0


def test_without_evidence_nothing_is_common(tmp_path: Path) -> None:
    first = kept(tmp_path, 1, {"a": 0.05})
    second = kept(tmp_path, 2, {"a": 0.05})
    scores_file(tmp_path, second.id).unlink()
    assert compare([tmp_path], first, second).common == 0


def test_the_list_names_what_cannot_be_read(tmp_path: Path) -> None:
    kept(tmp_path, 2, {})
    kept(tmp_path, 1, {})
    (tmp_path / "zzz.json").write_text("[")
    found = listed([tmp_path, tmp_path / "not there"])
    assert [one["id"] for one in found] == [content(1)["id"], content(2)["id"], "zzz"]
    assert found[2]["unreadable"] is True
