"""The kinds of cameras that can be configured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from edge.config_section import Section
from edge.config_values import FilePath, Milliseconds, Url


class DoubtLimits(Section):
    """When a picture is doubtful. Leave them alone until `camera tune` says otherwise."""

    black_below: float = Field(default=12.0, ge=0, le=255)
    blown_out_above: float = Field(default=0.8, gt=0, le=1)
    blurred_below: float | None = Field(default=None, ge=0)
    frozen_after: int = Field(default=5, ge=2)
    stale_after_ms: Milliseconds = 1000.0


class CameraBase(Section):
    """What all cameras have."""

    roi: tuple[int, int, int, int] | None = None
    rotate: Literal[0, 90, 180, 270] = 0
    doubts: DoubtLimits = DoubtLimits()

    @field_validator("roi")
    @classmethod
    def _roi(cls, roi: tuple[int, int, int, int] | None) -> tuple[int, int, int, int] | None:
        if roi is not None and (min(roi[:2]) < 0 or min(roi[2:]) < 1):
            raise ValueError("expected [x, y, width, height], x and y from 0, the others from 1")
        return roi


class SyntheticCamera(CameraBase):
    """The simulated line. `parts_per_second: 0` gives parts as fast as they are asked for."""

    source: Literal["synthetic"]
    width: int = Field(default=640, ge=64, le=8192)
    height: int = Field(default=480, ge=64, le=8192)
    seed: int = Field(default=1, ge=0)
    parts_per_second: float = Field(default=5.0, ge=0)
    defect_rate: float = Field(default=0.05, ge=0, le=1)
    drift: float = 0.0
    empty_every: int = Field(default=0, ge=0)
    limit: int | None = Field(default=None, ge=1)


class FolderCamera(CameraBase):
    """Pictures in a folder, in order of their names."""

    source: Literal["folder"]
    path: FilePath
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)
    label_from_folder: bool = False
    loop: bool = False


class VideoCamera(CameraBase):
    """A video file, every picture of it."""

    source: Literal["video"]
    path: FilePath
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)


class V4l2Camera(CameraBase):
    """A camera at this machine (`edge-inspect camera list` prints what to write here)."""

    source: Literal["v4l2"]
    device: Path
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)
    pixel_format: Annotated[str, Field(pattern=r"^.{4}$")] | None = None
    frames_per_second: float | None = Field(default=None, gt=0)
    controls: dict[str, int] = Field(default_factory=dict)


class RtspCamera(CameraBase):
    """A network camera. User and password are the two lines of `credentials_file`."""

    source: Literal["rtsp"]
    url: Annotated[Url, Field(pattern=r"^rtsps?://[^\s]+$")]
    credentials_file: FilePath | None = None
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)


Camera = Annotated[
    SyntheticCamera | FolderCamera | VideoCamera | V4l2Camera | RtspCamera,
    Field(discriminator="source"),
]
