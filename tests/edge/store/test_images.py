import os
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.store.encoding import encode
from edge.store.images import ImageStore, Picture, parse_policy, wanted
from tests.edge.store.builders import NOON

HOUR = "images/2026-11-18/11"


def test_a_picture_lies_under_its_day_and_hour_with_its_own_bytes(tmp_path: Path) -> None:
    reference = ImageStore(tmp_path).keep("019", NOON, b"abc", ".png")
    assert reference.path == f"{HOUR}/019.png"
    assert reference.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (tmp_path / reference.path).read_bytes() == b"abc"


def test_bytes_are_durable_before_the_name_and_the_name_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[tuple[str, str]] = []
    fsync, rename = os.fsync, os.rename

    def watched_fsync(handle: int) -> None:
        fsync(handle)
        did.append(("fsync", Path(os.readlink(f"/proc/self/fd/{handle}")).name))

    def watched_rename(old, new, **more) -> None:
        rename(old, new, **more)
        did.append(("rename", Path(new).name))

    store = ImageStore(tmp_path)
    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "rename", watched_rename)
    store.keep_all([Picture("a", NOON, b"1"), Picture("b", NOON, b"2")])
    folders = [("fsync", tmp_path.name), ("fsync", "images"), ("fsync", "2026-11-18")]
    assert did[:3] == folders
    assert did[3:] == [
        ("fsync", "a.jpg.part"),
        ("fsync", "b.jpg.part"),
        ("rename", "a.jpg"),
        ("rename", "b.jpg"),
        ("fsync", "11"),
    ]


def test_a_full_disk_names_none_of_the_pictures_and_leaves_nothing(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            store.keep_all([Picture("a", NOON, b"small"), Picture("b", NOON, b"x" * 2000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / HOUR).iterdir()) == []
    assert store.keep("b", NOON, b"x" * 2000).path == f"{HOUR}/b.jpg"


def test_a_folder_that_retention_removed_is_made_again(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    (tmp_path / store.keep("a", NOON, b"1").path).unlink()
    (tmp_path / HOUR).rmdir()
    assert (tmp_path / store.keep("b", NOON, b"2").path).exists()


def test_a_sweep_removes_what_a_crash_left_and_nothing_else(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    kept = tmp_path / store.keep("a", NOON, b"1").path
    kept.with_name("b.jpg.part").write_bytes(b"half")
    assert (store.sweep(), store.sweep()) == (1, 0)
    assert kept.exists()


def test_pictures_leave_no_descriptors_behind(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(50):
        store.keep(str(number), NOON + number * 3600, b"1")
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("text", "decision", "asked", "draw", "kept"),
    [
        ("all", "accept", False, 0.999, True),
        ("none", "escalate", True, 0.0, False),
        ("rejected", "reject", False, 0.5, True),
        ("rejected", "escalate", False, 0.5, False),
        ("escalated+rejected+random", "escalate", True, 0.5, True),
        ("escalated+rejected+random", "accept", False, 0.5, False),
        ("escalated+rejected+random", "accept", False, 0.0099, True),
        ("escalated+rejected+random", "accept", False, 0.01, False),
        ("escalated", "accept", True, 0.5, True),
        ("random:0.2", "accept", False, 0.19, True),
        (" rejected + random:1 ", "accept", False, 0.99, True),
    ],
)
def test_policy(text: str, decision, asked: bool, draw: float, kept: bool) -> None:
    assert wanted(parse_policy(text), decision, asked, draw) is kept


@pytest.mark.parametrize(
    "text", ["", "some", "all+none", "random:0", "random:2", "random:x", "rejected:1"]
)
def test_a_policy_that_says_nothing_known_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_policy(text)


@given(draw=st.floats(0, 1, exclude_max=True), asked=st.booleans())
def test_random_is_blind_to_what_was_decided(draw: float, asked: bool) -> None:
    policy = parse_policy("random:0.3")
    assert {wanted(policy, d, asked, draw) for d in ("accept", "reject", "escalate")} == {
        draw < 0.3
    }


def test_frames_without_a_file_become_a_jpeg() -> None:
    data = encode(np.full((8, 9, 3), 127, np.uint8))
    assert data[:2] == b"\xff\xd8"
    assert data[-2:] == b"\xff\xd9"
