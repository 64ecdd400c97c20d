"""`edge-inspect fleet models`: every bundle that was pushed, where it comes from, where it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from edge.cli.errors import say
from edge.cli.fleet_options import DatabaseOption
from edge.cli.options import JsonOption

if TYPE_CHECKING:
    from sync.fleet.models import Model

FEW = 5
PLACES = {"running": "runs at", "candidate": "on probation", "refused": "refused by"}


def models(database: DatabaseOption, json: JsonOption = False) -> None:
    """Print every bundle that was ever pushed, with its lineage, and the stations that run it."""
    import json as json_module

    from edge.cli.fleeting import central_errors, reading

    with central_errors():
        from sync.fleet.models import models as all_models

        with reading(database) as central, central.transaction() as connection:
            found = [_content(one) for one in all_models(connection)]
    names = {one["digest"]: f"{one['name']} {one['version']}" for one in found}
    for content in found:
        typer.echo(json_module.dumps(content) if json else _words(content, names))
    if not found and not json:
        say("nothing was pushed yet")


def _content(model: Model) -> dict[str, Any]:
    from inference.manifest import from_yaml

    manifest = from_yaml(model.manifest)[0] if model.manifest else None
    return {
        "name": model.name,
        "version": model.version,
        "digest": model.digest,
        "size": model.size or None,
        "pushed_by": model.by or None,
        "pushed_at": model.at or None,
        "signed": model.listed,
        "rollouts": list(model.rollouts),
        "lineage": dict(manifest.lineage) if manifest else {},
        "running": list(model.running),
        "candidate": list(model.candidate),
        "refused": list(model.refused),
    }


def _words(content: dict[str, Any], names: dict[str, str]) -> str:
    """`names` are those of all bundles, by digest: a parent is called by its own."""
    lines = [f"{content['name']} {content['version']}  {content['digest'][:12]}"]
    if content["pushed_at"]:
        signed = "" if content["signed"] else ", not on the signed list"
        lines.append(f"  {'pushed by':<12} {content['pushed_by']}, {content['pushed_at']}{signed}")
    else:
        lines.append("  never pushed from here")
    for name in ("parent", "data_hash", "training", "metrics"):
        if content["lineage"].get(name):
            told = names.get(content["lineage"][name], "") if name == "parent" else ""
            lines.append(
                f"  {name.replace('_', ' '):<12} {told or _short(content['lineage'][name])}"
            )
    for name, words in (
        ("running", "runs at"),
        ("candidate", "on probation"),
        ("refused", "refused by"),
    ):
        if content[name]:
            lines.append(f"  {words:<12} {_listed(content[name])}")
    if not content["running"] and not content["candidate"]:
        lines.append("  runs nowhere, as far as stations have said")
    return "\n".join(lines)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(one)}" for name, one in value.items())
    if isinstance(value, list):
        return f"{len(value)} entries"
    text = f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}…"


def _listed(stations: list[str]) -> str:
    more = f" and {len(stations) - FEW} more" if len(stations) > FEW else ""
    return ", ".join(stations[:FEW]) + more
