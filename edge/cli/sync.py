"""`edge-inspect sync`: records to the broker."""

from __future__ import annotations

from typing import Annotated

import typer

from edge.cli.errors import USAGE, fail
from edge.cli.options import ConfigOption


def sync(
    config: ConfigOption = None,
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when everything recorded is acknowledged.")
    ] = False,
) -> None:
    """Send what the line records to the MQTT broker; keeps trying, and loses nothing."""
    from edge.config_file import load
    from edge.store.owner import become_owner

    loaded = load(config)
    if loaded.sync is None:
        hint = "add `sync: {broker: mqtt://HOST:1883}`"
        fail("the configuration has no section sync", hint, USAGE)
    become_owner(loaded.state_dir)
    if until_empty and not (loaded.state_dir / "line.db").exists():
        fail(f"nothing is recorded in {loaded.state_dir}", "edge-inspect run")
    from edge.sync_service import serve

    raise typer.Exit(serve(loaded, loaded.sync, until_empty))
