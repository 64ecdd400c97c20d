import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera.rtsp import VARIABLE, RtspSource, open_stream
from camera.source import CameraError
from camera.supervised import NewestFeed, Supervisor
from tests.camera.pictures import photograph
from tests.simulators.camera import HandClock, ScriptedCapture
from tests.simulators.rtsp import RtspServer

PHOTO = photograph()
USER, PASSWORD = "operator", "p@ss/w:rd #1"


@pytest.fixture
def server():
    made = RtspServer(PHOTO)
    yield made
    made.close()


@pytest.fixture
def guarded():
    made = RtspServer(PHOTO, login=(USER, PASSWORD))
    yield made
    made.close()


def credentials(folder: Path, *lines: str) -> Path:
    path = folder / "camera.secret"
    path.write_text("\n".join(lines) + "\n")
    return path


def looks_right(frame) -> bool:
    return float(np.abs(frame.image.astype(int) - PHOTO).mean()) < 8


def test_pictures_come_from_a_real_server_over_tcp(server):
    source = RtspSource(server.url)
    source.open()
    frames = [source.read() for _ in range(3)]
    assert all(looks_right(frame) for frame in frames)
    assert [frame.number for frame in frames if frame] == [1, 2, 3]
    source.close()
    source.close()
    assert "SETUP" in server.requests


def test_a_silent_camera_is_noticed_within_about_a_second(server):
    source = RtspSource(server.url)
    source.open()
    assert source.read() is not None
    server.mute()
    with pytest.raises(CameraError, match="gives no pictures"):
        list(iter(source.read, None))
    source.close()


def test_opening_and_reading_have_time_outs_and_use_tcp(monkeypatch):
    asked = []

    def capture(*arguments):
        asked.append((*arguments, os.environ.get(VARIABLE)))

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(cv2, "VideoCapture", capture)
    open_stream("rtsp://10.0.0.9/live")
    ((_, backend, times, options),) = asked
    limits = dict(zip(times[::2], times[1::2], strict=True))
    assert backend == cv2.CAP_FFMPEG
    assert limits[cv2.CAP_PROP_READ_TIMEOUT_MSEC] <= 1000
    assert limits[cv2.CAP_PROP_OPEN_TIMEOUT_MSEC] <= 5000
    assert "rtsp_transport;tcp" in options
    assert VARIABLE not in os.environ


def test_a_camera_that_hung_up_is_connected_again(server):
    feed = NewestFeed()
    watched = Supervisor(RtspSource(server.url), feed, HandClock())
    watched.step()
    watched.step()
    assert feed.get(0) is not None
    server.hang_up()
    while watched.check(0) is None:
        watched.step()
    feed.get(0)
    assert watched.losses == 1
    watched.step()
    watched.step()
    assert watched.check(0) is None
    assert feed.get(0) is not None
    assert server.requests.count("PLAY") == 2
    watched.close()


def test_user_and_password_come_from_a_file(guarded, tmp_path):
    source = RtspSource(guarded.url, credentials(tmp_path, USER, PASSWORD))
    source.open()
    assert looks_right(source.read())
    source.close()


def test_a_wrong_password_is_an_error_that_does_not_tell_it(guarded, tmp_path, capfd):
    source = RtspSource(guarded.url, credentials(tmp_path, USER, "very-secret"))
    with pytest.raises(CameraError) as refused:
        source.open()
    said = str(refused.value) + refused.value.hint + "".join(capfd.readouterr())
    assert "very-secret" not in said
    assert "user and password" in refused.value.hint
    assert "very-secret" not in str(source.view())


def test_changed_credentials_are_read_at_the_next_opening(tmp_path):
    urls: list[str] = []

    def opener(url: str) -> ScriptedCapture:
        urls.append(url)
        return ScriptedCapture([PHOTO])

    file = credentials(tmp_path, "one", "a/b")
    source = RtspSource("rtsp://10.0.0.9:554/live", file, opener=opener)
    source.open()
    credentials(tmp_path, "two", "c")
    source.open()
    assert urls == ["rtsp://one:a%2Fb@10.0.0.9:554/live", "rtsp://two:c@10.0.0.9:554/live"]


@pytest.mark.parametrize("lines", [(), ("only-one-line",)])
def test_a_file_without_two_lines_says_what_it_needs(tmp_path, lines):
    source = RtspSource("rtsp://10.0.0.9/live", credentials(tmp_path, *lines))
    with pytest.raises(CameraError, match="two lines") as wrong:
        source.open()
    assert "only-one-line" not in str(wrong.value)


def test_a_missing_credentials_file_is_said(tmp_path):
    with pytest.raises(CameraError, match="cannot be read"):
        RtspSource("rtsp://10.0.0.9/live", tmp_path / "none").open()


def test_a_camera_that_is_not_there_is_an_error(server):
    url = server.url
    server.close()
    with pytest.raises(CameraError, match="cannot be opened"):
        RtspSource(url).open()
