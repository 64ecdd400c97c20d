"""`edge-inspect model compare`: two models on the same parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from edge.config import Config
    from edge.rollout.comparing import Compared

SHOWN = 200
"""Differing parts in `--json`."""


def compare(
    first: Annotated[
        str, typer.Argument(help="With --pictures: a bundle, @NAME, active, previous, a, b …")
    ] = "active",
    second: Annotated[str, typer.Argument(help="The other one.")] = "candidate",
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Both look at every picture below this folder now; good/ and defect/ say the "
            "truth. Else: what both said of the line's parts.",
            show_default=False,
        ),
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of every interval.")] = 0.95,
    report: Annotated[
        Path | None, typer.Option(help="Write it as one HTML file that prints.")
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put two models on the same parts: what each decides, where only one accepts, who is right
    where the truth is known, how long they take; with intervals. Changes nothing.

    Exit 4 when there are no parts that both have seen.
    """
    import json as json_module

    from edge.cli.comparison_text import lines
    from edge.cli.errors import CHECK_FAILED, USAGE, fail, say
    from edge.config_file import load

    if not 0.5 <= confidence < 1:
        fail(f"--confidence {confidence}: 0.5 to 0.9999", code=USAGE)
    if pictures is None and (first, second) != ("active", "candidate"):
        fail(
            "of the line's parts there are only the candidate's answers and the active model's",
            "--pictures DIR puts any two before the same pictures",
            USAGE,
        )
    settings = load(config)
    if pictures is None:
        found = _of_line(settings, confidence)
    else:
        found = _of_pictures(settings, pictures, (first, second), confidence)
    if not found.parts:
        fail("there are no parts that both models have seen", code=CHECK_FAILED)
    if report is not None:
        from edge.report.comparison_report import write

        write(report, found)
        say(f"wrote {report}")
    if json:
        typer.echo(json_module.dumps(found.as_json(SHOWN), allow_nan=False))
        return
    for line in lines(found):
        typer.echo(line)


def _of_line(settings: Config, confidence: float) -> Compared:
    from edge.cli.errors import CHECK_FAILED, fail
    from edge.rollout.comparing import of_line
    from edge.store.owner import become_owner

    become_owner(settings.state_dir)
    found = of_line(settings, confidence)
    if found is None:
        fail(
            "no candidate has run beside the active model here",
            "edge-inspect model install BUNDLE --by NAME, or --pictures DIR",
            CHECK_FAILED,
        )
    return found


def _of_pictures(
    settings: Config, folder: Path, names: tuple[str, str], confidence: float
) -> Compared:
    from camera.source import CameraError
    from edge.calibrating.gathered import Unusable
    from edge.cli.errors import CHECK_FAILED, USAGE, fail
    from edge.cli.naming import bundle_at, own_bundle, own_word
    from edge.cli.progress import progress
    from edge.rollout.comparing import of_pictures, side
    from edge.rollout.standing import FACTORY

    sides = []
    for name in names:
        if own_word(name):
            bundle, calibration, slot = own_bundle(settings, name)
            sides.append(side(settings, bundle, calibration, configured=slot == FACTORY))
        else:
            sides.append(side(settings, bundle_at(name)))
    try:
        with progress("looked at") as tell:
            return of_pictures(settings, folder, (sides[0], sides[1]), confidence, tell)
    except CameraError as error:
        fail(str(error), error.hint, USAGE)
    except Unusable as error:
        fail(str(error), error.hint, CHECK_FAILED)
