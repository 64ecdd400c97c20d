"""`edge-inspect model`: make a bundle of a model file, look at bundles, confirm and prove them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.options import BY_HELP, ConfigOption, JsonOption

if TYPE_CHECKING:
    from inference.bundle import Bundle

app = typer.Typer(no_args_is_help=True, help="Bundles: wrap a model, look at it, prove it.")

BundleArgument = Annotated[
    str, typer.Argument(help="A bundle's folder or zip, or @NAME for one that ships with this.")
]


@app.command()
def wrap(
    file: Annotated[Path, typer.Argument(help="The .tflite file.", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option("--out", help="The folder to make.", show_default=False)],
    labels: Annotated[
        Path | None,
        typer.Option(help="Names of the classes, a line each.", exists=True, dir_okay=False),
    ] = None,
    good: Annotated[
        list[str] | None, typer.Option(help="A label that means a good part; may be repeated.")
    ] = None,
    defect: Annotated[
        list[str] | None, typer.Option(help="A label that means a defect; may be repeated.")
    ] = None,
    other: Annotated[
        list[str] | None, typer.Option(help="A label that means no part (background, empty).")
    ] = None,
    rest: Annotated[
        str | None, typer.Option(help="What labels mean that are not named: good|defect|other.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Who made it: teachable-machine|automl|keras.")
    ] = None,
    colour: Annotated[str | None, typer.Option(help="Order of the channels: rgb|bgr|grey.")] = None,
    scale: Annotated[
        str | None,
        typer.Option(help="What pixels become: raw|0..1|-1..1|0..255|imagenet|caffe|MEAN/STD."),
    ] = None,
    resize: Annotated[
        str | None, typer.Option(help="How it shrinks: area|linear|cubic|nearest.")
    ] = None,
    fit: Annotated[
        str | None, typer.Option(help="How it fits the proportions: stretch|crop|pad.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the bundle, else the file's.")] = None,
    version: Annotated[str, typer.Option(help="major.minor.pipeline")] = "1.0.0",
    try_dir: Annotated[
        Path | None,
        typer.Option(
            "--try",
            help="Pictures in good/ and defect/: try every way of preparing them.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
) -> None:
    """Make a bundle of a TFLite classifier, and say what was read, given or guessed."""
    from edge.cli import wrapping

    choices = {"rest": rest, "preset": preset, "colour": colour, "resize": resize, "fit": fit}
    wishes = wrapping.wishes(choices, scale, labels, good or [], defect or [], other or [])
    wrapping.wrap(file, out, wishes, name, version, try_dir)


@app.command()
def confirm(
    bundle: BundleArgument,
    by: Annotated[str, typer.Option("--by", help=BY_HELP)],
) -> None:
    """Vouch for what was guessed, so that the bundle may decide."""
    import time

    from edge.cli.errors import fail, say
    from edge.records import utc
    from inference.bundle import BundleError
    from inference.bundle import confirm as confirm_bundle

    loaded = _load(bundle)
    if not loaded.manifest.guessed:
        say(f"{loaded.name} {loaded.version}: nothing in it is guessed")
        return
    try:
        confirm_bundle(loaded, by, utc(time.time()))
    except BundleError as error:
        fail(str(error), error.hint)
    say(f"{loaded.name} {loaded.version}: {by} vouches for {', '.join(loaded.manifest.guessed)}")


@app.command("list")
def list_bundles(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where to look; else where the configured bundle is."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print the bundles that ship with this and those in a folder."""
    import json as json_module

    from edge.cli import bundles

    for row in bundles.rows(folder, config):
        typer.echo(json_module.dumps(row) if json else bundles.line(row))


@app.command()
def show(bundle: BundleArgument, json: JsonOption = False) -> None:
    """Print what a bundle says of itself, and how it knows."""
    import json as json_module

    from edge.cli import bundles

    content = bundles.content(_load(bundle))
    typer.echo(json_module.dumps(content) if json else bundles.text(content))


@app.command()
def prove(
    bundle: BundleArgument,
    json: JsonOption = False,
    max_ms: Annotated[
        float, typer.Option(help="Slowest inference allowed; 0: the bundle's own deadline.")
    ] = 0.0,
    max_mb: Annotated[float, typer.Option(help="Most memory allowed.")] = 512.0,
) -> None:
    """Run a bundle on this machine: does it load, fit, answer as expected, and fast enough?

    Ends with exit code 4 when it does not.
    """
    from edge.cli import proving

    proving.run(bundle, max_ms, max_mb, json)


def _load(name: str) -> Bundle:
    """The bundle of this name or path; ends the command with words where there is none."""
    import models
    from edge import __version__
    from edge.cli.errors import FAILED, USAGE, fail
    from inference.bundle import BundleError, load

    try:
        return load(models.path(name) if name.startswith("@") else Path(name), __version__)
    except models.NoSuchBundle as error:
        fail(str(error), "edge-inspect model list", USAGE)
    except BundleError as error:
        fail(str(error), error.hint, USAGE if error.code == "missing" else FAILED)
