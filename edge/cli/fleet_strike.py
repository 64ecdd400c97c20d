"""`edge-inspect fleet strike`: a bundle that no station may begin with any more."""

from __future__ import annotations

from typing import Annotated

import typer

from edge.cli.errors import USAGE, fail
from edge.cli.fleet_options import (
    DatabaseOption,
    DryRunOption,
    KeysOption,
    PassphraseOption,
    RepositoryOption,
)
from edge.cli.options import ByOption, ReasonOption


def strike(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="The bundle's, or its start.")],
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    reason: ReasonOption,
    keys: KeysOption = None,
    passphrase_file: PassphraseOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Take a bundle off the signed list: no station begins with it any more. Where it runs it goes
    on; `fleet rollback` ends that."""
    from edge.cli import signing
    from edge.cli.keyring import Places

    if len(digest) < 8:
        fail(f"{digest!r} is too short", "at least 8 characters; see fleet models", USAGE)
    places = Places(repository, database, keys or [], passphrase_file)
    signing.strike(places, digest, by, reason, dry_run)
