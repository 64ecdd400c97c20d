"""`edge-inspect explain`: the story of one part, to be pasted into an audit answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge.cli.errors import fail
from edge.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from edge.config import Config
    from edge.replaying import Replayed
    from edge.store.rows import Row


def explain(
    part: Annotated[str, typer.Argument(metavar="ID|PART", help="An inspection or a part id.")],
    replay: Annotated[
        bool, typer.Option("--replay", help="Run the stored picture again, and compare.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say what happened to a part and why: one paragraph for each of its inspections."""
    import json as json_module

    from edge.cli.reading import as_json, records
    from edge.cli.telling import paragraph

    with records(config) as (settings, archive):
        found = archive.find(part)
        if not found:
            fail(
                f"no inspection and no part has the id {part!r}",
                "edge-inspect results --all lists them",
            )
        for number, row in enumerate(found):
            record = json_module.loads(row.body)
            story = archive.story(record["id"])
            if story is None:
                continue
            said = _said(settings, record)
            if json:
                named = ("inspection", "disposition", "automation", "calibration")
                rows = [(name, getattr(story, name)) for name in named]
                pairs = [f'"{k}":{as_json(archive, r) if r else "null"}' for k, r in rows]
                pairs.append(f'"answers":{json_module.dumps(said)}')
                if replay:
                    again = _replay(settings, row)
                    pairs.append(f'"replay":{json_module.dumps(again.as_json())}')
                typer.echo("{" + ",".join(pairs) + "}")
            else:
                typer.echo(
                    ("\n" if number else "") + paragraph(story, settings.station.time_zone, said)
                )
                if replay:
                    typer.echo(_replay(settings, row).in_words())


def _said(settings: Config, record: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers and corrections about an inspection; none where the queue cannot be read."""
    import sqlite3

    from edge.review.verdicts import FILE
    from edge.store.answers import about
    from edge.store.archive import Archive

    try:
        with Archive(settings.state_dir / FILE) as queue:
            return about(queue, record["id"], record["captured_at"])
    except sqlite3.Error as error:
        typer.echo(f"{FILE}: {error}: what persons said is left out", err=True)
        return []


def _replay(settings: Config, row: Row) -> Replayed:
    import json

    from edge.replaying import CannotReplay, replay

    try:
        return replay(settings, json.loads(row.body))
    except CannotReplay as error:
        fail(f"it cannot be run again: {error}")
