"""The model's child is killed 20 times: every part has its record, none is accepted blind."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from edge.daemon import Line
from edge.wiring import build
from edge.workers import tend
from edge.workers.inspect import Inspector
from inference import deaths
from inference.worker import Worker
from tests.appliance.station import config_of, pictures, rows, station
from tests.simulators.patience import until

KILLS = 20


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    folder = pictures(tmp_path / "pictures", 20)
    return station(tmp_path, {"source": "folder", "path": str(folder), "loop": True})


def briefly() -> None:
    threading.Event().wait(0.005)


def run_and_kill(settings: Path, kills: int) -> Line:
    line = build(config_of(settings))
    model = line._appliance.inspector.desk.seats.active.model
    assert isinstance(model, Worker)
    thread = threading.Thread(target=line.run)
    thread.start()
    try:
        for _ in range(kills):
            kill(model, line._appliance.inspector)
    finally:
        line.stop()
        thread.join(30)
    assert not thread.is_alive()
    return line


def kill(model: Worker, inspector: Inspector) -> None:
    """Freeze the child, wait until a part waits for its answer, kill it, see another one come."""
    until(lambda: model.ready, briefly)
    pid, done = model.pid, inspector.inspected
    assert pid is not None
    until(lambda: inspector.inspected > done, briefly)
    os.kill(pid, signal.SIGSTOP)
    if inspector.desk.seats.active.ruling.degree != "human_only":
        until(lambda: model._owed.open, briefly)
    os.kill(pid, signal.SIGKILL)
    until(lambda: model.pid not in (pid, None), briefly)


def inspections(settings: Path) -> list[dict[str, object]]:
    made = [json.loads(row.body) for row in rows(settings)]
    return [record for record in made if record["schema"] == "inspection/1"]


def test_parts_that_were_hit_escalate_as_faults(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # deaths are as if far apart, so that the model goes on being asked
    monkeypatch.setattr(tend, "MINUTE_NS", 0)
    monkeypatch.setattr(deaths, "CALM_DEATHS", KILLS + 1)
    line = run_and_kill(settings, KILLS)
    made = inspections(settings)
    assert len(made) == line._appliance.inspector.inspected
    faults = [record for record in made if record["reason"] == "fault"]
    assert len(faults) >= KILLS
    assert {record["decision"] for record in faults} == {"escalate"}
    assert all(record["score"] is None for record in faults)
    assert all(record["score"] is not None for record in made if record["decision"] == "accept")


def test_after_three_deaths_in_a_minute_people_decide(settings: Path) -> None:
    line = run_and_kill(settings, 4)
    made = inspections(settings)
    assert len(made) == line._appliance.inspector.inspected
    assert made[-1]["automation"] == "human_only"
    assert made[-1]["decision"] == "escalate"
    assert all(record["score"] is not None for record in made if record["decision"] == "accept")
    limits = [json.loads(row.body) for row in rows(settings)]
    names = [record["limit"] for record in limits if record["schema"] == "automation/1"]
    assert "model_dying" in names
