"""`edge-inspect results`: the inspections, and whether they are still as they were recorded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.errors import CHECK_FAILED, USAGE, fail, say
from edge.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from edge.config import Config
    from edge.recovery.history import History
    from edge.store.rows import Row

PAGE = 500


class DecisionName(str, Enum):
    """What can be decided about a part."""

    accept = "accept"
    reject = "reject"
    escalate = "escalate"


def results(
    since: Annotated[
        str | None,
        typer.Option(help="Only from then on: 90m, 12h, 7d, today, 2026-11-20, 2026-11-20T13:00."),
    ] = None,
    decision: Annotated[DecisionName | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the newest.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="No limit.")] = False,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="A table for other programs.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the whole chain and every picture instead.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Show inspections, newest last. Works with the line running or stopped.

    With --verify: exit 4 when a record or a picture is not as it was recorded.
    """
    from edge.cli.reading import records

    if csv and (json or verify):
        fail("--csv goes with neither --json nor --verify", code=USAGE)
    with records(config) as (settings, archive):
        if verify:
            _verify(settings, archive, json)
            return
        if archive.epoch is None:
            say(f"no records yet: {archive.path} appears when the line first runs")
        start = None if since is None else _since(since, settings)
        chosen = None if decision is None else decision.value
        rows = _all(archive, start, chosen) if everything else None
        _print(settings, archive, rows or iter(archive.newest(limit, start, chosen)), json, csv)


def _since(text: str, settings: Config) -> str:
    import time
    from zoneinfo import ZoneInfo

    from edge.cli.since import parse_since

    try:
        return parse_since(text, time.time(), ZoneInfo(settings.station.time_zone))
    except ValueError as error:
        fail(f"--since {error}", code=USAGE)


def _all(archive: History, since: str | None, decision: str | None) -> Iterator[Row]:
    for one in (*archive.earlier, archive):
        seq = 0
        while page := one.inspections(seq, PAGE, since, decision):
            yield from page
            seq = page[-1].seq


def _print(settings: Config, archive: History, rows: Iterator[Row], json: bool, csv: bool) -> None:
    from edge.cli.reading import as_json
    from edge.cli.table import csv_lines, table_lines

    lines: Iterator[str]
    if json:
        lines = (as_json(archive, row) for row in rows)
    elif csv:
        lines = csv_lines(archive, rows)
    else:
        lines = table_lines(archive, rows, settings.station.time_zone, _colours())
    said = False
    for line in lines:
        typer.echo(line)
        said = True
    if not said and archive.epoch is not None:
        say("no such inspection")


def _colours() -> bool:
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _verify(settings: Config, archive: History, json: bool) -> None:
    import json as json_module

    from edge.cli.verifying import as_json, in_words, progress_on, saved_as_json, saved_in_words
    from edge.recovery.verify_saved import unsaved, verify_saved
    from edge.store.verify import verify

    finding = verify(archive, settings.state_dir, progress_on(sys.stderr))
    saved, waiting = verify_saved(settings.state_dir), unsaved(settings.state_dir)
    whole = all(one.complete for one in saved) and not waiting
    sound = finding.epoch is not None and finding.sound and whole
    if json:
        told = as_json(finding) | {"sound": sound} | saved_as_json(saved, waiting)
        typer.echo(json_module.dumps(told))
    else:
        lines = in_words(finding) if finding.epoch is not None else iter(())
        for line in (*lines, *saved_in_words(saved, waiting)):
            typer.echo(line)
    if finding.epoch is None:
        say(f"there is nothing to verify: {archive.path} holds no records")
    if not sound:
        raise typer.Exit(CHECK_FAILED)
