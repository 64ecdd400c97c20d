"""`edge-inspect score`: what the model says about many pictures at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.cli.errors import CHECK_FAILED, USAGE, fail
from edge.cli.options import ConfigOption, JsonOption

COLUMNS = ("file", "score", "label", "doubts", "fault")


def score(
    folder: Annotated[Path, typer.Argument(help="Pictures, in any folders below.")],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print the model's score of every picture below a folder, by the transform of the line.

    A table with commas, or one JSON object a line. Records nothing. Needs no labels.
    """
    import csv
    import json as json_module
    import sys

    from camera.source import CameraError
    from edge.calibrating.gathered import Unusable
    from edge.calibrating.scoring import scorer
    from edge.config_file import load
    from edge.evaluating.station import Station
    from edge.scoring import score_all

    if not folder.is_dir():
        fail(f"{folder} is no folder", code=USAGE)
    station = Station(load(config))
    try:
        setup = station.shape(as_is=False).setup
        familiar = station.familiar()
        assert station.bundle is not None
        with scorer(station.bundle, station.config.model.threads) as model:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            for number, found in enumerate(score_all(folder, setup, familiar, model)):
                if not number and not json:
                    writer.writerow(COLUMNS)
                if json:
                    typer.echo(json_module.dumps(found.as_json(), allow_nan=False))
                else:
                    row = found.as_json() | {"doubts": "+".join(found.doubts)}
                    writer.writerow([row[name] for name in COLUMNS])
    except CameraError as error:
        fail(str(error), error.hint, code=USAGE)
    except Unusable as error:
        fail(str(error), error.hint, code=CHECK_FAILED)
