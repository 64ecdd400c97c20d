"""`edge-inspect fleet pause|resume|rollback`: a person's word on a roll-out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge.cli.errors import USAGE, fail, say
from edge.cli.fleet_options import DatabaseOption, DryRunOption, RepositoryOption
from edge.cli.options import ByOption, JsonOption, ReasonOption

if TYPE_CHECKING:
    from pathlib import Path

RolloutArgument = Annotated[
    str,
    typer.Argument(
        metavar="[ROLLOUT]",
        help="Its id, or how it begins; not needed while there is only one.",
        show_default=False,
    ),
]
OPEN = ("pending", "running", "paused")


def pause(
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    reason: ReasonOption,
    rollout: RolloutArgument = "",
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> None:
    """Begin with no more stations, and leave candidates where they are."""
    answer = _order("pause", ("running",), rollout, (repository, database), by, reason, {}, dry_run)
    _tell(answer, json, "is paused: candidates stay where they are")


def resume(
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    reason: ReasonOption,
    rollout: RolloutArgument = "",
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> None:
    """Let it go on. Stations where it failed are tried again, and only those."""
    answer = _order("resume", ("paused",), rollout, (repository, database), by, reason, {}, dry_run)
    _tell(answer, json, f"goes on; stations that are tried again: {answer.get('again', 0)}")


def rollback(
    repository: RepositoryOption,
    database: DatabaseOption,
    by: ByOption,
    reason: ReasonOption,
    rollout: RolloutArgument = "",
    keep_active: Annotated[
        bool,
        typer.Option("--keep-active", help="Only drop candidates; where it is active it stays."),
    ] = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> None:
    """End it, and bring every station that has it back to the model before."""
    more: dict[str, object] = {"keep_active": keep_active}
    places = (repository, database)
    answer = _order("rollback", OPEN, rollout, places, by, reason, more, dry_run)
    _tell(answer, json, f"is {answer.get('state', '').replace('_', ' ')}")


def _order(
    kind: str,
    states: tuple[str, ...],
    begin: str,
    places: tuple[Path, str],
    by: str,
    reason: str,
    more: dict[str, object],
    dry_run: bool,
) -> dict[str, Any]:
    """The answer; with `dry_run` what would be ordered."""
    from edge.cli.fleeting import central_errors

    with central_errors():
        from edge.ordering import new_order, office
        from sync.fleet.orders import matching

        with office(*places, dry_run=dry_run) as desk:
            with desk.database.transaction() as connection:
                found = matching(connection, begin, states)
            if len(found) != 1:
                _which(begin, found, states)
            body: dict[str, object] = {"rollout": found[0], "reason": reason, **more}
            answer = desk.give(new_order(kind, by, body))
            if dry_run:
                return {"dry_run": True, "rollout": found[0], "order": kind}
    if answer is None:
        fail(
            "the order waits: whoever holds the database has not answered",
            "start `edge-inspect fleet serve --repository …`; it is carried out then, once",
        )
    return answer


def _which(begin: str, found: list[str], states: tuple[str, ...]) -> None:
    if found:
        fail(f"several roll-outs are meant: {', '.join(found)}", "give the whole id", USAGE)
    if begin:
        fail(f"no roll-out begins with {begin!r}", "edge-inspect fleet status")
    done = "; one that is done goes back by its id" if states == OPEN else ""
    fail(f"no roll-out is {' or '.join(states)}", f"edge-inspect fleet status{done}")


def _tell(answer: dict[str, Any], json: bool, words: str) -> None:
    import json as json_module

    if json:
        typer.echo(json_module.dumps(answer))
    elif answer.get("dry_run"):
        say(f"{answer['rollout']}: {answer['order']} (nothing changed)")
    else:
        say(f"{answer['rollout']} {words}")
        say("  → stations hear of it through `edge-inspect fleet serve`; see fleet status")
