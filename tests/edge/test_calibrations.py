"""Calibrations on disk: read strictly, and only the one that belongs to this station counts."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest

from edge.calibrations import (
    STATE_APPLIED,
    STATE_DIGEST,
    Binding,
    find,
    in_force,
    read,
    read_all,
    write,
)
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


def applied(folder: Path, path: Path, **changed: str) -> dict[str, str]:
    """What the line remembers after this file was applied."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {STATE_APPLIED: path.stem, STATE_DIGEST: digest, **changed}


def test_the_one_that_was_applied_counts_and_not_the_newest(tmp_path: Path) -> None:
    paths = [write(tmp_path, content(number, accept_below=number / 10)) for number in (1, 2, 3)]
    choice = in_force([tmp_path], BINDING, {}, applied(tmp_path, paths[1]).get)
    assert choice.calibration is not None
    assert choice.calibration.cuts.accept_below == 0.2


def test_one_that_fits_and_was_not_applied_is_named(tmp_path: Path) -> None:
    assert in_force([tmp_path], BINDING, {}, {}.get).why == "no calibration was made yet"
    write(tmp_path, content(7, view="other"))
    assert in_force([tmp_path], BINDING, {}, {}.get).why == "no calibration is applied"
    write(tmp_path, content(8))
    choice = in_force([tmp_path, tmp_path / "not there"], BINDING, {}, {}.get)
    assert choice.calibration is None
    assert choice.why == f"no calibration is applied; {content(8)['id']} fits"


@pytest.mark.parametrize("name", ["bundle", "runtime", "machine", "view"])
def test_one_that_was_made_for_another_is_none_and_says_what_differs(
    tmp_path: Path, name: str
) -> None:
    made_with = {"roi": [0, 0, 8, 8], "camera.exposure": 5, "same": 1}
    path = write(tmp_path, content(**{name: "other"}, made_with=made_with))
    now = {"roi": [0, 0, 9, 9], "camera.exposure": 5, "same": 1, "new": None}
    choice = in_force([tmp_path], BINDING, now, applied(tmp_path, path).get)
    assert choice.calibration is None
    assert choice.why.endswith(f"made for another {name} (roi was [0, 0, 8, 8], is [0, 0, 9, 9])")


def test_a_file_that_was_changed_or_lost_after_it_was_applied_is_none(tmp_path: Path) -> None:
    path = write(tmp_path, content())
    state = applied(tmp_path, path)
    path.write_text(path.read_text().replace("0.9", "0.5"))
    assert "was changed" in in_force([tmp_path], BINDING, {}, state.get).why
    path.unlink()
    assert "cannot be read" in in_force([tmp_path], BINDING, {}, state.get).why
    assert in_force([tmp_path], BINDING, {}, {STATE_APPLIED: "../x"}.get).calibration is None


def test_a_file_under_another_name_is_not_found(tmp_path: Path) -> None:
    write(tmp_path, content(1)).rename(tmp_path / f"{content(2)['id']}.json")
    with pytest.raises(ValueError, match="holds the calibration"):
        find([tmp_path], content(2)["id"])


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
