"""`edge-inspect model`: make bundles, look at them, prove them; a station's models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.cli import comparing, modelling
from edge.cli.options import BY_HELP, ConfigOption, JsonOption

app = typer.Typer(
    no_args_is_help=True, help="Models: wrap, look at, prove, install, compare, promote, go back."
)

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
    lineage: Annotated[
        Path | None,
        typer.Option(
            help="YAML or JSON: parent, data_hash, data, training, metrics.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
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
    wrapping.wrap(file, out, wishes, wrapping.Naming(name, version, lineage), try_dir)


@app.command()
def confirm(
    bundle: BundleArgument,
    by: Annotated[str, typer.Option("--by", help=BY_HELP)],
) -> None:
    """Vouch for what was guessed, so that the bundle may decide."""
    import time

    from edge.cli.errors import fail, say
    from edge.cli.naming import bundle_at
    from edge.records import utc
    from inference.bundle import BundleError
    from inference.bundle import confirm as confirm_bundle

    loaded = bundle_at(bundle)
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
        typer.Argument(help="Where to look; else at the station, and where its bundle is."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print the bundles that ship with this, those in a folder, and the station's own.

    Its own are what is configured (factory) and what is in its slots a and b, each with what it is
    for now, and what was refused here.
    """
    import json as json_module

    from edge.cli import bundles, models_text

    rows = bundles.rows(folder, config)
    if folder is None:
        rows += models_text.own_rows(config)
    for row in rows:
        typer.echo(json_module.dumps(row) if json else bundles.line(row))


@app.command()
def show(
    bundle: Annotated[
        str | None,
        typer.Argument(
            help="A bundle's folder or zip, @NAME, or active|candidate|previous|factory|a|b. "
            "Without one: how this station stands.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print what a bundle says of itself, how it knows, and the chain back to the data; or, without
    one, which models this station has and how far a candidate is."""
    import json as json_module

    from edge.cli import bundles, models_text
    from edge.cli.naming import bundle_at, own_bundle, own_word
    from edge.config_file import load

    if bundle is None:
        standing = models_text.standing(load(config))
        typer.echo(json_module.dumps(standing) if json else models_text.text(standing))
        return
    found = own_bundle(load(config), bundle)[0] if own_word(bundle) else bundle_at(bundle)
    content = bundles.content(found) | {"chain": models_text.chain(found, config)}
    if json:
        typer.echo(json_module.dumps(content, default=str))
        return
    typer.echo(bundles.text(content))
    typer.echo("\n".join(models_text.chain_lines(content["chain"])))


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


app.command()(modelling.install)
app.command()(modelling.promote)
app.command()(modelling.rollback)
app.command()(modelling.cancel)
app.command()(comparing.compare)
