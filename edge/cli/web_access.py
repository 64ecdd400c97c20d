"""`edge-inspect web certificate`, `first-code`, `token`: what is done about access at the machine
itself."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from edge.cli.options import ByOption, ConfigOption, JsonOption

if TYPE_CHECKING:
    from edge.access.machines import Listed
    from edge.config import Config
    from edge.requests import Answer
    from edge.web.certificate import Made

tokens = typer.Typer(no_args_is_help=True, help="Tokens of programs that use the API.")
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")]


class RightName(str, Enum):
    """What a token can be good for."""

    answer = "answer"
    look = "look"


def certificate(
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Another host name that browsers use.")
    ] = None,
    address: Annotated[
        list[str] | None, typer.Option("--address", help="Another address that browsers use.")
    ] = None,
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> None:
    """Make the certificate with which the page speaks TLS, and say how a tablet comes to trust it.

    The first time it makes an authority for this station alone; later it renews the certificate
    and leaves the authority as it is, so that tablets go on trusting it.
    """
    from datetime import datetime, timezone

    from edge.config_file import load
    from edge.store.owner import become_owner
    from edge.web import certificate as made_here
    from edge.web.own_names import addresses, host_name

    settings = load(config)
    more = _names(name or [], address or [])
    become_owner(settings.state_dir)
    made = made_here.make(
        settings.state_dir / made_here.FOLDER,
        made_here.names_of(settings.web, more),
        made_here.own_names(host_name(), addresses()),
        datetime.now(timezone.utc),
        dry_run,
    )
    _say_made(settings, made, dry_run)


def first_code(
    another: Annotated[
        bool, typer.Option("--another", help="Also where there is a lead who could add others.")
    ] = False,
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> None:
    """Make a new one-time code for the first lead, when the service's own was lost.

    With --another: a code for one more lead, when nobody knows their PIN any more. Recorded.
    """
    from edge.access.entry import code_hash, new_code
    from edge.access.secret import secret_of
    from edge.config_file import load
    from edge.store.owner import become_owner

    settings = load(config)
    if dry_run:
        typer.echo("would make a one-time code, and record that")
        return
    become_owner(settings.state_dir)
    code = new_code()
    hashed = code_hash(secret_of(settings.state_dir), code)
    _ask(settings, "first_code", {"hash": hashed.hex(), "another": another}, None)
    typer.echo(code)
    typer.echo("type it at the page's address with /first; it makes one lead, once", err=True)


@tokens.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the program is called.")],
    by: ByOption,
    right: Annotated[list[RightName], typer.Option("--right", help="What it may do.")],
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> None:
    """Make a token and print it. It is shown now and never again; only its hash is kept."""
    from edge.access.machines import hash_of, new_token
    from edge.config_file import load

    settings = load(config)
    rights = [one.value for one in right]
    if dry_run:
        typer.echo(f"would make a token named {name}, good for {', '.join(rights)}")
        return
    token = new_token()
    arguments: dict[str, object] = {"hash": hash_of(token).hex(), "name": name, "rights": rights}
    answer = _ask(settings, "token_add", arguments, by)
    typer.echo(f"{answer['machine']} may {', '.join(rights)}; Authorization: Bearer …", err=True)
    typer.echo(token)


@tokens.command("list")
def show_list(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show every token by its name: since when, what for, when it was last used."""
    import json as json_module

    from edge.access.machines import listed
    from edge.config_file import load
    from edge.store.owner import become_owner

    settings = load(config)
    become_owner(settings.state_dir)
    for one in listed(settings.state_dir):
        typer.echo(json_module.dumps(_as_json(one)) if json else _in_a_row(one))


@tokens.command("remove")
def remove(
    machine: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    by: ByOption,
    dry_run: DryRun = False,
    config: ConfigOption = None,
) -> None:
    """Take a token away, from the next request on."""
    from edge.config_file import load

    settings = load(config)
    if dry_run:
        typer.echo(f"would remove the token of {machine}")
        return
    _ask(settings, "token_remove", {"machine": machine}, by)
    typer.echo(f"{machine} has no token any more")


def _ask(settings: Config, kind: str, arguments: dict[str, object], by: str | None) -> Answer:
    from edge.cli.errors import FAILED, fail
    from edge.web.asking import ask_web

    answer = ask_web(settings, kind, arguments, by)
    if answer is None:
        fail("the page has not answered yet; the request is waiting", code=FAILED)
    if not answer["ok"]:
        fail(str(answer["message"]))
    return answer


def _names(names: list[str], addresses: list[str]) -> list[str]:
    """Raises typer's usage error for what is neither a name nor an address."""
    import ipaddress
    import re

    for name in names:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9-]+)*", name):
            _wrong(f"--name {name}: a host name has small letters, digits, - and dots")
    for address in addresses:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            _wrong(f"--address {address}: this is no address")
    return [*names, *addresses]


def _wrong(message: str) -> NoReturn:
    from edge.cli.errors import USAGE, fail

    fail(message, code=USAGE)


def _say_made(settings: Config, made: Made, dry_run: bool) -> None:
    from edge.cli.trusting import how_to_trust

    would = "would make" if dry_run else "made"
    what = "an authority and a certificate" if made.new_authority else "a new certificate"
    typer.echo(f"{would} {what} in {made.files.folder}")
    typer.echo(f"for {', '.join(made.names)}; it ends on {made.until:%Y-%m-%d}")
    if not dry_run:
        typer.echo("`edge-inspect web` takes it at its next start", err=True)
        for line in how_to_trust(settings, made):
            typer.echo(line, err=True)


def _as_json(one: Listed) -> dict[str, object]:
    return {
        "id": one.machine.id,
        "name": one.machine.name,
        "rights": sorted(one.machine.rights),
        "since": one.since,
        "used": one.used,
    }


def _in_a_row(one: Listed) -> str:
    from edge.telling import plain

    rights = ", ".join(sorted(one.machine.rights))
    used = "never used" if one.used is None else f"used {one.used}"
    return f"{one.machine.id}  {plain(one.machine.name)}  {rights}  since {one.since}, {used}"
