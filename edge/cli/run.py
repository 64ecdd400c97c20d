"""`edge-inspect run`: the line service."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from edge.cli.options import ConfigOption


def run(
    config: ConfigOption = None,
    parts: Annotated[
        int | None,
        typer.Option("--parts", min=1, help="End after this many inspections are committed."),
    ] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print each record on standard output once it is committed."),
    ] = False,
    decisions: Annotated[
        bool,
        typer.Option("--decisions", help="Print each decision as a JSON line the moment it falls."),
    ] = False,
) -> None:
    """Run the line: camera → model → decision → record.

    A camera or broker that is not there does not stop it: it starts, alarms, escalates and tries
    again. A folder or a video that ends, ends the run. Ctrl-C or SIGTERM finishes what is under
    way and exits 0; a second one ends at once with 130.
    """
    from edge.cli.errors import USAGE, fail, say
    from edge.config_file import load
    from edge.wiring import Told, build

    if json and decisions:
        fail("--json and --decisions both want standard output; choose one", code=USAGE)
    settings = load(config)
    told = Told(sys.stdout if json else None, sys.stdout if decisions else None)
    line = build(settings, most=parts, told=told)
    line.handle_signals()
    if sys.stderr.isatty():
        # a person started it: from here on nothing is said while all is well
        say(f"{settings.station.path}: records in {settings.state_dir}; Ctrl-C ends it")
        say("in another terminal: `edge-inspect status`, `edge-inspect results`")
    raise typer.Exit(line.run())
