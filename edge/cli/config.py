"""`edge-inspect config`: check, show, schema."""

from __future__ import annotations

import typer

from edge.cli.options import ConfigOption, JsonOption

app = typer.Typer(no_args_is_help=True, help="The configuration: check it, show it, its schema.")


@app.command()
def check(config: ConfigOption = None) -> None:
    """Read the whole file and say every error with its place. Exits 2 when there is one."""
    from edge import bundles
    from edge.config_file import ConfigError, find, load
    from edge.web_check import needs_certificate

    settings = load(config)
    bundles.folder(settings.model.bundle)
    missing = needs_certificate(settings)
    if missing is not None:
        raise ConfigError((), missing)
    typer.echo(f"ok: {find(config)} (digest {settings.digest[:12]})", err=True)


@app.command()
def show(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Print the configuration in force: every value, defaults included."""
    from edge.config_file import load

    settings = load(config)
    if json:
        typer.echo(settings.model_dump_json())
        return
    import yaml

    shown = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    typer.echo(shown, nl=False)


@app.command()
def schema() -> None:
    """Print a JSON Schema of the file, for editors that complete and check YAML."""
    import json

    from edge.config import Config

    typer.echo(json.dumps(Config.model_json_schema(), indent=1))
