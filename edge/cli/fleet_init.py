"""`edge-inspect fleet init`: the repository that stations will trust."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.cli.errors import say
from edge.cli.fleet_options import PassphraseOption


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to make.", show_default=False)
    ],
    root_keys: Annotated[int, typer.Option(help="How many keys may sign which keys count.")] = 1,
    root_threshold: Annotated[int, typer.Option(help="How many of them must.")] = 1,
    targets_keys: Annotated[int, typer.Option(help="How many keys may sign bundles.")] = 1,
    targets_threshold: Annotated[int, typer.Option(help="How many of them must.")] = 1,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Make keys and a signed repository. Stations need its root.json, once and by hand."""
    from edge.cli.fleeting import central_errors

    with central_errors():
        import time

        from sync.fleet.folder import Founding, found
        from sync.fleet.keys import passphrase_in

        founding = Founding(root_keys, root_threshold, targets_keys, targets_threshold)
        made = found(folder, founding, time.time(), passphrase_in(passphrase_file))
    say(f"{folder}: a repository, with {root_keys} root and {targets_keys} targets keys")
    say(f"  keep the private keys apart from it: {made.keys}/root-*.pem, targets-*.pem")
    say("  what signs by itself stays there: online.pem, assignments.pem")
    say("  → for each station: edge-inspect fleet keys export-root --out root.json")
    say("    and its configuration: sync: {trust_root_file: root.json}")
