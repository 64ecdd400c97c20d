"""Calibrations on disk: read strictly, and only the one that belongs to this station counts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from edge.calibrations import Binding, choose, read, read_all, write
from edge.records import Cuts

BINDING = Binding("b" * 64, "litert 2.0", "x86_64", "v" * 64)


def content(number: int = 1, **changed: Any) -> dict[str, Any]:
    made = {
        "schema": "calibration/1",
        "id": f"01890a5d-ac96-774b-bcce-b302099a80{number:02d}",
        "bundle": "b" * 64,
        "runtime": "litert 2.0",
        "machine": "x86_64",
        "view": "v" * 64,
        "accept_below": 0.1,
        "reject_above": 0.9,
        "certified": True,
        **changed,
    }
    return {name: value for name, value in made.items() if value != "-"}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "calibrations", content())
    made = read(path)
    assert made.binding == BINDING
    assert made.cuts == Cuts(0.1, 0.9, True, content()["id"])
    assert made.content == content()


def test_the_newest_that_fits_counts(tmp_path: Path) -> None:
    for number in (1, 3, 2):
        write(tmp_path, content(number, accept_below=number / 10))
    write(tmp_path, content(9, view="w" * 64))
    choice = choose(read_all([tmp_path]), BINDING)
    assert choice.calibration is not None
    assert choice.calibration.cuts.accept_below == 0.3


@pytest.mark.parametrize("name", ["bundle", "runtime", "machine", "view"])
def test_one_that_was_made_for_another_is_none_and_says_what_differs(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path, content(**{name: "other"}))
    choice = choose(read_all([tmp_path]), BINDING)
    assert choice.calibration is None
    assert choice.why.endswith(f"another {name}")


def test_without_any_there_is_none(tmp_path: Path) -> None:
    assert choose(read_all([tmp_path, tmp_path / "not there"]), BINDING).calibration is None


@pytest.mark.parametrize("certified", [False, "true", 1, None, "-"])
def test_only_true_is_certified(tmp_path: Path, certified: object) -> None:
    assert not read(write(tmp_path, content(certified=certified))).cuts.certified


@pytest.mark.parametrize(
    "changed",
    [
        {"schema": "calibration/2"},
        {"bundle": "-"},
        {"bundle": None},
        {"view": 7},
        {"accept_below": "-"},
        {"accept_below": "0.1"},
        {"accept_below": True},
        {"accept_below": -0.1},
        {"reject_above": 1.1},
        {"reject_above": 10**400},
        {"accept_below": 0.9, "reject_above": 0.1},
        {"id": ""},
        {"familiar": {}},
        {"familiar": {"count": 1}},
    ],
)
def test_a_file_that_is_no_calibration_is_left_out_of_all(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    made = content(2, **changed)
    (tmp_path / "bad.json").write_text(json.dumps(made))
    write(tmp_path, content(1))
    with pytest.raises(ValueError, match=r"bad\.json|familiar"):
        read(tmp_path / "bad.json")
    assert [one.id for one in read_all([tmp_path])] == [content(1)["id"]]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{", b"\xff", b"[" * 100_000,
        json.dumps(content(accept_below=math.nan)).encode(),
        json.dumps(content(extra=math.inf)).encode(),
    ],
)  # fmt: skip
def test_bytes_that_are_no_calibration_are_left_out(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(data)
    (tmp_path / "folder.json").mkdir()
    assert read_all([tmp_path]) == []


def test_a_cut_just_above_one_rejects_nothing_and_is_legal(tmp_path: Path) -> None:
    above = math.nextafter(1, 2)
    assert read(write(tmp_path, content(reject_above=above))).cuts.reject_above == above
