from pathlib import Path

import pytest

from camera.folder import FolderSource, truth_of
from camera.source import CameraError, Clock
from tests.camera.pictures import encoded, jpeg, photograph
from tests.simulators.camera import HandClock

SMALL = photograph(width=64, height=48)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("good/b.jpg", "good/a.JPG", "defect/scratch/x.jpeg", "defect/y.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(SMALL))
    (tmp_path / "z.png").write_bytes(encoded(SMALL, ".png"))
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "good/a.json").write_text("{}")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden/c.jpg").write_bytes(jpeg(SMALL))
    (tmp_path / "good/.part.jpg").write_bytes(jpeg(SMALL))
    (tmp_path / "folder.jpg").mkdir()
    return tmp_path


def read_all(source: FolderSource):
    source.open()
    return list(iter(source.read, None))


IN_ORDER = ["defect/scratch/x.jpeg", "defect/y.jpg", "good/a.JPG", "good/b.jpg", "z.png"]


def test_every_picture_comes_once_in_order_with_its_bytes(folder):
    frames = read_all(FolderSource(folder))
    assert [frame.tags["file"] for frame in frames] == IN_ORDER
    assert [frame.number for frame in frames] == [1, 2, 3, 4, 5]
    assert all(frame.encoded == (folder / frame.tags["file"]).read_bytes() for frame in frames)
    assert all(frame.image is not None and not frame.doubts for frame in frames)
    assert all(frame.truth is None and frame.part_id is None for frame in frames)


def test_folders_say_the_truth_where_that_is_wanted(folder):
    frames = read_all(FolderSource(folder, label_from_folder=True))
    assert [frame.truth for frame in frames] == ["defect/scratch", "defect", "good", "good", None]


@pytest.mark.parametrize(
    ("file", "truth"),
    [
        ("good/a.jpg", "good"),
        ("good/deep/a.jpg", "good"),
        ("defect/dent/deep/a.jpg", "defect/dent"),
        ("good.jpg", None),
        ("other/good/a.jpg", None),
    ],
)
def test_the_first_folder_counts(file, truth):
    from pathlib import PurePosixPath

    assert truth_of(PurePosixPath(file)) == truth


def test_times_are_those_of_reading(folder):
    clock = HandClock()
    source = FolderSource(folder, clock=Clock(clock.monotonic_ns, clock.wall))
    source.open()
    first = source.read()
    clock.move(2)
    second = source.read()
    assert first is not None
    assert second is not None
    assert second.monotonic_ns - first.monotonic_ns == 2 * 10**9
    assert second.captured_at - first.captured_at == pytest.approx(2)


def test_it_goes_on_behind_the_last_picture_after_it_was_closed(folder):
    source = FolderSource(folder)
    source.open()
    source.read()
    source.close()
    source.close()
    assert [frame.tags["file"] for frame in read_all(source)] == IN_ORDER[1:]


def test_with_loop_it_begins_again_and_numbers_go_on(folder):
    source = FolderSource(folder, loop=True)
    source.open()
    frames = [source.read() for _ in range(12)]
    assert [frame.tags["file"] for frame in frames if frame] == (IN_ORDER * 3)[:12]
    assert [frame.number for frame in frames if frame] == list(range(1, 13))


def test_damaged_and_vanished_files_are_frames_with_a_doubt(folder):
    (folder / "defect/y.jpg").write_bytes(b"")
    (folder / "good/a.JPG").write_bytes(b"text named .jpg")
    (folder / "z.png").write_bytes(encoded(SMALL, ".png")[:-20])
    source = FolderSource(folder)
    source.open()
    (folder / "good/b.jpg").unlink()
    frames = list(iter(source.read, None))
    assert [[doubt.name for doubt in frame.doubts] for frame in frames] == [
        [],
        ["empty"],
        ["not_a_picture"],
        ["unreadable"],
        ["truncated"],
    ]
    assert [frame.image is None for frame in frames] == [False, True, True, True, True]


def test_a_missing_or_empty_folder_says_what_to_do(tmp_path):
    with pytest.raises(CameraError, match="is not a folder") as missing:
        FolderSource(tmp_path / "nowhere").open()
    assert missing.value.hint
    with pytest.raises(CameraError, match="no pictures in") as empty:
        FolderSource(tmp_path).open()
    assert ".jpg" in empty.value.hint


def test_a_folder_that_appears_later_can_be_opened_then(tmp_path):
    source = FolderSource(tmp_path / "later")
    with pytest.raises(CameraError):
        source.open()
    (tmp_path / "later").mkdir()
    (tmp_path / "later/a.jpg").write_bytes(jpeg(SMALL))
    assert len(read_all(source)) == 1


def test_the_view_is_known_before_opening(tmp_path):
    assert FolderSource(tmp_path).view() == {"source": "folder", "path": str(tmp_path)}
