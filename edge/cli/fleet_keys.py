"""`edge-inspect fleet keys`: who may sign what, and what waits for signatures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.cli.errors import USAGE, fail, say
from edge.cli.fleet_options import (
    DatabaseOption,
    DryRunOption,
    KeysOption,
    PassphraseOption,
    RepositoryOption,
)
from edge.cli.options import ByOption, JsonOption, ReasonOption

app = typer.Typer(no_args_is_help=True, help="Keys of the fleet: who may sign what.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What the key is called.")]
RoleOption = Annotated[
    list[str] | None,
    typer.Option("--role", help="root|targets|online|assignments; repeatable."),
]
ThresholdOption = Annotated[
    list[str] | None,
    typer.Option("--threshold", help="ROLE=N: so many of its keys must sign; repeatable."),
]
PublicOption = Annotated[
    Path | None,
    typer.Option("--public", help="The public half (.pub) of a key that was made elsewhere."),
]


@app.command("list")
def list_keys(
    repository: RepositoryOption, database: DatabaseOption, json: JsonOption = False
) -> None:
    """Print who may sign what, how many must, when it ends, and what waits for signatures."""
    from edge.cli import keyring

    keyring.show(repository, database, json)


@app.command()
def make(
    name: NameArgument,
    out: Annotated[Path, typer.Option("--out", help="The folder for NAME.pem and NAME.pub.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Make a key pair, on the machine of the person whose key it is. The .pub is for `keys add`."""
    from edge.cli.fleeting import central_errors

    with central_errors():
        from sync.fleet.keys import make as make_key
        from sync.fleet.keys import passphrase_in

        key = make_key(out, name, passphrase_in(passphrase_file))
    say(f"{out}/{name}.pem is private, and stays there; {name}.pub is for others")
    typer.echo(key.keyid)


@app.command()
def add(
    name: NameArgument,
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    reason: ReasonOption,
    role: RoleOption = None,
    public: PublicOption = None,
    threshold: ThresholdOption = None,
    keys: KeysOption = None,
    passphrase_file: PassphraseOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Let another key sign: a new one, or one of which the public half is given."""
    from edge.cli import keyring

    if not role:
        fail("which role?", "--role root, targets, online or assignments", USAGE)
    wish = keyring.Wish(name, role, public, keyring.thresholds(threshold))
    keyring.add(keyring.Places(repository, database, keys or [], passphrase_file), wish).order(
        by, reason, dry_run
    )


@app.command()
def revoke(
    name: NameArgument,
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    reason: ReasonOption,
    role: RoleOption = None,
    threshold: ThresholdOption = None,
    keys: KeysOption = None,
    passphrase_file: PassphraseOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Let a key sign no more: in these roles, or in all."""
    from edge.cli import keyring

    wish = keyring.Wish(name, role or [], None, keyring.thresholds(threshold))
    keyring.revoke(keyring.Places(repository, database, keys or [], passphrase_file), wish).order(
        by, reason, dry_run
    )


@app.command()
def rotate(
    name: NameArgument,
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    reason: ReasonOption,
    to: Annotated[
        str | None, typer.Option("--to", help="The new key's name; else NAME with a number.")
    ] = None,
    public: PublicOption = None,
    keys: KeysOption = None,
    passphrase_file: PassphraseOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Put another key in the place of this one, in all its roles, in one step."""
    from edge.cli import keyring

    wish = keyring.Wish(name, [], public, {})
    keyring.rotate(
        keyring.Places(repository, database, keys or [], passphrase_file), wish, to
    ).order(by, reason, dry_run)


@app.command()
def threshold(
    changes: Annotated[list[str], typer.Argument(metavar="ROLE=N", help="How many must sign.")],
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    reason: ReasonOption,
    keys: KeysOption = None,
    passphrase_file: PassphraseOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Change how many keys of a role must sign together."""
    from edge.cli import keyring

    wish = keyring.Wish("", [], None, keyring.thresholds(changes))
    places = keyring.Places(repository, database, keys or [], passphrase_file)
    keyring.change_thresholds(places, wish).order(by, reason, dry_run)


@app.command()
def sign(
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    renew: Annotated[
        bool, typer.Option("--renew", help="Sign root and targets anew, for another year.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Drop what waits for signatures.")
    ] = False,
    keys: KeysOption = None,
    passphrase_file: PassphraseOption = None,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> None:
    """Add the signatures of the keys at hand to what waits for them."""
    from edge.cli import keyring

    if renew and discard:
        fail("--renew and --discard are two things", "give one of them", USAGE)
    places = keyring.Places(repository, database, keys or [], passphrase_file)
    what = "renew" if renew else "discard" if discard else "sign"
    keyring.sign(places, by, what, dry_run, json)


@app.command("export-root")
def export_root(
    repository: RepositoryOption,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write this file instead of standard output.")
    ] = None,
) -> None:
    """Write the newest root: what a station trusts first (`sync.trust_root_file`)."""
    from edge.cli import keyring

    keyring.export_root(repository, out)
