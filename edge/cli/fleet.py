"""`edge-inspect fleet`: many stations, seen from one place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli import (
    fleet_acl,
    fleet_export,
    fleet_init,
    fleet_keys,
    fleet_models,
    fleet_orders,
    fleet_push,
    fleet_status,
    fleet_strike,
)
from edge.cli.errors import CHECK_FAILED, USAGE, fail, say
from edge.cli.fleet_options import DatabaseOption
from edge.cli.options import JsonOption

if TYPE_CHECKING:
    from edge.collecting import Collecting

app = typer.Typer(no_args_is_help=True, help="Collect what stations record; roll models out.")


@app.command()
def serve(
    database: DatabaseOption,
    broker: Annotated[str, typer.Option("--broker", help="mqtt://HOST:1883 or mqtts://HOST.")],
    repository: Annotated[
        Path | None,
        typer.Option("--repository", help="Roll models out from here: see `fleet init`."),
    ] = None,
    collect_only: Annotated[
        bool, typer.Option("--collect-only", help="Collect and acknowledge records, no more.")
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
    """Take in what stations send, commit it, and only then acknowledge it; with a repository, also
    answer their requests for models and carry roll-outs on. Runs until stopped."""
    if collect_only == (repository is not None):
        fail(
            "say what to do: collect only, or also roll models out",
            "--collect-only, or --repository DIR (edge-inspect fleet init makes one)",
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
        options = Collecting(broker, database, login, group, key_in(ack_key_file))
        try:
            code = collect(options) if repository is None else _serve(options, repository)
        except BrokerError as error:
            fail(str(error), code=USAGE)
    raise typer.Exit(code)


def _serve(options: Collecting, repository: Path) -> int:
    from edge.serving import serve as service
    from sync.fleet.folder import RepositoryError

    try:
        return service(options, repository)
    except RepositoryError as error:
        fail(str(error), error.mend, USAGE)


app.command("acl")(fleet_acl.acl)
app.command("init")(fleet_init.init)
app.command("push")(fleet_push.push)
app.command("pause")(fleet_orders.pause)
app.command("resume")(fleet_orders.resume)
app.command("rollback")(fleet_orders.rollback)
app.command("status")(fleet_status.status)
app.command("models")(fleet_models.models)
app.command("strike")(fleet_strike.strike)
app.add_typer(fleet_keys.app, name="keys")
app.command("export")(fleet_export.export)


@app.command()
def ledger(
    database: DatabaseOption,
    station: Annotated[
        str | None, typer.Option("--station", help="Only this one: site/line/station.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Account for every record: held, waiting, deleted, unreadable, missing. Exit 4: missing."""
    import json as json_module

    from edge.cli.fleeting import central_errors, reading
    from edge.cli.ledgering import as_json, lines

    with central_errors():
        from sync.fleet.ledger import ledger as books
        from sync.fleet.pictures import per_station

        with reading(database) as central:
            entries = books(central, station)
            pictures = per_station(central, station)
            store = central.store
    if json:
        typer.echo(json_module.dumps(as_json(store, entries, pictures)))
    else:
        for line in lines(entries, pictures):
            typer.echo(line)
    if any(entry.account.missing for entry in entries):
        raise typer.Exit(CHECK_FAILED)


@app.command()
def explain(
    part: Annotated[str, typer.Argument(metavar="ID|PART", help="An inspection or a part id.")],
    database: DatabaseOption,
    json: JsonOption = False,
) -> None:
    """Say what happened to a part and why, from the records that were collected. Times are UTC."""
    from edge.cli.fleeting import central_errors, reading
    from edge.cli.ledgering import story_as_json, story_in_words

    with central_errors():
        from sync.fleet.story import stories

        with reading(database) as central:
            found = stories(central, part)
    if not found:
        fail(
            f"no inspection and no part with the id {part!r} was collected",
            "edge-inspect fleet ledger shows what is still waiting at its station",
        )
    for number, told in enumerate(found):
        typer.echo(story_as_json(told) if json else ("\n" if number else "") + story_in_words(told))


@app.command()
def picture(
    inspection: Annotated[str, typer.Argument(metavar="INSPECTION", help="Its id.")],
    database: DatabaseOption,
    out: Annotated[Path, typer.Option("--out", help="The file to write; never replaced.")],
) -> None:
    """Write the picture of an inspection out, as its station recorded it."""
    from edge.cli.fleeting import central_errors, reading

    with central_errors():
        from sync.fleet.pictures import data, find

        with reading(database) as central:
            found = find(central, inspection)
            content = data(central, found[0]) if len(found) == 1 else None
    if not found:
        fail(f"no picture was collected for {inspection!r}", "see sync.images at its station")
    if len(found) > 1:
        said = ", ".join(f"{one.station} ({one.sha256[:12]})" for one in found)
        fail(f"several pictures came for {inspection!r}: {said}", "ask those stations")
    if content is None:
        fail(f"the picture of {inspection!r} is damaged in the database", "restore a backup")
    try:
        with open(out, "xb") as file:
            file.write(content)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}", "give another --out")
    say(f"{out}: {found[0].size} bytes, {found[0].path} of {found[0].station}")
