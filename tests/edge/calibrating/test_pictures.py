"""What names, folders and sidecars say about labelled pictures."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edge.calibrating.gathered import Unusable
from edge.calibrating.pictures import listing, read_labelled


def put(path: Path, data: bytes = b"x", **note: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if note:
        path.with_suffix(".json").write_text(json.dumps({"schema": "captured/1", **note}))
    return path


def test_only_pictures_in_labelled_folders_are_listed(tmp_path: Path) -> None:
    wanted = [
        put(tmp_path / "defect" / "dent" / "b.PNG"),
        put(tmp_path / "defect" / "c.jpg"),
        put(tmp_path / "good" / "deep" / "a.jpg", label="good"),
    ]
    others = [put(tmp_path / "a.jpg"), put(tmp_path / "other" / "a.jpg")]
    put(tmp_path / "good" / ".hidden" / "a.jpg")
    put(tmp_path / "good" / "notes.txt")
    labelled, elsewhere = listing(tmp_path)
    assert (set(labelled), set(elsewhere)) == (set(wanted), set(others))


def test_no_labelled_picture_is_said(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    with pytest.raises(Unusable, match="no pictures in good/"):
        listing(tmp_path)
    with pytest.raises(Unusable, match="no folder"):
        listing(tmp_path / "a.jpg")


def test_kind_and_type_come_from_the_folder(tmp_path: Path) -> None:
    for name, kind, type_ in (
        ("good/x.jpg", "good", None),
        ("defect/x.jpg", "defect", None),
        ("defect/dent/x.jpg", "defect", "dent"),
        ("defect/dent/left/y.jpg", "defect", "dent"),
    ):
        found, data = read_labelled(tmp_path, put(tmp_path / name, name.encode()))
        assert (found.kind, found.type, data) == (kind, type_, name.encode())


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("part-17.jpg", "17"),
        ("left_Part=A17_2.png", "a17"),
        ("part_0007_view2.jpg", "0007"),
        ("department-17.jpg", None),
        ("part_of_it.jpg", None),
        ("IMG_0001.jpg", None),
        ("spart-1.jpg", None),
    ],
)
def test_a_part_id_in_the_name(tmp_path: Path, name: str, part: str | None) -> None:
    assert read_labelled(tmp_path, put(tmp_path / "good" / name))[0].shot.part == part


def test_the_sidecar_says_part_time_and_view_and_the_file_s_own_time_nothing(
    tmp_path: Path,
) -> None:
    note = {"part_id": "R-1", "captured_at": "2026-11-20T12:00:00.500Z", "source": {"exposure": 5}}
    with_note = put(tmp_path / "good" / "part-9.jpg", **note)
    without = put(tmp_path / "good" / "b.jpg")
    os.utime(without, (1, 1))
    found = read_labelled(tmp_path, with_note)[0]
    assert (found.shot.part, found.shot.taken, found.source) == (
        "R-1", 1795176000.5, {"exposure": 5},
    )  # fmt: skip
    assert read_labelled(tmp_path, without)[0].shot.taken is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"schema": "other/1", "part_id": "1"}', "[" * 9999]
)
def test_a_file_beside_it_that_is_no_sidecar_says_nothing(tmp_path: Path, text: str) -> None:
    path = put(tmp_path / "good" / "a.jpg")
    path.with_suffix(".json").write_text(text)
    found = read_labelled(tmp_path, path)[0]
    assert (found.shot.part, found.shot.taken, found.source) == (None, None, None)
