from pathlib import Path

import cv2
import numpy as np
import pytest

from camera.source import CameraError
from camera.video import VideoSource
from tests.camera.pictures import photograph

COUNT = 12


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "parts.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 240))
    assert writer.isOpened()
    for seed in range(COUNT):
        writer.write(photograph(seed))
    writer.release()
    return path


def test_every_picture_of_a_real_file_comes_once_in_order(video):
    source = VideoSource(video)
    source.open()
    frames = list(iter(source.read, None))
    assert [frame.number for frame in frames] == list(range(1, COUNT + 1))
    assert [frame.tags["frame"] for frame in frames] == [str(n) for n in range(COUNT)]
    for seed, frame in enumerate(frames):
        assert frame.image is not None
        assert np.abs(frame.image.astype(int) - photograph(seed)).mean() < 6
    source.close()


def test_pictures_given_are_not_written_to_again(video):
    source = VideoSource(video)
    source.open()
    first = source.read()
    assert first is not None
    assert first.image is not None
    before = first.image.copy()
    source.read()
    np.testing.assert_array_equal(first.image, before)
    source.close()


def test_it_goes_on_behind_the_last_picture_after_it_was_closed(video):
    source = VideoSource(video)
    source.open()
    whole = list(iter(source.read, None))
    again = VideoSource(video)
    again.open()
    for _ in range(5):
        again.read()
    again.close()
    again.close()
    again.open()
    rest = list(iter(again.read, None))
    assert [frame.number for frame in rest] == list(range(6, COUNT + 1))
    for one, other in zip(rest, whole[5:], strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_a_missing_file_or_one_that_is_no_video_says_what_to_do(tmp_path):
    with pytest.raises(CameraError, match="is not a file"):
        VideoSource(tmp_path / "no.mp4").open()
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(CameraError, match="not a video") as wrong:
        VideoSource(tmp_path / "text.mp4").open()
    assert wrong.value.hint
