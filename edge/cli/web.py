"""`edge-inspect web`: the operators' page, and what has to be done for it at this machine."""

from __future__ import annotations

import sys

import typer

from edge.cli import web_access
from edge.cli.options import ConfigOption

app = typer.Typer(
    invoke_without_command=True,
    help="The page where persons answer. Without a further word: run its service.",
)


@app.callback()
def web(context: typer.Context, config: ConfigOption = None) -> None:
    """Serve the queue, the line's figures and the history to browsers, and an API to programs."""
    if context.invoked_subcommand is not None:
        return
    from edge.cli.errors import say
    from edge.config_file import load
    from edge.store.owner import become_owner

    loaded = load(config)
    become_owner(loaded.state_dir)
    from edge.web.server import serve

    raise typer.Exit(serve(loaded, say if sys.stderr.isatty() else lambda words: None))


app.command("certificate")(web_access.certificate)
app.command("first-code")(web_access.first_code)
app.add_typer(web_access.tokens, name="token")
