"""`edge-inspect camera`: what is plugged in, one picture, focus and light, labelled pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from camera.frame import Frame
    from edge.config import Config
    from edge.viewing import Viewer

app = typer.Typer(no_args_is_help=True, help="Set up the camera: list, look, focus, capture.")

WITHIN_S = 5.0


@app.command("list")
def list_cameras(json: JsonOption = False) -> None:
    """Print the cameras at this machine, as YAML to paste into the configuration."""
    import json as json_module

    from camera.listing import devices
    from edge.cli.errors import say
    from edge.cli.pasting import as_json, as_yaml

    found = devices()
    if json:
        typer.echo(json_module.dumps([as_json(device) for device in found]))
        return
    for device in found:
        typer.echo(as_yaml(device))
    if not found:
        say("no camera is plugged in here; folder, video, rtsp and synthetic need none")


@app.command()
def snapshot(
    out: Annotated[Path, typer.Argument(help="The picture to write: .jpg or .png.")],
    config: ConfigOption = None,
) -> None:
    """Write one picture as the camera sees it now, with the region of interest drawn."""
    from edge.cli.errors import USAGE, fail, say
    from edge.config_file import load
    from edge.snapshot import drawn, encoded
    from edge.viewing import viewer

    if out.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        fail(f"{out}: the name must end in .jpg or .png", code=USAGE)
    settings = load(config)
    with viewer(settings) as camera:
        frame = _take(camera)
    assert frame.image is not None
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(encoded(drawn(frame.image, settings.camera), out.suffix))
    height, width = frame.image.shape[:2]
    say(f"{out}: {width} × {height}" + (", from the running line" if camera.from_line else ""))
    _say_doubts(frame, settings)


@app.command()
def tune(
    config: ConfigOption = None,
    json: JsonOption = False,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="End after this many pictures.")
    ] = None,
) -> None:
    """Show sharpness, brightness, clipping, frame rate and latency until Ctrl-C.

    Turn the lens until the bar is full, then the light until nothing is clipped.
    """
    import json as json_module
    import sys
    import time

    from edge import cameras
    from edge.config_file import load
    from edge.snapshot import limits
    from edge.tuning import Tuner, line
    from edge.viewing import viewer

    settings = load(config)
    tuner = Tuner(cameras.roi(settings.camera), limits(settings.camera))
    live = sys.stdout.isatty() and not json
    try:
        with viewer(settings) as camera:
            for frame in _frames(camera, count):
                reading = tuner.read(frame, time.monotonic_ns())
                if reading is None:
                    typer.echo("a damaged picture", err=True)
                elif json:
                    typer.echo(json_module.dumps(reading.as_json()))
                else:
                    typer.echo(("\r\x1b[K" if live else "") + line(reading), nl=not live)
    except KeyboardInterrupt:
        pass
    if live:
        typer.echo()


@app.command()
def capture(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the pictures go.")],
    label: Annotated[str, typer.Option("--label", help="good, or defect/TYPE (a-z 0-9 _ -).")],
    config: ConfigOption = None,
    count: Annotated[
        int | None,
        typer.Option("--count", min=1, help="Take this many without asking. Default on a pipe: 1."),
    ] = None,
    every_s: Annotated[
        float, typer.Option("--every-s", min=0.0, help="Seconds between two, with --count.")
    ] = 0.0,
) -> None:
    """Take labelled pictures for training and calibration: full size, each with its view beside it.

    On a terminal it takes one each time you press Enter, so that each shows another part.
    """
    from edge import cameras
    from edge.capturing import LABEL
    from edge.capturing import capture as write
    from edge.cli.errors import USAGE, fail, say
    from edge.config_file import load
    from edge.viewing import viewer

    if not LABEL.match(label):
        fail(f"{label!r} is no label", "say good, or defect/TYPE such as defect/scratch", USAGE)
    settings = load(config)
    view = cameras.view(settings, cameras.source(settings.camera))
    taken = 0
    with viewer(settings, whole=True) as camera:
        for _ in _turns(count, every_s):
            if taken and camera.ended:
                break
            frame = _take(camera)
            typer.echo(str(write(frame, label, folder, settings, view).picture))
            _say_doubts(frame, settings)
            taken += 1
    say(f"{taken} labelled {label}")


def _frames(camera: Viewer, count: int | None) -> Iterator[Frame]:
    """Pictures as they come; says on standard error why none do."""
    from edge.cli.errors import say

    given, said = 0, None
    while not camera.ended and given != count:
        frame = camera.next(2.0)
        if frame is not None:
            given += 1
            yield frame
        elif camera.trouble != said:
            said = camera.trouble
            say(said or "")


def _take(camera: Viewer) -> Frame:
    """A picture taken now; ends the command when there is none."""
    from edge.cli.errors import fail

    frame = camera.fresh(WITHIN_S)
    if frame is None:
        fail(camera.trouble or "there are no more pictures", "`edge-inspect check` looks closer")
    if frame.image is None:
        names = ", ".join(doubt.name for doubt in frame.doubts)
        fail(f"the camera gave a picture that cannot be decoded ({names})")
    return frame


def _say_doubts(frame: Frame, settings: Config) -> None:
    from edge.cli.errors import say
    from edge.snapshot import doubts_of

    for name in doubts_of(frame, settings):
        say(f"  doubt: {name}")


def _turns(count: int | None, every_s: float) -> Iterator[None]:
    """One for each picture to take: counted, or each time a person presses Enter."""
    import sys
    import time

    from edge.cli.errors import say

    if count is not None or not sys.stdin.isatty():
        for turn in range(count or 1):
            if turn and every_s:
                time.sleep(every_s)
            yield
        return
    say("Enter takes a picture; Ctrl-D ends.")
    while sys.stdin.readline():
        yield
