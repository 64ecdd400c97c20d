"""A station's models in words: what `edge-inspect status` says of a roll-out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from edge.cli.main import app
from edge.cli.models_text import rollout_lines
from edge.statusfile import StatusFile
from tests.appliance.station import config_of, station

OLD = {"name": "rings", "version": "1.0.0", "bundle": "f" * 64, "slot": "factory", "trial": None}
NEW = {"name": "rings", "version": "1.1.0", "bundle": "c" * 64}
WAITS: dict[str, Any] = {
    **NEW, "state": "verified", "code": "no_space", "by": "k.ito", "share": 0.0,
    "why": "[Errno 28] No space left on device",
}  # fmt: skip


def test_nothing_is_said_where_nothing_is_under_way() -> None:
    assert list(rollout_lines({"running": OLD, "candidate": None, "lost": None})) == []
    assert list(rollout_lines(None)) == []


def test_a_candidate_and_what_it_waits_for() -> None:
    assert list(rollout_lines({"running": OLD, "candidate": WAITS})) == [
        "models: rings 1.0.0 (ffffffffffff) decides",
        "candidate rings 1.1.0 (cccccccccccc): verified (no_space), by k.ito",
        "  [Errno 28] No space left on device",
    ]


def test_what_was_lost_and_a_station_without_a_model() -> None:
    assert list(rollout_lines({"running": None, "candidate": None, "lost": NEW})) == [
        "models: none decides",
        "rings 1.1.0 (cccccccccccc) decided before line.db was lost",
    ]


def test_a_trial() -> None:
    assert list(rollout_lines({"running": {**NEW, "trial": 40}, "candidate": None}))[1] == (
        "on trial for 40 more parts: until then it goes back by itself"
    )


def test_the_status_ends_with_it(tmp_path: Path) -> None:
    settings = station(tmp_path, {"source": "synthetic"})
    said = {"state": "ok", "pid": os.getpid(), "rollout": {"running": OLD, "candidate": WAITS}}
    config = config_of(settings)
    config.status_folder.mkdir(parents=True)
    StatusFile(config.status_folder, "line").write(said)
    done = CliRunner().invoke(app, ["status", "--config", str(settings)])
    assert done.stdout.splitlines()[-4:] == [
        "",
        "models: rings 1.0.0 (ffffffffffff) decides",
        "  candidate rings 1.1.0 (cccccccccccc): verified (no_space), by k.ito",
        "    [Errno 28] No space left on device",
    ]
