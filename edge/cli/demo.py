"""`edge-inspect demo`: the whole appliance on this machine, on a simulated line."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer


def demo(
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the demo's earlier data.")] = False,
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the demo keeps everything.")
    ] = Path("demo-state"),
    rate: Annotated[float, typer.Option("--rate", min=0.1, max=50, help="Parts per second.")] = 5.0,
    parts: Annotated[
        int | None, typer.Option("--parts", min=1, help="End after this many parts.")
    ] = None,
) -> None:
    """Show the whole appliance at work on a simulated line with the shipped model.

    Starts its own broker (where mosquitto is installed), the line and the sync service as
    children, speaks to nobody else, and shows what is claimed beside what is true. Ctrl-C ends it.
    """
    from edge.cli.errors import fail
    from edge.demo.show import show
    from edge.demo.station import find_mosquitto, prepare
    from edge.store.lock import Lock

    marker = folder / "edge-inspect.yaml"
    others = {old.name for old in folder.glob("*")} - {"demo.lock"}
    if others and not marker.exists():
        fail(f"{folder} has other files in it", "name another place with --folder")
    with Lock(folder / "demo.lock"):
        if fresh:
            for old in folder.iterdir():
                if old.name != "demo.lock":
                    shutil.rmtree(old) if old.is_dir() else old.unlink()
        show(prepare(folder, rate, find_mosquitto() is not None), parts)
