"""Options that the commands of the fleet share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--database",
        help="sqlite:///FILE or postgresql://USER@HOST/NAME.",
        envvar="EDGE_INSPECT_FLEET_DATABASE",
        show_default=False,
    ),
]
RepositoryOption = Annotated[
    Path,
    typer.Option(
        "--repository",
        help="The folder that `fleet init` made.",
        envvar="EDGE_INSPECT_FLEET_REPOSITORY",
        show_default=False,
    ),
]
KeysOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--keys",
        help="A folder or file with private keys, beside the repository's own; repeatable.",
    ),
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", help="What the private keys are sealed with: its first line."
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")
]
