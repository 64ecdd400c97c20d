"""`edge-inspect init`: a small, commented, working configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.errors import USAGE, fail, say

CAMERAS = {
    "synthetic": "source: synthetic        # a simulated line; good for a first look\n"
    "  parts_per_second: 2      # 0: as fast as they are asked for\n"
    "  seed: 1",
    "folder": "source: folder           # pictures in order of their names\n"
    "  path: {value}\n"
    "  label_from_folder: true  # good/…, defect/TYPE/…: kept as the truth",
    "video": "source: video            # a video file, every picture of it\n  path: {value}",
    "v4l2": "source: v4l2             # `edge-inspect camera list` prints these lines\n"
    "  device: {value}\n"
    "  width: 1280\n"
    "  height: 720",
    "rtsp": "source: rtsp             # a network camera\n"
    "  url: {value}\n"
    "  # credentials_file: camera-login   # two lines: user, password",
}

TEXT = """\
# Edge Inspect: one station. `edge-inspect config check` reads it, `config show` prints everything
# with defaults, docs/configuration.md explains every key.
station: {{site: my-plant, line: line-1, name: station-1, time_zone: UTC}}
state_dir: {state_dir}

camera:
  {camera}
  # roi: [100, 80, 400, 400]        # x, y, width, height in pixels; `camera snapshot` draws it

# Which pictures are parts: every one (continuous), or one each so many milliseconds (interval).
trigger: {trigger}

# A folder made by `edge-inspect model wrap`, or a shipped one by its name with an @.
model: {{bundle: "{model}"}}

decision:
  # human_only < shadow < assist < partial < full. In shadow the model answers and people decide:
  # the place to begin. The model decides (partial) only with a calibration for this very station.
  automation: shadow

# A part that waits for a person this long gets the fall-back: hold or reject, never accept.
escalation: {{deadline_s: 60, fallback: hold}}

# storage: {{images: escalated+rejected+random}}
# sync: {{broker: "mqtt://127.0.0.1:1883"}}       # without it nothing leaves this machine
"""


def init(
    camera: Annotated[
        str,
        typer.Option(
            "--camera",
            help="synthetic, a folder of pictures, a video file, a device such as "
            "/dev/v4l/by-id/…, or rtsp://…",
        ),
    ] = "synthetic",
    model: Annotated[
        str, typer.Option("--model", help="A bundle's folder, or @NAME of a shipped one.")
    ] = "@rings",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The file to write. Default: ./edge-inspect.yaml, for root "
            "/etc/edge-inspect/config.yaml.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a small, commented, working configuration. Never overwrites one."""
    root = os.geteuid() == 0 and out is None and Path("/run/systemd/system").is_dir()
    place = Path("/etc/edge-inspect/config.yaml" if root else "edge-inspect.yaml")
    path = out or place
    kind, value = _camera(camera)
    text = TEXT.format(
        state_dir="/var/lib/edge-inspect" if root else "edge-inspect-state",
        camera=CAMERAS[kind].format(value=value),
        trigger="{source: interval, every_ms: 1000}" if kind in ("v4l2", "rtsp") else _EVERY,
        model=model if model.startswith("@") else os.path.abspath(model),
    )
    _refuse_what_would_not_load(text, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x") as stream:
            stream.write(text)
    except FileExistsError:
        fail(f"{path} is there already and is left alone", "name another file with --out")
    say(f"wrote {path}")
    more = "" if out is None and not root else f" --config {path}"
    say(f"next: edge-inspect check{more}, then edge-inspect run{more}")


_EVERY = "{source: continuous}"


def _camera(text: str) -> tuple[str, str]:
    if text == "synthetic":
        return "synthetic", ""
    if text.startswith(("rtsp://", "rtsps://")):
        return "rtsp", text
    path = Path(text)
    if text.startswith("/dev/"):
        return "v4l2", text
    if path.is_dir():
        return "folder", os.path.abspath(path)
    if path.is_file():
        return "video", os.path.abspath(path)
    fail(f"{text} is no folder, file, device or rtsp:// address", code=USAGE)


def _refuse_what_would_not_load(text: str, path: Path) -> None:
    from edge import bundles
    from edge.config_file import parse

    bundles.folder(parse(text.encode(), path).model.bundle)
