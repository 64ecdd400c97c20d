"""From the camera section to a source, and back to its view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from camera.folder import FolderSource
from camera.frame import Roi
from camera.rtsp import RtspSource
from camera.synthetic import SyntheticSource
from camera.v4l2 import V4l2Source
from camera.video import VideoSource
from edge import cameras
from edge.config import Config
from edge.config_file import parse


def config(camera: str) -> Config:
    text = (
        "station: {site: a, line: b, name: c}\nstate_dir: /s\nmodel: {bundle: '@rings'}\n"
        f"camera: {camera}\n"
    )
    return parse(text.encode(), Path("/c.yaml"))


SOURCES: list[tuple[str, Any, bool]] = [
    ("{source: synthetic, parts_per_second: 5}", SyntheticSource, True),
    ("{source: synthetic, parts_per_second: 0}", SyntheticSource, False),
    ("{source: folder, path: p}", FolderSource, False),
    ("{source: video, path: p}", VideoSource, False),
    ("{source: v4l2, device: /dev/video0}", V4l2Source, True),
    ("{source: rtsp, url: 'rtsp://10.0.0.7/live'}", RtspSource, True),
]


@pytest.mark.parametrize(("camera", "kind", "live"), SOURCES)
def test_each_section_has_its_source(camera: str, kind: type, live: bool) -> None:
    source = cameras.source(config(camera).camera)
    assert isinstance(source, kind)
    assert source.live == live  # type: ignore[attr-defined]


def view(camera: str) -> str:
    made = config(camera)
    return cameras.view(made, cameras.source(made.camera))


def test_equal_configurations_have_equal_views() -> None:
    assert view("{source: synthetic, seed: 3}") == view("{seed: 3, source: synthetic}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{source: synthetic}", "{source: synthetic, roi: [0, 0, 64, 64]}"),
        ("{source: synthetic}", "{source: synthetic, rotate: 90}"),
        ("{source: synthetic}", "{source: synthetic, width: 320}"),
        ("{source: folder, path: a}", "{source: folder, path: b}"),
        ("{source: v4l2, device: /dev/video0}", "{source: v4l2, device: /dev/video1}"),
        (
            "{source: v4l2, device: /d, controls: {gain: 1}}",
            "{source: v4l2, device: /d, controls: {gain: 2}}",
        ),
        ("{source: rtsp, url: 'rtsp://a/b'}", "{source: rtsp, url: 'rtsp://a/c'}"),
    ],
)
def test_whatever_changes_the_picture_changes_the_view(one: str, other: str) -> None:
    assert view(one) != view(other)


def test_doubts_do_not_change_the_view() -> None:
    assert view("{source: synthetic}") == view("{source: synthetic, doubts: {black_below: 5}}")


def test_size_and_region() -> None:
    camera = config("{source: folder, path: a, width: 64, height: 48, roi: [1, 2, 3, 4]}").camera
    assert cameras.expected_size(camera) == (64, 48)
    assert cameras.roi(camera) == Roi(1, 2, 3, 4)
    assert cameras.expected_size(config("{source: folder, path: a, width: 64}").camera) is None
    assert cameras.roi(config("{source: synthetic}").camera) is None
