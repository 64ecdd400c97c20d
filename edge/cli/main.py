"""The command `edge-inspect`: every group of commands, one file each."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, add_completion=True, rich_markup_mode=None)


def main() -> None:
    """Entry point."""
    app()
