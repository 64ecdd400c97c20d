"""`edge-inspect calibration`: those that were made, and which one is in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.options import ByOption, ConfigOption, JsonOption, ReasonOption

if TYPE_CHECKING:
    from edge.calibrations import Calibration
    from edge.standards import Standards

app = typer.Typer(no_args_is_help=True, help="Calibrations: list, show, apply, compare.")

Id = Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it; its end is enough.")]


@app.command("list")
def list_calibrations(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List every calibration of this station, and say which one is in force."""
    import json as json_module

    from edge.calibrating.keeping import listed

    standards = _standards(config)
    choice = standards.choose()
    known = listed(standards.folders)
    now = None if choice.calibration is None else choice.calibration.id
    if json:
        shown = {"in_force": now, "why": choice.why, "calibrations": known}
        typer.echo(json_module.dumps(shown))
        return
    for one in known:
        mark = "*" if one["id"] == now else " "
        if one.get("unreadable"):
            typer.echo(f"{mark} {one['id']}  cannot be read")
            continue
        certified = "" if one["certified"] else "  NOT CERTIFIED"
        typer.echo(
            f"{mark} {one['id']}  accept below {one['accept_below']}, reject from"
            f" {one['reject_above']}; {one['n_good']} good, {one['n_defect']} defects{certified}"
        )
    typer.echo(f"in force: {now}" if now else f"none in force: {choice.why}")


@app.command()
def show(id: Id, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Print one calibration, everything but the pictures that it learnt from."""
    import json as json_module

    from edge.calibrations import misfit

    standards = _standards(config)
    found = _find(standards, id)
    content = {name: value for name, value in found.content.items() if name != "familiar"}
    if json:
        typer.echo(json_module.dumps(content))
        return
    for name, value in content.items():
        typer.echo(f"{name}: {json_module.dumps(value)}")
    if standards.bundle is not None:
        why = misfit(found, standards.binding, standards.made_with)
        typer.echo(f"made for {why}" if why else "fits this station as it is now")


@app.command()
def apply(
    id: Id,
    by: ByOption,
    reason: ReasonOption,
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")] = False,
) -> None:
    """Put a calibration in force, recorded with name and reason. A running line takes it at once.

    Only one that was made for this bundle, runtime, machine and view.
    """
    from edge.cli.calibrating import apply as put_in_force
    from edge.cli.errors import fail, say
    from edge.config_file import load
    from edge.requests import Refused

    settings = load(config)
    standards = _standards(config)
    found = _find(standards, id)
    try:
        standards.applicable(found.id)
    except Refused as refusal:
        fail(str(refusal))
    say(f"asks for calibration {found.id}")
    if not dry_run:
        put_in_force(settings, found.id, by, reason)


@app.command()
def compare(first: Id, second: Id, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Compare two calibrations: cuts, bounds, and what both would decide about common pictures."""
    import json as json_module

    from edge.calibrating import keeping

    standards = _standards(config)
    folders = standards.folders
    found = keeping.compare(folders, _find(standards, first), _find(standards, second))
    if json:
        typer.echo(json_module.dumps(found.as_json()))
        return
    for one in (found.first, found.second):
        typer.echo(f"{one.id}: accept below {one.cuts.accept_below!r}")
        typer.echo(f"  reject from {one.cuts.reject_above!r} on, certified: {one.cuts.certified}")
        for name in ("escape", "overkill"):
            typer.echo(f"  {name}: {json_module.dumps(one.content.get(name))}")
    typer.echo(
        f"of {found.common} common pictures the second accepts {found.permissive} that the first"
        f" does not, and no longer accepts {found.strict}; {found.changed} are decided otherwise"
    )


def _standards(config: Path | None) -> Standards:
    """The station's calibrations, read as the owner of the state directory."""
    from edge.config_file import load
    from edge.running import running
    from edge.store.owner import become_owner

    settings = load(config)
    become_owner(settings.state_dir)
    return running(settings).standards


def _find(standards: Standards, id: str) -> Calibration:
    """The calibration whose id is this, or ends with it. Ends the command where there is none."""
    from edge.calibrations import find
    from edge.cli.errors import USAGE, fail

    names = {path.stem for folder in standards.folders for path in folder.glob("*.json")}
    ending = sorted(name for name in names if name.endswith(id))
    if len(ending) != 1:
        fail(f"{len(ending)} calibrations end with {id!r}", "edge-inspect calibration list", USAGE)
    try:
        return find(standards.folders, ending[0])[0]
    except (OSError, ValueError) as error:
        fail(str(error))
