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
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            help="Make this database, too: sqlite:///FILE or postgresql://USER@HOST/NAME.",
            envvar="EDGE_INSPECT_FLEET_DATABASE",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make keys and a signed repository. Stations need its root.json, once and by hand.

    A --database that is not there is made for a repository that is, too.
    """
    from edge.cli.fleeting import central_errors

    with central_errors():
        import time

        from sync.fleet.folder import Folder, Founding, found
        from sync.fleet.keys import passphrase_in

        lacking = database is not None and not _there(database)
        if not lacking or not Folder(folder).settings.exists():
            founding = Founding(root_keys, root_threshold, targets_keys, targets_threshold)
            found(folder, founding, time.time(), passphrase_in(passphrase_file))
            _say_made(folder, root_keys, targets_keys)
        if database is not None:
            _begin(folder, database)


def _there(database: str) -> bool:
    from sync.fleet.database import Away, Database, DatabaseError

    central = Database(database, read_only=True)
    try:
        with central.transaction():
            return True
    except Away:
        raise
    except DatabaseError:
        return False
    finally:
        central.close()


def _begin(folder: Path, database: str) -> None:
    from edge.ordering import begin
    from edge.store.errors import Held
    from sync.fleet.database import address, words_of

    try:
        begin(folder, database)
    except Held as error:
        say(f"the database is there already, and {error.holder} writes it")
        return
    say(f"{words_of(address(database))}: its database")


def _say_made(folder: Path, root_keys: int, targets_keys: int) -> None:
    keys = folder / "keys"
    say(f"{folder}: a repository, with {root_keys} root and {targets_keys} targets keys")
    say(f"  keep the private keys apart from it: {keys}/root-*.pem, targets-*.pem")
    say("  what signs by itself stays there: online.pem, assignments.pem")
    export = f"edge-inspect fleet keys export-root --repository {folder} --out root.json"
    say(f"  → for each station: {export}")
    say("    and its configuration: sync: {trust_root_file: root.json}")
