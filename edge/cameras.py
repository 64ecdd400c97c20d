"""From the camera section of the configuration to a source of pictures, and back to its view."""

from __future__ import annotations

import hashlib
import json

from camera.frame import Roi
from camera.source import Clock, Source
from camera.supervised import STALL_S
from edge.config import Config
from edge.config_cameras import (
    CameraBase,
    FolderCamera,
    RtspCamera,
    SyntheticCamera,
    V4l2Camera,
    VideoCamera,
)


def source(camera: CameraBase) -> Source:
    """The source that the section describes, not yet opened."""
    if isinstance(camera, SyntheticCamera):
        return _synthetic(camera)
    if isinstance(camera, FolderCamera):
        from camera.folder import FolderSource

        return FolderSource(camera.path, camera.label_from_folder, camera.loop, Clock())
    if isinstance(camera, VideoCamera):
        from camera.video import VideoSource

        return VideoSource(camera.path)
    if isinstance(camera, V4l2Camera):
        from camera.v4l2 import V4l2Source

        return V4l2Source(
            camera.device,
            width=camera.width,
            height=camera.height,
            pixel_format=camera.pixel_format,
            fps=camera.frames_per_second,
            controls=camera.controls,
        )
    assert isinstance(camera, RtspCamera)
    from camera.rtsp import RtspSource

    return RtspSource(camera.url, credentials_file=camera.credentials_file)


def _synthetic(camera: SyntheticCamera) -> Source:
    from camera.synthetic import SyntheticOptions, SyntheticSource

    return SyntheticSource(
        SyntheticOptions(
            seed=camera.seed,
            width=camera.width,
            height=camera.height,
            parts_per_second=camera.parts_per_second,
            defect_rate=camera.defect_rate,
            drift=camera.drift,
            empty_every=camera.empty_every,
            limit=camera.limit,
        )
    )


def expected_size(camera: CameraBase) -> tuple[int, int] | None:
    """Width and height that pictures must have; None where the configuration does not say."""
    width, height = getattr(camera, "width", None), getattr(camera, "height", None)
    return None if width is None or height is None else (width, height)


def stall_s(camera: CameraBase) -> float:
    """How long without a picture is too long: a slow simulated line is not a stalled camera."""
    if isinstance(camera, SyntheticCamera) and camera.parts_per_second > 0:
        return STALL_S + 1 / camera.parts_per_second
    return STALL_S


def roi(camera: CameraBase) -> Roi | None:
    """The region of interest; None for the whole picture."""
    return None if camera.roi is None else Roi(*camera.roi)


def view(config: Config, opened: Source) -> str:
    """The digest of everything configured that changes the picture."""
    camera = config.camera
    seen = {"source": opened.view(), "roi": camera.roi, "rotate": camera.rotate}
    text = json.dumps(seen, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
