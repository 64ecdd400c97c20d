"""Pictures for browsers: made anew, and only those that a record names."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.store.images import ImageStore
from edge.web.pictures import NoPicture, Pictures
from tests.edge.web.parts import picture

HIDDEN = b"<script>alert(1)</script>"


class Album:
    """What records name, by inspection."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ImageStore(folder)
        self.named: dict[str, tuple[str, str]] = {}
        self.asked = 0

    def keep(self, name: str, data: bytes, suffix: str = ".jpg") -> str:
        kept = self.store.keep(name, 1_795_000_000.0, data, suffix)
        self.named[name] = (kept.path, kept.sha256)
        return kept.sha256

    def __call__(self, name: str) -> tuple[str, str] | None:
        self.asked += 1
        return self.named.get(name)


@pytest.fixture
def album(tmp_path: Path) -> Album:
    return Album(tmp_path)


@pytest.fixture
def pictures(album: Album) -> Pictures:
    return Pictures(album.folder, album)


def seen(data: bytes) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return image.shape[1], image.shape[0]


def test_nothing_of_the_stored_file_reaches_the_browser(album: Album, pictures: Pictures) -> None:
    stored = picture() + HIDDEN
    shown = pictures.get("a", album.keep("a", stored), "full")
    assert shown.data != stored
    assert HIDDEN not in shown.data
    assert seen(shown.data) == (shown.width, shown.height) == (64, 48)


def test_sizes(album: Album, pictures: Pictures) -> None:
    sha256 = album.keep("a", picture(2000, 500))
    assert seen(pictures.get("a", sha256, "screen").data) == (1600, 400)
    assert seen(pictures.get("a", sha256, "thumb").data) == (320, 80)
    assert seen(pictures.get("a", sha256, "full").data) == (2000, 500)
    small = album.keep("b", picture(100, 60))
    assert seen(pictures.get("b", small, "screen").data) == (100, 60)
    assert pictures.get("a", sha256, "thumb").width == 2000


def test_other_kinds_of_files_become_jpegs(album: Album, pictures: Pictures) -> None:
    done, png = cv2.imencode(".png", np.full((20, 30, 3), 200, np.uint8))
    assert done
    shown = pictures.get("a", album.keep("a", png.tobytes(), ".png"), "screen")
    assert shown.data.startswith(b"\xff\xd8\xff")


def test_the_hash_must_be_the_record_s(album: Album, pictures: Pictures) -> None:
    mine, other = album.keep("a", picture(grey=10)), album.keep("b", picture(grey=99))
    for name, sha256 in (("a", other), ("b", mine), ("c", mine), ("a", ""), ("a", "../" * 5)):
        with pytest.raises(NoPicture):
            pictures.get(name, sha256, "screen")


def test_a_file_that_is_gone_or_changed_is_no_picture(album: Album, pictures: Pictures) -> None:
    gone, changed = album.keep("a", picture()), album.keep("b", picture())
    (album.folder / album.named["a"][0]).unlink()
    (album.folder / album.named["b"][0]).write_bytes(picture(grey=1))
    for name, sha256 in (("a", gone), ("b", changed)):
        with pytest.raises(NoPicture):
            pictures.get(name, sha256, "screen")


def test_a_picture_that_came_damaged_from_the_camera_is_none(
    album: Album, pictures: Pictures
) -> None:
    for name, data in (("a", picture()[:200]), ("b", b"no picture at all"), ("c", b"")):
        with pytest.raises(NoPicture):
            pictures.get(name, album.keep(name, data), "screen")


@pytest.mark.parametrize("path", ["../secret.jpg", "/etc/passwd", "images/../../secret.jpg"])
def test_a_record_cannot_lead_out_of_the_folder(
    album: Album, pictures: Pictures, path: str
) -> None:
    secret = album.folder.parent / "secret.jpg"
    secret.write_bytes(picture())
    album.named["a"] = (path, hashlib.sha256(picture()).hexdigest())
    with pytest.raises(NoPicture):
        pictures.get("a", album.named["a"][1], "screen")


def test_a_link_in_the_folder_leads_nowhere(album: Album, pictures: Pictures) -> None:
    secret = album.folder.parent / "secret.jpg"
    secret.write_bytes(picture())
    sha256 = album.keep("a", picture())
    path = album.folder / album.named["a"][0]
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(NoPicture):
        pictures.get("a", sha256, "screen")


def test_the_last_ones_are_kept_in_memory_within_bounds(album: Album) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    names = [album.keep(str(n), cv2.imencode(".jpg", noise + n)[1].tobytes()) for n in range(5)]
    one = len(Pictures(album.folder, album).get("0", names[0], "screen").data)
    pictures = Pictures(album.folder, album, most_bytes=3 * one + one // 2)
    for number, sha256 in enumerate(names):
        pictures.get(str(number), sha256, "screen")
    album.asked = 0
    for number in (4, 3, 2):
        pictures.get(str(number), names[number], "screen")
    assert album.asked == 0
    pictures.get("0", names[0], "screen")
    assert album.asked == 1
