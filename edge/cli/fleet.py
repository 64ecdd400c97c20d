"""`edge-inspect fleet`: many stations, seen from one place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge.cli import fleet_acl
from edge.cli.errors import USAGE, fail

app = typer.Typer(no_args_is_help=True, help="Collect what stations record, and look at it.")

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--database",
        help="sqlite:///FILE or postgresql://USER@HOST/NAME.",
        envvar="EDGE_INSPECT_FLEET_DATABASE",
        show_default=False,
    ),
]


@app.command()
def serve(
    database: DatabaseOption,
    broker: Annotated[str, typer.Option("--broker", help="mqtt://HOST:1883 or mqtts://HOST.")],
    collect_only: Annotated[
        bool, typer.Option("--collect-only", help="Collect and acknowledge records.")
    ] = False,
    group: Annotated[
        str, typer.Option("--group", help="Collectors of one group share what comes in.")
    ] = "collectors",
    credentials_file: Annotated[
        Path | None, typer.Option("--credentials-file", help="User and password, in two lines.")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", help="Whose certificates are trusted.")
    ] = None,
    certificate_file: Annotated[
        Path | None, typer.Option("--certificate-file", help="The certificate of this client.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="The key of that certificate.")
    ] = None,
    ack_key_file: Annotated[
        Path | None,
        typer.Option("--ack-key-file", help="The key that acknowledgements are sealed with."),
    ] = None,
) -> None:
    """Take in what stations send, commit it, and only then acknowledge it; runs until stopped."""
    if not collect_only:
        fail(
            "this version collects records and does not roll out models yet",
            "say --collect-only",
            USAGE,
        )
    import re

    if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", group):
        fail(f"{group!r} cannot be the name of a group", "use letters, digits, _ and -", USAGE)
    from edge.cli.fleeting import central_errors, key_in
    from sync.broker import BrokerError, Login

    with central_errors():
        from edge.collecting import Collecting, collect

        login = Login(credentials_file, ca_file, certificate_file, key_file)
        try:
            code = collect(Collecting(broker, database, login, group, key_in(ack_key_file)))
        except BrokerError as error:
            fail(str(error), code=USAGE)
    raise typer.Exit(code)


app.command("acl")(fleet_acl.acl)
