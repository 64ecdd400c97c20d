"""The station's own pictures, kept for candidates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.calibrating.gathered import Gathered
from edge.calibrating.pictures import listing, read_labelled
from edge.decision.evidence import Samples
from edge.rollout import pinned
from edge.rollout.pinned import Picture, Pinned, of_folder, pin, read
from edge.store import usage
from edge.store.encoding import encode
from tests.edge.rollout.places import dataset, picture

ABOUT = Pinned(Path(), "c1", "view", "2026-11-20T12:00:00Z", "anna", seen={"roi": None})
ROOM = 10**9


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*.png") if path.is_file()
    )


def test_a_dataset_is_pinned_with_its_labels(tmp_path: Path) -> None:
    made = pin(tmp_path, of_folder(dataset(tmp_path / "data", 3, 2)), ABOUT, ROOM)
    assert (made.good, made.defect, made.left_out) == (3, 2, 0)
    assert read(tmp_path) == made
    again = {read_labelled(made.folder, path)[0].shot for path in listing(made.folder)[0]}
    before = listing(tmp_path / "data")[0]
    assert again == {read_labelled(tmp_path / "data", path)[0].shot for path in before}
    assert {path.parts[0] for path in map(Path, files(made.folder))} == {"good", "defect"}


def test_what_a_name_and_a_sidecar_said_stays_known(tmp_path: Path) -> None:
    path = picture(tmp_path / "data" / "good" / "part-17.png", 200)
    note = {
        "schema": "captured/1",
        "captured_at": "2026-11-20T12:00:00.250Z",
        "source": {"exposure": 7},
    }
    path.with_suffix(".json").write_text(json.dumps(note))
    made = pin(tmp_path, of_folder(tmp_path / "data"), ABOUT, ROOM)
    (kept,) = listing(made.folder)[0]
    about = read_labelled(made.folder, kept)[0]
    assert about.shot.part == "17"
    assert about.source == {"exposure": 7}
    assert about.shot.taken == read_labelled(tmp_path / "data", path)[0].shot.taken


def test_pictures_of_the_line_stay_though_retention_unlinks_them(tmp_path: Path) -> None:
    stored = picture(tmp_path / "images" / "x.png", 200)
    content = stored.read_bytes()
    made = pin(tmp_path, [Picture(stored, "ab" * 32, "good", part="p1")], ABOUT, ROOM)
    (kept,) = listing(made.folder)[0]
    assert kept.stat().st_ino == stored.stat().st_ino  # takes no room of its own
    stored.unlink()
    assert kept.read_bytes() == content


def test_a_dataset_that_is_changed_later_changes_nothing(tmp_path: Path) -> None:
    data = dataset(tmp_path / "state" / ".." / "data", 1, 1)
    made = pin(tmp_path / "state", of_folder(data), ABOUT, ROOM)
    before = [path.read_bytes() for path in listing(made.folder)[0]]
    for path in listing(data)[0]:
        path.write_bytes(b"another")
    assert [path.read_bytes() for path in listing(made.folder)[0]] == before


def test_what_has_no_room_is_left_out_evenly_and_by_hash(tmp_path: Path) -> None:
    chosen = list(of_folder(dataset(tmp_path / "data", 20, 6)))
    size = max(one.path.stat().st_size for one in chosen)
    made = pin(tmp_path, chosen, ABOUT, 8 * size)
    assert made.left_out == 26 - made.good - made.defect
    assert made.good >= 4
    assert made.defect >= 4
    assert made.bytes <= 8 * size
    shuffled = pin(tmp_path, reversed(chosen), replace(ABOUT, calibration="c2"), 8 * size)
    assert files(shuffled.folder) != []
    assert (shuffled.good, shuffled.defect) == (made.good, made.defect)
    kept = {Path(name).stem for name in files(shuffled.folder) if name.startswith("good")}
    lowest = sorted(one.sha256[:32] for one in chosen if one.kind == "good")[: made.good]
    assert kept == set(lowest)


def test_a_new_set_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    old = pin(tmp_path, of_folder(dataset(tmp_path / "1", 2, 2)), ABOUT, ROOM)
    new = pin(
        tmp_path, of_folder(dataset(tmp_path / "2", 1, 1)), replace(ABOUT, calibration="c2"), ROOM
    )
    assert read(tmp_path) == new
    assert not old.folder.exists()


def test_the_old_set_stays_where_the_new_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = pin(tmp_path, of_folder(dataset(tmp_path / "1", 2, 2)), ABOUT, ROOM)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pinned, "write_synced", full)
    newer = replace(ABOUT, calibration="c2")
    with pytest.raises(OSError, match="No space"):
        pin(tmp_path, of_folder(dataset(tmp_path / "2")), newer, ROOM)
    with pytest.raises(OSError, match=r"rollout\.pinned_bytes"):
        pin(tmp_path, of_folder(tmp_path / "2"), newer, 10)
    assert read(tmp_path) == old
    assert len(files(old.folder)) == 4


def test_it_says_how_many_pictures_lost_something(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "1", 2, 1)
    level = np.full((20, 30, 3), 99, np.uint8)
    (folder / "good" / "stored.jpg").write_bytes(encode(level))
    made = pin(tmp_path, of_folder(folder), ABOUT, ROOM)
    assert (made.good, made.defect, made.lossy) == (3, 1, 1)
    assert read(tmp_path) == made


def test_retention_counts_it(tmp_path: Path) -> None:
    before = usage.of_all_but(tmp_path / "state", frozenset({"images"}))
    made = pin(tmp_path / "state", of_folder(dataset(tmp_path / "1", 5, 5)), ABOUT, ROOM)
    after = usage.of_all_but(tmp_path / "state", frozenset({"images"}))
    assert after - before >= made.bytes


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"schema":"pinned/1"}', b"[" * 99999])
def test_a_damaged_description_counts_as_nothing_pinned(tmp_path: Path, content: bytes) -> None:
    pin(tmp_path, of_folder(dataset(tmp_path / "1", 1, 1)), ABOUT, ROOM)
    (tmp_path / "pinned" / "set.json").write_bytes(content)
    assert read(tmp_path) is None


def test_it_never_leads_out_of_its_folder(tmp_path: Path) -> None:
    made = pin(tmp_path, of_folder(dataset(tmp_path / "1", 1, 1)), ABOUT, ROOM)
    path = tmp_path / "pinned" / "set.json"
    path.write_text(json.dumps({**made.as_json(), "folder": "../../1"}))
    assert read(tmp_path) is None


def test_recorded_parts_are_pinned_where_their_picture_is_there(tmp_path: Path) -> None:
    stored = picture(tmp_path / "images" / "x.png", 40)
    gone = tmp_path / "images" / "gone.png"
    rows = [
        (0.9, True, "dent", "ab" * 32, "p1"),
        (0.1, False, None, "cd" * 32, "p2"),
        (0.2, False, None, "inspection 3", None),
    ]
    known = Samples.of(rows, [stored, gone, None])
    gathered = Gathered("recorded", "here", known, "f")
    (one,) = pinned.of_records(gathered)
    assert one == Picture(stored, "ab" * 32, "defect", "dent", "p1")
