"""A stored picture run again: the same score where the bytes are those that were inspected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.replaying import CannotReplay, replay
from edge.wiring import build
from tests.appliance.station import config_of, pictures, rows, station


def recorded(tmp_path: Path, images: str) -> tuple[Path, list[dict[str, Any]]]:
    folder = pictures(tmp_path / "pictures", 3)
    camera = {"source": "folder", "path": str(folder)}
    settings = station(tmp_path, camera, storage={"images": images})
    assert build(config_of(settings)).run() == 0
    made = [json.loads(row.body) for row in rows(settings)]
    return settings, [record for record in made if record["schema"] == "inspection/1"]


def test_the_same_bytes_give_the_same_score(tmp_path: Path) -> None:
    settings, made = recorded(tmp_path, "all")
    for record in made:
        found = replay(config_of(settings), record)
        assert found.score == record["score"] == found.recorded
        assert found.label == record["label"]
        assert found.notes == ()
    assert "recorded was" in found.in_words()


def test_what_is_no_longer_the_same_is_said(tmp_path: Path) -> None:
    settings, (record, *_) = recorded(tmp_path, "all")
    changed = {**record, "view": "0" * 64, "runtime": "litert 0.1"}
    changed["model"] = {"name": "old", "version": "0.9.0", "bundle": "0" * 64}
    notes = " ".join(replay(config_of(settings), changed).notes)
    for word in ("old 0.9.0", "litert 0.1", "view"):
        assert word in notes


@pytest.mark.parametrize(("encoding", "notes"), [("jpeg", 1), ("png", 0)])
def test_pixels_that_were_stored_whole_give_the_same_score(
    tmp_path: Path, encoding: str, notes: int
) -> None:
    camera = {"source": "synthetic", "parts_per_second": 0, "limit": 3, "width": 160, "height": 120}
    settings = station(tmp_path, camera, storage={"images": "all", "encoding": encoding})
    assert build(config_of(settings)).run() == 0
    made = [json.loads(row.body) for row in rows(settings)]
    record = next(record for record in made if record["schema"] == "inspection/1")
    found = replay(config_of(settings), record)
    assert len(found.notes) == notes
    assert all("lost something" in note for note in found.notes)
    assert encoding == "jpeg" or found.score == found.recorded


def test_another_picture_is_not_run(tmp_path: Path) -> None:
    settings, (record, *_) = recorded(tmp_path, "all")
    path = config_of(settings).state_dir / record["image"]["path"]
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(CannotReplay, match="not the picture that was recorded"):
        replay(config_of(settings), record)
    path.unlink()
    with pytest.raises(CannotReplay, match="cannot be read"):
        replay(config_of(settings), record)


def test_without_a_picture_there_is_nothing_to_run(tmp_path: Path) -> None:
    settings, (record, *_) = recorded(tmp_path, "none")
    with pytest.raises(CannotReplay, match="no picture"):
        replay(config_of(settings), record)
