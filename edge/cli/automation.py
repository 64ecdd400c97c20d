"""`edge-inspect automation`: the degree of automation, shown and set."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, cast

import typer

from edge.cli.options import ByOption, ConfigOption, JsonOption, ReasonOption

if TYPE_CHECKING:
    from edge.config import Config

app = typer.Typer(no_args_is_help=True, help="Who decides: people, the model, or both.")


class DegreeName(str, Enum):
    """The degrees, from the least automation to the most."""

    human_only = "human_only"
    shadow = "shadow"
    assist = "assist"
    partial = "partial"
    full = "full"


@app.command()
def show(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Say which degree is in force and what holds it there."""
    import json as json_module

    from edge.cli.errors import NOT_RUNNING, fail
    from edge.config_file import load
    from edge.status import of_service

    settings = load(config)
    line = of_service(settings, "line")
    if not line.running:
        fail("the line is not running", "`edge-inspect run` starts it", NOT_RUNNING)
    shown = {
        "ceiling": settings.decision.automation,
        "degree": line.content.get("degree"),
        "why": line.content.get("degree_why"),
        "limits": line.content.get("limits"),
    }
    if json:
        typer.echo(json_module.dumps(shown))
        return
    typer.echo(f"{shown['degree']}: {shown['why']} (ceiling {shown['ceiling']})")


@app.command("set")
def set_degree(
    degree: Annotated[DegreeName, typer.Argument(help="The degree wanted.")],
    by: ByOption,
    reason: ReasonOption,
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")] = False,
) -> None:
    """Set the degree of automation of a running line, recorded with name and reason.

    The least of the ceiling in the configuration, this degree and every limit is in force.
    """
    from edge.config_file import load

    settings = load(config)
    ceiling = settings.decision.automation
    typer.echo(f"asks for {degree.value}; the ceiling is {ceiling}", err=True)
    typer.echo(_consequence(settings, degree.value), err=True)
    if not dry_run:
        _ask(settings, "set_degree", {"degree": degree.value, "reason": reason}, by)


@app.command()
def clear(
    limit: Annotated[str, typer.Argument(help="The latched limit, as `show` names it.")],
    by: ByOption,
    reason: ReasonOption,
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")] = False,
) -> None:
    """End a latched limit of a running line, recorded with name and reason.

    Live limits end with their cause; a latched one stays until a person has looked.
    """
    from edge.config_file import load

    settings = load(config)
    typer.echo(f"asks to end the limit {limit}", err=True)
    if not dry_run:
        _ask(settings, "clear_limit", {"limit": limit, "reason": reason}, by)


@app.command()
def readiness(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Say whether the station is ready for *partial*: persons' answers against the model's.

    Counts only parts that were asked about without showing the model's answer. Exits 4 when not
    ready, with everything that speaks against it.
    """
    import json as json_module

    from edge.cli.errors import CHECK_FAILED
    from edge.config_file import load
    from edge.judging import judge

    found = judge(load(config))
    if json:
        typer.echo(json_module.dumps(found.as_json()))
    else:
        for line in found.in_words():
            typer.echo(line)
    if not found.ready:
        raise typer.Exit(CHECK_FAILED)


def _consequence(settings: Config, degree: str) -> str:
    from edge.decision.policy import DEGREES
    from edge.store.archive import Archive
    from edge.store.owner import become_owner
    from edge.traffic import foreseen

    become_owner(settings.state_dir)
    wanted = next(known for known in DEGREES if known == degree)
    with Archive(settings.state_dir / "line.db") as archive:
        return foreseen(archive, settings, wanted)


def _ask(settings: Config, kind: str, arguments: dict[str, object], by: str) -> None:
    from edge.asking import ask_line
    from edge.cli.errors import FAILED, fail

    answer = ask_line(settings, kind, arguments, by)
    if answer is None:
        fail("the line has not answered yet; the request is waiting", code=FAILED)
    if not answer["ok"]:
        fail(str(answer["message"]))
    typer.echo(f"{cast(str, answer['in_force'])} is in force: {answer['why']}")
