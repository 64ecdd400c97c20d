from __future__ import annotations

import hashlib
import os

import pytest

from edge.picture_file import open_picture
from sync.gallery import Missing, Wanted

PATH = "images/2026-11-20/12/a.jpg"
DATA = bytes(range(256)) * 10_000


@pytest.fixture
def state(tmp_path):
    folder = tmp_path / "state"
    (folder / PATH).parent.mkdir(parents=True)
    (folder / PATH).write_bytes(DATA)
    return folder


def asked_for(path=PATH, data=DATA):
    return Wanted("a", path, hashlib.sha256(data).hexdigest())


def test_the_bytes_of_the_record_are_read_also_when_the_file_is_deleted_meanwhile(state):
    file = open_picture(state, asked_for())
    assert file.size == len(DATA)
    assert file.read(5, 10) == DATA[5:15]
    (state / PATH).unlink()
    assert file.read(len(DATA) - 3, 100) == DATA[-3:]
    file.close()
    file.close()
    with pytest.raises(Missing):
        file.read(0, 1)


def test_a_file_that_is_cut_meanwhile_is_missing(state):
    file = open_picture(state, asked_for())
    os.truncate(state / PATH, 100)
    with pytest.raises(Missing):
        file.read(90, 100)
    file.close()


def test_other_bytes_than_those_recorded_are_never_given(state):
    with pytest.raises(Missing, match="not what was recorded"):
        open_picture(state, asked_for(data=b"other"))


@pytest.mark.parametrize(
    "path", ["images/2026-11-20/12/b.jpg", "images/2026-11-20/12", "", "images/" + "x" * 300]
)
def test_what_is_not_there_or_no_file_is_missing(state, path):
    with pytest.raises(Missing):
        open_picture(state, asked_for(path))


def test_nothing_outside_of_images_is_opened(state, tmp_path):
    (state / "secret").write_bytes(DATA)
    (tmp_path / "secret").write_bytes(DATA)
    detour = PATH.replace("images/", "images/../images/")
    assert (state / detour).exists()
    for path in ("secret", "images/../secret", "../secret", str(tmp_path / "secret"), detour):
        with pytest.raises(Missing):
            open_picture(state, asked_for(path))


def test_no_link_leads_outside(state, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.jpg").write_bytes(DATA)
    (state / "images" / "link.jpg").symlink_to(tmp_path / "elsewhere" / "secret.jpg")
    (state / "images" / "folder").symlink_to(tmp_path / "elsewhere")
    (state / "images" / "round").symlink_to("round")
    for path in ("images/link.jpg", "images/folder/secret.jpg", "images/round"):
        with pytest.raises(Missing):
            open_picture(state, asked_for(path))


def test_a_pipe_in_the_place_of_a_picture_stops_nobody(state):
    os.mkfifo(state / "images" / "pipe.jpg")
    with pytest.raises(Missing):
        open_picture(state, asked_for("images/pipe.jpg", b""))


def test_images_may_lie_on_another_disk(state, tmp_path):
    (state / "images").rename(tmp_path / "disk")
    (state / "images").symlink_to(tmp_path / "disk")
    open_picture(state, asked_for()).close()
