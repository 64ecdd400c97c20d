"""`edge-inspect queue`: what waits for a person, and the person's answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge.cli.options import ByOption, ConfigOption, JsonOption, ReasonOption

if TYPE_CHECKING:
    from edge.config import Config
    from edge.store.archive import Archive

app = typer.Typer(no_args_is_help=True, help="The parts that wait for a person.")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The inspection.")]
PATIENCE_S = 5.0


class Answer(str, Enum):
    """What a person can say."""

    accept = "accept"
    reject = "reject"
    unsure = "unsure"
    hold = "hold"


class Label(str, Enum):
    """What a part can be called afterwards."""

    accept = "accept"
    reject = "reject"
    unsure = "unsure"
    none = "none"


class BasisName(str, Enum):
    """What the person looked at."""

    picture = "picture"
    part = "part"


@app.command("list")
def show_list(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show open escalations, the most urgent first, and unanswered spot checks."""
    import json as json_module
    import time

    from edge.cli.queueing import heading, in_a_row
    from edge.clock import boot_id
    from edge.review.questions import questions

    with _archives(config) as (settings, line, queue):
        found = list(questions(line, queue, boot_id(), time.monotonic_ns()))
        if json:
            for one in found:
                typer.echo(json_module.dumps(one.as_json()))
            return
        typer.echo(heading() if found else "nothing waits for a person")
        for one in found:
            typer.echo(in_a_row(one, settings.station.time_zone))


@app.command()
def show(inspection: IdArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show one part that a person is asked about, without what would lead the person.

    In human_only and shadow, and for spot checks, the model's answer stays hidden.
    """
    import json as json_module

    from edge.cli.queueing import as_shown, in_lines

    with _archives(config) as (settings, line, queue):
        shown = as_shown(_inspection(line, inspection), line, queue, settings.state_dir)
        if json:
            typer.echo(json_module.dumps(shown))
            return
        for text in in_lines(shown):
            typer.echo(text)


@app.command()
def verdict(
    inspection: IdArgument,
    answer: Annotated[Answer, typer.Argument(help="What you say about the part.")],
    by: ByOption,
    label: Annotated[str | None, typer.Option(help="What is wrong, such as scratch.")] = None,
    note: Annotated[str | None, typer.Option(help="Anything else; it is recorded.")] = None,
    basis: Annotated[BasisName, typer.Option(help="What you looked at.")] = BasisName.picture,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do not do it.")] = False,
    config: ConfigOption = None,
) -> None:
    """Answer about one part. Recorded in any case, and said whether it decides the part.

    `unsure` leaves the part waiting, `hold` has it held back.
    """
    from edge.cli.queueing import outcome
    from edge.status import of_service

    with _archives(config) as (settings, line, _):
        asked = _inspection(line, inspection)
        if dry_run:
            typer.echo(f"would record {answer.value} by {by} about {inspection}")
            return
        words = {"label": label, "note": note, "basis": basis.value}
        said = {"inspection": inspection, "verdict": answer.value, **words}
        made = str(_ask(settings, "verdict", said, by)["id"])
        running, undo_s = of_service(settings, "line").running, settings.escalation.undo_s
        back = f"`edge-inspect queue undo {made} --by {by}`"
        told = f"answer {made}: for {undo_s:g} s {back} takes it back, then the label"
        typer.echo(told, err=True)
        patience_s = PATIENCE_S + undo_s
        typer.echo(outcome(line, asked, (made, answer.value), running, patience_s))


@app.command()
def undo(
    verdict: Annotated[str, typer.Argument(metavar="VERDICT", help="The answer.")],
    by: ByOption,
    config: ConfigOption = None,
) -> None:
    """Take an answer of yours back. Where the line has acted, only the label is taken back."""
    import time

    from edge.cli.queueing import undone

    with _archives(config) as (settings, _, _):
        end = time.monotonic() + PATIENCE_S
        found = _ask(settings, "undo", {"verdict": verdict}, by)
        while found["state"] == "undoing" and time.monotonic() < end:
            time.sleep(0.2)
            found = _ask(settings, "undo", {"verdict": verdict}, by)
        typer.echo(undone(found))


@app.command()
def correct(
    inspection: IdArgument,
    to: Annotated[Label, typer.Argument(help="The label; none takes the last one away.")],
    by: ByOption,
    reason: ReasonOption,
    label: Annotated[str | None, typer.Option(help="What is wrong, such as scratch.")] = None,
    config: ConfigOption = None,
) -> None:
    """Correct what persons said of a part. What has happened to the part stays as it is."""
    with _archives(config) as (settings, line, _):
        _inspection(line, inspection)
        wanted = None if to is Label.none else to.value
        said = {"inspection": inspection, "to": wanted, "label": label, "reason": reason}
        _ask(settings, "correct", said, by)
        typer.echo(f"recorded: {to.value} by {by}")


@contextmanager
def _archives(config: Path | None) -> Iterator[tuple[Config, Archive, Archive]]:
    """Configuration, records of the line, answers of persons."""
    from edge.cli.reading import records
    from edge.review.verdicts import FILE
    from edge.store.archive import Archive

    with records(config) as (settings, line), Archive(settings.state_dir / FILE) as queue:
        yield settings, line, queue


def _inspection(line: Archive, name: str) -> dict[str, Any]:
    from edge.cli.errors import fail
    from edge.review.questions import inspection

    found = inspection(line, name)
    if found is None:
        fail(f"no inspection has the id {name!r}", "edge-inspect queue list shows what waits")
    return found


def _ask(settings: Config, kind: str, said: Mapping[str, object], by: str) -> dict[str, object]:
    """What came of it. Ends the command where nothing did."""
    from edge.cli.errors import fail
    from edge.review.asking import ask_queue

    answer = ask_queue(settings, kind, said, by)
    if answer is None:
        fail("edge-inspect web has not answered yet: it will, as soon as it can")
    if not answer["ok"]:
        fail(str(answer["message"]))
    return answer
