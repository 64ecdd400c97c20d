"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The configuration file. Default: $EDGE_INSPECT_CONFIG, ./edge-inspect.yaml, "
        "/etc/edge-inspect/config.yaml.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")
]
BY_HELP = "Who decides this. It is recorded for good: give an id where names must be erasable."
ByOption = Annotated[str, typer.Option("--by", help=BY_HELP)]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in words; it is recorded.")]
