"""`edge-inspect fleet status`: where every station stands with its models."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.errors import CHECK_FAILED, USAGE, fail
from edge.cli.fleet_options import DatabaseOption
from edge.cli.options import JsonOption

if TYPE_CHECKING:
    from sync.fleet.database import Database
    from sync.fleet.overview import Overview

EVERY_S = 1.0
CLEAR = "\x1b[H\x1b[2J"


def status(
    database: DatabaseOption,
    station: Annotated[
        list[str] | None,
        typer.Option("--station", help="Only these; SITE/LINE/STATION with * and ?; repeatable."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again and again, until interrupted.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Also roll-outs that are over, however long ago.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Print roll-outs and stations: what each should run, runs and tries, how far it is, what it
    refuses and why, since when it is away. Exit 4: a roll-out is paused, a station in trouble, or
    the fleet's signed documents end.
    """
    from edge.cli.fleeting import central_errors, reading
    from sync.fleet.plan import Plan, PlanError, check

    targets = tuple(station or ())
    if targets:
        try:
            check(Plan(targets))
        except PlanError as error:
            fail(str(error), code=USAGE)
    with central_errors(), reading(database) as central:
        if watch:
            show_again(lambda: _text(central, _look(central, targets, every), json))
            return
        found = _look(central, targets, every)
        typer.echo(_text(central, found, json))
    paused = any(one.state == "paused" for one in found.courses)
    if paused or found.troubles or any(one.in_trouble for one in found.stations):
        raise typer.Exit(CHECK_FAILED)


def show_again(
    text: Callable[[], str],
    terminal: bool | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Print a text whenever it has changed, on a terminal in place of the one before, until
    interrupted."""
    import sys

    inplace = sys.stdout.isatty() if terminal is None else terminal
    try:
        for changed in _changes(text, pause):
            typer.echo(f"{CLEAR}{changed}" if inplace else changed)
    except KeyboardInterrupt:
        return


def _changes(text: Callable[[], str], pause: Callable[[float], None]) -> Iterator[str]:
    shown = None
    while True:
        found = text()
        if found != shown:
            shown = found
            yield found
        pause(EVERY_S)


def _look(central: Database, targets: tuple[str, ...], every: bool) -> Overview:
    from sync.fleet.overview import overview

    with central.transaction() as connection:
        return overview(connection, time.time(), targets, every)


def _text(central: Database, found: Overview, json: bool) -> str:
    import json as json_module

    from edge.cli.standing_text import as_json, lines

    if json:
        return json_module.dumps(as_json(central.store, found))
    return "\n".join(lines(found))
