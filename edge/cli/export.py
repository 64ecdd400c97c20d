"""`edge-inspect export`: labelled pictures for training, calibration and tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.errors import CHECK_FAILED, USAGE, fail, say
from edge.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from edge.config import Config
    from edge.review.exporting import Report, Wishes
    from edge.review.split import Shares

Since = Annotated[
    str | None,
    typer.Option(help="Pictures from then on: 90m, 12h, 7d, today, 2026-11-20, 2026-11-20T13:00."),
]
Until = Annotated[str | None, typer.Option(help="Pictures before then.")]


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or an earlier export.")],
    split: Annotated[
        str | None,
        typer.Option(help="Train, calibration, test, for new parts.  [as before; 70/15/15]"),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Only what was not exported before.")] = False,
    since: Since = None,
    until: Until = None,
    with_challenge: Annotated[
        bool, typer.Option("--with-challenge", help="Challenge parts too, by their known truth.")
    ] = False,
    with_part_basis: Annotated[
        bool,
        typer.Option("--with-part-basis", help="Rows for labels of the part in hand, no picture."),
    ] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Second names of the stored files instead of copies.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write the pictures that persons have labelled as folders, with a table.

    OUT/train/good, OUT/train/defect/TYPE, the same for calibration and test, labels.csv,
    disputed.csv. All pictures of one part are in the same split, in every export. Exits 4 where
    there is nothing to export.
    """
    from edge.config_file import load
    from edge.review.dataset import Wanted
    from edge.review.exporting import Wishes
    from edge.store.owner import become_owner

    settings = load(config)
    become_owner(settings.state_dir)
    times = _time("--since", since, settings), _time("--until", until, settings)
    wanted = Wanted(*times, challenge=with_challenge, part_basis=with_part_basis)
    report = _run(settings, Wishes(out, wanted, _shares(split), new, link, dry_run))
    _tell(report, json, dry_run)
    if not report.rows:
        say("there is nothing to export")
        raise typer.Exit(CHECK_FAILED)
    if dry_run:
        say("a dry run: nothing is written, and no part was given its split")


def _run(settings: Config, wishes: Wishes) -> Report:
    import sqlite3

    from edge.cli.progress import progress
    from edge.review.exporting import export as work

    _give_way()
    try:
        with progress("answers and pictures") as tell:
            return work(settings, wishes, tell)
    except sqlite3.Error as error:
        fail(f"{settings.state_dir}: {error}", "edge-inspect results --verify")
    except PermissionError as error:
        fail(str(error), f"OUT must be writable for the owner of {settings.state_dir}")


def _give_way() -> None:
    """Reading and writing many pictures is no reason for the line to wait."""
    import os

    os.nice(19)


def _time(option: str, text: str | None, settings: Config) -> str | None:
    import time
    from zoneinfo import ZoneInfo

    from edge.cli.since import parse_since

    if text is None:
        return None
    try:
        return parse_since(text, time.time(), ZoneInfo(settings.station.time_zone))
    except ValueError as error:
        fail(f"{option} {error}", code=USAGE)


def _shares(text: str | None) -> Shares | None:
    from edge.review.split import parse_shares

    try:
        return None if text is None else parse_shares(text)
    except ValueError as error:
        fail(f"--split {error}", code=USAGE)


def _tell(report: Report, json: bool, dry_run: bool) -> None:
    import json as json_module

    from edge.cli.exporting import in_words

    if json:
        typer.echo(json_module.dumps({**report.manifest, "dry_run": dry_run}))
        return
    for line in in_words(report.manifest):
        typer.echo(line)
