"""`edge-inspect sync`: records to the broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer


def sync(
    config: Annotated[
        Path | None, typer.Option("--config", help="The configuration file.", show_default=False)
    ] = None,
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when everything recorded is acknowledged.")
    ] = False,
) -> None:
    """Send what the line records to the MQTT broker; keeps trying, and loses nothing."""
    from edge.config_file import ConfigError, load
    from edge.store.errors import StoreError
    from edge.store.owner import become_owner

    try:
        loaded = load(config)
    except ConfigError as error:
        _end(str(error), 2)
    if loaded.sync is None:
        _end("the configuration has no section sync: add `sync: {broker: mqtt://HOST:1883}`", 2)
    from edge.sync_service import serve

    try:
        become_owner(loaded.state_dir)
        code = serve(loaded, loaded.sync, until_empty)
    except StoreError as error:
        _end(f"{error}; {error.hint}", 1)
    except OSError as error:
        _end(f"{loaded.state_dir} cannot be used: {error}", 1)
    raise typer.Exit(code)


def _end(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
