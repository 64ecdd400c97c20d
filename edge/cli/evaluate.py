"""`edge-inspect evaluate`: how good the model is, and on which parts it is worst."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.errors import CHECK_FAILED, USAGE, fail, say
from edge.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from edge.evaluating.cases import Cases
    from edge.evaluating.evaluation import Judging


def evaluate(
    dataset: Annotated[
        Path | None,
        typer.Argument(help="Labelled pictures in good/ and defect/TYPE/.", show_default=False),
    ] = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Recorded inspections whose truth is known.")
    ] = False,
    scores: Annotated[
        Path | None,
        typer.Option("--scores", help="A CSV file: score,label, optional type, part and tags."),
    ] = None,
    slices: Annotated[
        list[str] | None,
        typer.Option("--slice", help="Slice by this tag only; again for more. Default: every tag."),
    ] = None,
    accept_below: Annotated[
        float | None, typer.Option(help="Judge by this cut instead of the one in force.")
    ] = None,
    reject_above: Annotated[float | None, typer.Option(help="The other cut.")] = None,
    confidence: Annotated[float, typer.Option(help="Of every interval.")] = 0.95,
    since: Annotated[
        str | None, typer.Option(help="With --recorded: 90m, 12h, 7d, today, 2026-11-20.")
    ] = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Take pictures of any size, without the ROI.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the figures as one HTML file that prints.")
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say how good the model is on parts of known truth: confusion, precision, recall, F1, AUROC,
    and each kind of parts with its share of the errors, the one to work on next first.

    Changes nothing. Exit 4 when no part has a known truth.
    """
    import json as json_module

    from edge.cli.evaluation_text import lines
    from edge.evaluating.evaluation import evaluate as evaluate_cases

    if (dataset is not None) + recorded + (scores is not None) != 1:
        fail("give one of: a DATASET folder, --recorded, --scores FILE", code=USAGE)
    if not 0.5 <= confidence < 1:
        fail(f"--confidence {confidence}: 0.5 to 0.9999", code=USAGE)
    typed = _typed(accept_below, reject_above)
    cases, judging, source = _cases(dataset, scores, since, as_is, slices or [], config)
    unknown = sorted(set(slices or []) - set(cases.tags))
    if unknown:
        known = ", ".join(sorted(cases.tags)) or "none"
        fail(f"no part has the tag {', '.join(unknown)}; there are: {known}", code=USAGE)
    found = evaluate_cases(cases, source, typed or judging, slices or list(cases.tags), confidence)
    if report is not None:
        from edge.report.evaluation_report import write

        write(report, found, cases)
        say(f"wrote {report}")
    if json:
        typer.echo(json_module.dumps(found.as_json(), allow_nan=False))
    else:
        for line in lines(found):
            typer.echo(line)


def _typed(low: float | None, high: float | None) -> Judging | None:
    from edge.evaluating.evaluation import Judging

    if low is None and high is None:
        return None
    if low is None or high is None:
        fail("--accept-below and --reject-above go together", code=USAGE)
    if not 0 <= low <= high:
        fail(f"--accept-below {low} must not be above --reject-above {high}", code=USAGE)
    return Judging(low, high, "typed in this command")


def _cases(
    dataset: Path | None,
    scores: Path | None,
    since: str | None,
    as_is: bool,
    slices: list[str],
    config: Path | None,
) -> tuple[Cases, Judging, str]:
    """Known parts, what the station would judge them by, and where they come from."""
    from edge.calibrating.gathered import Unusable
    from edge.cli.progress import progress

    try:
        if scores is not None:
            from edge.evaluating.station import half
            from edge.evaluating.table import table_cases

            why = "scores from a file do not say which cuts they belong to"
            return table_cases(scores), half(why), str(scores)
        from edge.config_file import load
        from edge.evaluating.station import Station
        from edge.store.owner import become_owner

        settings = load(config)
        station = Station(settings)
        if dataset is not None:
            with progress("scoring and looking at") as tell:
                cases = station.of_pictures(dataset, as_is, tell)
            return cases, station.judging(), str(dataset)
        become_owner(settings.state_dir)
        start = None if since is None else _since(since, settings.station.time_zone)
        cases = station.of_records(start, "brightness" in slices)
        return cases, station.judging(), f"inspections recorded in {settings.state_dir}"
    except Unusable as error:
        fail(str(error), error.hint, CHECK_FAILED if dataset is None and scores is None else USAGE)


def _since(text: str, zone: str) -> str:
    import time
    from zoneinfo import ZoneInfo

    from edge.cli.since import parse_since

    try:
        return parse_since(text, time.time(), ZoneInfo(zone))
    except ValueError as error:
        fail(f"--since {error}", code=USAGE)
