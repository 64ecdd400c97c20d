"""`edge-inspect fleet acl`: who may write and read what at the broker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.errors import USAGE, fail, say


def acl(
    collector: Annotated[
        list[str], typer.Option("--collector", help="User of a collector; once for each.")
    ],
    publisher: Annotated[
        list[str] | None,
        typer.Option(
            "--publisher",
            help="User of `fleet serve --repository`; once for each. Without one, every collector.",
        ),
    ] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option("--reader", help="User that only reads everything; once for each."),
    ] = None,
    bridge: Annotated[
        list[str] | None,
        typer.Option("--bridge", help="USER=SITE of a plant's broker; once for each."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write this file instead of standard output.")
    ] = None,
) -> None:
    """Write the broker's access file (mosquitto): stations keep to their own topics, only
    collectors acknowledge, only publishers send models.

    A station is known by its user name, its path SITE/LINE/STATION, so that one file is for all of
    them. A file that was not written by this command is not replaced.
    """
    from sync.fleet.acl import AclError, Bridge, is_ours, mosquitto

    try:
        bridges = [Bridge.parse(one) for one in bridge or []]
        content = mosquitto(collector, reader or [], bridges, publisher or [])
    except AclError as error:
        fail(str(error), code=USAGE)
    if out is None:
        typer.echo(content, nl=False)
        return
    if out.exists() and not is_ours(out.read_text(errors="replace")):
        fail(f"{out} was not written by this command", "name another file, or remove it")
    _replace(out, content)
    say(f"{out} written; let the broker read it: sudo systemctl reload mosquitto")


def _replace(path: Path, content: str) -> None:
    """With the mode and owner that the file had, so that the broker can still read it."""
    from edge.files import write_atomically

    kept = path.stat() if path.exists() else None
    write_atomically(path, content.encode(), mode=kept.st_mode & 0o777 if kept else 0o640)
    if kept is not None:
        os.chown(path, kept.st_uid, kept.st_gid)
