"""`edge-inspect check`: everything that can be wrong, before the line finds out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from edge.cli.options import ConfigOption, JsonOption

if TYPE_CHECKING:
    from edge.checks import Finding

MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


def check(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Look at configuration, storage, model, calibration, camera, broker, clock and services.

    Each is ok, warn or FAIL, with the command that mends it. Exits 4 when something fails, 2 when
    the configuration itself is wrong.
    """
    from edge.checks import all_checks
    from edge.cli.errors import CHECK_FAILED
    from edge.config_file import load
    from edge.store.owner import become_owner

    settings = load(config)
    become_owner(settings.state_dir)
    findings: list[Finding] = []
    for _, look in all_checks():
        for finding in look(settings):
            findings.append(finding)
            if not json:
                _show(finding)
    if json:
        _print_json(findings)
    failed = sum(finding.state == "fail" for finding in findings)
    if failed:
        typer.echo(f"{failed} of {len(findings)} failed", err=True)
        raise typer.Exit(CHECK_FAILED)


def _show(finding: Finding) -> None:
    import os

    word, colour = MARKS[finding.state]
    shown = word if "NO_COLOR" in os.environ else typer.style(word, fg=colour)
    typer.echo(f"{shown} {finding.name:<12} {finding.what}")
    if finding.mend and finding.state != "ok":
        typer.echo(f"     {'':<12} → {finding.mend}")


def _print_json(findings: list[Finding]) -> None:
    import json
    from dataclasses import asdict

    for finding in findings:
        typer.echo(json.dumps(asdict(finding)))
