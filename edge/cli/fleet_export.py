"""`edge-inspect fleet export`: labelled pictures of all stations, for training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from edge.cli.errors import CHECK_FAILED, USAGE, fail, say
from edge.cli.options import JsonOption

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--database",
        help="sqlite:///FILE or postgresql://USER@HOST/NAME.",
        envvar="EDGE_INSPECT_FLEET_DATABASE",
        show_default=False,
    ),
]


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or an earlier export.")],
    database: DatabaseOption,
    stations: Annotated[
        list[str] | None,
        typer.Option("--from", help="Stations such as 'plant-a/*/*'; may be repeated.  [all]"),
    ] = None,
    split: Annotated[str, typer.Option(help="Train, calibration, test, in percent.")] = "70/15/15",
    since: Annotated[
        str | None, typer.Option(help="Pictures from then on: 12h, 7d, 2026-11-20. Times are UTC.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Pictures before then.")] = None,
    with_part_basis: Annotated[
        bool,
        typer.Option("--with-part-basis", help="Rows for labels of the part in hand, no picture."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")] = False,
    json: JsonOption = False,
) -> None:
    """Write the collected pictures that persons have labelled as folders, with a table.

    The layout is that of `edge-inspect export`. A part's split follows from its name, so that it is
    the same in every export. Pictures come where stations send them (sync.images). Exits 4 where
    there is nothing to export.
    """
    import time

    from edge.cli.fleeting import central_errors, reading
    from edge.cli.progress import progress
    from edge.records import utc
    from edge.store.errors import StoreError

    with central_errors():
        from edge.review.fleet_exporting import export_fleet

        wishes = _wishes(out, stations, split, since, until, with_part_basis, dry_run)
        with reading(database) as central, progress("pictures") as tell:
            try:
                done = export_fleet(central, wishes, utc(time.time()), tell)
            except StoreError as error:
                fail(str(error), error.hint, USAGE)
            except OSError as error:
                fail(f"{out} cannot be written: {error}", "give another OUT")
    _tell(done, json, dry_run)


def _wishes(
    out: Path,
    stations: list[str] | None,
    split: str,
    since: str | None,
    until: str | None,
    with_part_basis: bool,
    dry_run: bool,
) -> Any:
    from edge.review.dataset import Wanted
    from edge.review.fleet_exporting import Wishes
    from edge.review.split import parse_shares

    try:
        shares = parse_shares(split)
    except ValueError as error:
        fail(f"--split {error}", code=USAGE)
    times = _time("--since", since), _time("--until", until)
    wanted = Wanted(*times, part_basis=with_part_basis)
    return Wishes(out, wanted, tuple(stations or ("*",)), shares, dry_run)


def _time(option: str, text: str | None) -> str | None:
    import time
    from zoneinfo import ZoneInfo

    from edge.cli.since import parse_since

    try:
        return None if text is None else parse_since(text, time.time(), ZoneInfo("UTC"))
    except ValueError as error:
        fail(f"{option} {error}", code=USAGE)


def _tell(done: dict[str, Any], json: bool, dry_run: bool) -> None:
    import json as json_module

    from edge.cli.exporting import in_words

    if json:
        typer.echo(json_module.dumps({**done, "dry_run": dry_run}))
    else:
        for line in in_words(done):
            typer.echo(line)
    if not done["rows"]:
        say("there is nothing to export")
        raise typer.Exit(CHECK_FAILED)
    if dry_run:
        say("a dry run: nothing is written")
