"""The command `edge-inspect`: every command and group, one file each."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from edge import __version__
from edge.cli import (
    automation,
    calibrate,
    calibration,
    camera,
    challenge,
    check,
    config,
    demo,
    evaluate,
    explain,
    export,
    fleet,
    init,
    model,
    queue,
    results,
    run,
    score,
    status,
    sync,
    web,
)
from edge.cli.errors import INTERRUPTED
from edge.cli.errors import explain as say_error

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Inspect parts with a camera and a TFLite model: accept, reject, or ask a person.\n\n"
    "New here? `edge-inspect demo` shows everything on a simulated line; "
    "`edge-inspect init` writes a configuration for your own camera.",
)

app.command("init", rich_help_panel="Begin")(init.init)
app.command("demo")(demo.demo)
app.command("check")(check.check)
app.add_typer(camera.app, name="camera")
app.add_typer(model.app, name="model")
app.add_typer(config.app, name="config")
app.command("run")(run.run)
app.command("sync")(sync.sync)
app.add_typer(web.app, name="web")
app.command("status")(status.status)
app.add_typer(automation.app, name="automation")
app.add_typer(challenge.app, name="challenge")
app.add_typer(queue.app, name="queue")
app.command("calibrate")(calibrate.calibrate)
app.add_typer(calibration.app, name="calibration")
app.command("results")(results.results)
app.command("explain")(explain.explain)
app.command("evaluate")(evaluate.evaluate)
app.add_typer(fleet.app, name="fleet")
app.command("score")(score.score)
app.command("export")(export.export)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edge-inspect {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point: run the command, turn errors into words and an exit code."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        sys.exit(say_error(error))
