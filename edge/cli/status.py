"""`edge-inspect status`: one word first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from edge.cli.bounds_text import bounds_lines
from edge.cli.delivery_text import delivery_lines
from edge.cli.models_text import rollout_lines
from edge.cli.options import ConfigOption, JsonOption
from edge.cli.storage_text import storage_lines
from edge.cli.web_text import web_lines

if TYPE_CHECKING:
    from edge.status import ServiceStatus


def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Say how the station is: `ok`, `degraded` or `stopped`, and for each cause what happens to
    parts now and what mends it.

    Works for any user, with the line stopped or a database damaged. Exits 0 when ok, 4 when
    degraded, 3 when the line is stopped.
    """
    from edge.cli.errors import CHECK_FAILED, NOT_RUNNING
    from edge.config_file import load
    from edge.status import as_json, of_station, overall

    settings = load(config)
    statuses = of_station(settings)
    word = overall(statuses)
    if json:
        typer.echo(as_json(statuses))
    else:
        typer.echo(word)
        typer.echo(f"station {settings.station.path}, configuration {settings.digest[:12]}")
        for one in statuses:
            _show(one)
        for one in statuses:
            if one.running and one.content.get("config") not in (None, settings.digest):
                typer.echo(
                    f"note: {one.service} runs another configuration than the file; restart it"
                )
        _show_rollout(statuses[0])
        _say_nobody_is_asked(statuses)
    raise typer.Exit({"ok": 0, "degraded": CHECK_FAILED}.get(word, NOT_RUNNING))


def _say_nobody_is_asked(statuses: list[ServiceStatus]) -> None:
    waiting = statuses[0].content.get("open_escalations")
    if statuses[0].running and waiting and all(one.service != "web" for one in statuses):
        typer.echo(f"note: {waiting} parts wait for persons: `edge-inspect web`, or `queue list`")


def _show_rollout(line: ServiceStatus) -> None:
    """Behind everything else, where whoever typed the command looks first."""
    told = rollout_lines(line.content.get("rollout")) if line.running else ()
    for number, text in enumerate(told):
        typer.echo(f"\n{text}" if number == 0 else f"  {text}")


def _show(one: ServiceStatus) -> None:
    content: dict[str, Any] = dict(one.content)
    typer.echo(f"\n{one.service}: {one.word}")
    if not one.running:
        ago = "" if one.age_s is None else f" (last sign of life {one.age_s:.0f} s ago)"
        mend = "run" if one.service == "line" else one.service
        rests = "" if one.missed else ", and nothing waits for a person"
        typer.echo(f"  not running{ago}{rests} → `edge-inspect {mend}`")
        return
    for cause in content.get("causes", []):
        typer.echo(f"  ! {cause['what']} (since {cause['since']})")
        typer.echo(f"    parts: {cause['parts']}")
        typer.echo(f"    mend:  {cause['mend']}")
    for line in _figures(one.service, content):
        typer.echo(f"  {line}")


def _figures(service: str, content: dict[str, Any]) -> list[str]:
    if service == "web":
        return web_lines(content)
    if service != "line":
        connected = "connected" if content.get("connected") else "not connected"
        return [
            f"broker {content.get('broker')}: {connected}; "
            f"backlog {content.get('backlog')} records",
            *delivery_lines(content),
        ]
    model = content.get("model") or {}
    decisions = content.get("decisions", {})
    decided = ", ".join(f"{name} {count}" for name, count in sorted(decisions.items())) or "none"
    free = content.get("disk_free_bytes")
    return [
        f"{content.get('parts_per_second')} parts/s; since start: {decided}",
        f"degree {content.get('degree')}: {content.get('degree_why')}",
        f"model {model.get('name', 'none')} {model.get('version', '')}".rstrip(),
        f"open escalations {content.get('open_escalations')}, overruns {content.get('overruns')}, "
        f"unrecorded {content.get('unrecorded')}",
        f"disk free: {free / 1e9:.1f} GB" if isinstance(free, int) else "disk free: unknown",
        *storage_lines(content.get("storage")),
        *bounds_lines(content.get("bounds"), content.get("challenge")),
    ]
