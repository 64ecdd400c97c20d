"""`edge-inspect demo`: the whole appliance on this machine, on a simulated line."""

from __future__ import annotations

import shutil
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.fleeting import MISSING


class Language(str, Enum):
    """Languages of the page."""

    en = "en"
    de = "de"


def demo(
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the demo's earlier data.")] = False,
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the demo keeps everything.")
    ] = Path("demo-state"),
    rate: Annotated[float, typer.Option("--rate", min=0.1, max=50, help="Parts per second.")] = 2.0,
    parts: Annotated[
        int | None, typer.Option("--parts", min=1, help="End after this many parts.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1, max=65535, help="Of the page; 8080 where it is free, else another."
        ),
    ] = None,
    operators: Annotated[
        int,
        typer.Option("--operators", min=0, max=8, help="Simulated operators who answer as well."),
    ] = 2,
    language: Annotated[
        Language, typer.Option("--language", help="Of the person who joins.")
    ] = Language.en,
    fleet: Annotated[
        bool,
        typer.Option("--fleet", help="Also a fleet that rolls models out (0.4 GB, a minute once)."),
    ] = False,
) -> None:
    """Show the whole appliance at work on a simulated line with the shipped model.

    Starts its own broker (where mosquitto is installed), the line, the sync service and the page as
    children, speaks to nobody else, and shows what is claimed beside what is true. Anybody at this
    machine may join in the browser; simulated operators answer too. Ctrl-C ends it.
    """
    from edge.cli.errors import fail
    from edge.demo.fleet import possible
    from edge.demo.show import Wishes, show
    from edge.demo.station import find_mosquitto, prepare
    from edge.store.lock import Lock

    broker = find_mosquitto() is not None
    if fleet and not (broker and possible()):
        fail(
            "--fleet needs mosquitto and the fleet's packages", "apt install mosquitto; " + MISSING
        )
    marker = folder / "edge-inspect.yaml"
    others = {old.name for old in folder.glob("*")} - {"demo.lock"}
    if others and not marker.exists():
        fail(f"{folder} has other files in it", "name another place with --folder")
    with Lock(folder / "demo.lock"):
        if fresh:
            for old in folder.iterdir():
                if old.name != "demo.lock":
                    shutil.rmtree(old) if old.is_dir() else old.unlink()
        try:
            station = prepare(folder, rate, broker, port, fleet)
        except OSError as error:
            fail(f"the demo cannot begin: {error}", "another --port or --folder may do")
        show(station, Wishes(parts, operators, language.value))
