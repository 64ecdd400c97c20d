"""`edge-inspect challenge`: parts of known truth, sent through on purpose."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli.options import ByOption, ConfigOption

if TYPE_CHECKING:
    from pathlib import Path

app = typer.Typer(
    no_args_is_help=True,
    help="Send parts of known truth through the line and see what the model makes of them.\n\n"
    "They count in no production figure and are never released as accepted.",
)


class TruthName(str, Enum):
    """What the parts really are."""

    good = "good"
    defect = "defect"


@app.command()
def start(
    truth: Annotated[TruthName, typer.Option(help="What the parts really are.")],
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many of them will come.")],
    by: ByOption,
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")] = False,
) -> None:
    """The next parts are challenge parts: each is held back, whatever the model decides.

    `edge-inspect status` shows what they have shown so far.
    """
    words = f"the next {count} parts are {truth.value} and are held back"
    typer.echo(words, err=True)
    if not dry_run:
        _ask(config, "start_challenge", {"truth": truth.value, "count": count}, by)


@app.command()
def stop(
    by: ByOption,
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")] = False,
) -> None:
    """End a challenge before all its parts have come: the next part is an ordinary one."""
    typer.echo("asks to end the challenge; take its parts off the line first", err=True)
    if not dry_run:
        _ask(config, "stop_challenge", {}, by)


def _ask(config: Path | None, kind: str, arguments: dict[str, object], by: str) -> None:
    from edge.asking import ask_line
    from edge.cli.errors import FAILED, fail
    from edge.config_file import load

    answer = ask_line(load(config), kind, arguments, by)
    if answer is None:
        fail("the line has not answered yet; the request is waiting", code=FAILED)
    if not answer["ok"]:
        fail(str(answer["message"]))
    if "count" in answer:
        told = f"running, {answer['count']} parts to come"
    else:
        told = f"ended, {answer['left']} parts had not come"
    typer.echo(f"challenge {answer['challenge']} ({answer['truth']}): {told}")
