"""`edge-inspect queue`: what waits for a person, and the person's answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge.cli.options import ByOption, ConfigOption, JsonOption

if TYPE_CHECKING:
    from edge.config import Config
    from edge.review.verdict import Verdict
    from edge.store.archive import Archive

app = typer.Typer(no_args_is_help=True, help="The parts that wait for a person.")
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The inspection.")]
PATIENCE_S = 5.0


class Answer(str, Enum):
    """What a person can say."""

    accept = "accept"
    reject = "reject"
    unsure = "unsure"


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

    `unsure` leaves the part waiting. An answer that comes after the part's fate is a label only.
    """
    from edge.cli.queueing import outcome
    from edge.status import account, of_service

    typed_by = account()
    with _archives(config) as (settings, line, _):
        asked = _inspection(line, inspection)
        made = _verdict(settings, asked, answer.value, by, typed_by, (label, note, basis.value))
        if dry_run:
            typer.echo(f"would record {answer.value} by {by} about {inspection}")
            return
        _give(settings.state_dir, made)
        running = of_service(settings, "line").running
        typer.echo(outcome(line, asked, made, running, PATIENCE_S))


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


def _verdict(
    settings: Config,
    asked: dict[str, Any],
    answer: str,
    by: str,
    typed_by: str,
    words: tuple[str | None, str | None, str],
) -> Verdict:
    from typing import cast

    from edge import __version__
    from edge.clock import Clock, boot_id
    from edge.records import Origin
    from edge.review import verdict as answers

    clock = Clock()
    image = asked["image"]
    return answers.Verdict(
        id=clock.new_id(),
        origin=Origin(settings.station.path, boot_id(), settings.digest, __version__),
        given=clock.moment(),
        inspection=asked["id"],
        verdict=cast(answers.Answer, answer),
        by=by,
        account=typed_by,
        part_id=asked["part_id"],
        label=words[0],
        note=words[1],
        basis=cast(answers.Basis, words[2]),
        picture=None if image is None else image["sha256"],
        answer_shown=answers.shows_answer(asked),
    )


def _give(state_dir: Path, made: Verdict) -> None:
    """Record it; another answer that is being written at this very moment is waited for."""
    import time

    from edge.review.verdicts import give
    from edge.store.errors import Held

    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            give(state_dir, made)
            return
        except Held:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
