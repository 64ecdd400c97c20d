"""A command changes the line's state with the line's own code, whether it runs or not."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from edge.asking import ask_line
from edge.store.lock import Lock
from edge.wiring import build
from tests.appliance.station import config_of, pictures, rows, station


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    folder = pictures(tmp_path / "pictures", 5)
    return station(tmp_path, {"source": "folder", "path": str(folder), "loop": True})


def changes(settings: Path) -> list[dict[str, object]]:
    made = [json.loads(row.body) for row in rows(settings)]
    return [record for record in made if record["schema"] == "automation/1"]


ARGUMENTS = {"degree": "assist", "reason": "a new lamp"}


def test_a_stopped_line_is_changed_by_the_command_itself(settings: Path) -> None:
    config = config_of(settings)
    answer = ask_line(config, "set_degree", ARGUMENTS, "anna")
    assert answer is not None
    assert answer["ok"]
    assert answer["in_force"] == "assist"
    (change,) = changes(settings)
    assert (change["by"], change["reason"], change["degree"]) == ("anna", "a new lamp", "assist")
    assert change["account"]
    Lock(config.state_dir / "line.lock").release()


def test_it_is_remembered_by_the_next_start(settings: Path) -> None:
    config = config_of(settings)
    ask_line(config, "set_degree", ARGUMENTS, "anna")
    line = build(config, most=3)
    assert line.run() == 0
    made = [json.loads(row.body) for row in rows(settings)]
    degrees = {record["automation"] for record in made if record["schema"] == "inspection/1"}
    assert degrees == {"assist"}


def test_a_refusal_leaves_nothing(settings: Path) -> None:
    config = config_of(settings)
    answer = ask_line(config, "clear_limit", {"limit": "moon", "reason": "full"}, "anna")
    assert answer is not None
    assert not answer["ok"]
    assert "moon" in str(answer["message"])
    assert changes(settings) == []


def test_a_running_line_is_asked(settings: Path) -> None:
    config = config_of(settings)
    line = build(config)
    thread = threading.Thread(target=line.run, daemon=True)
    thread.start()
    answer = ask_line(config, "set_degree", ARGUMENTS, "anna")
    line.stop()
    thread.join(30)
    assert answer is not None
    assert answer["in_force"] == "assist"
    assert [change["by"] for change in changes(settings)] == ["anna"]


def test_a_held_lock_without_a_line_leaves_the_request_waiting(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(settings)
    config.state_dir.mkdir()
    (config.state_dir / "requests" / "line").mkdir(parents=True)
    monkeypatch.setattr("edge.requests.ask.__defaults__", (0.0,))
    with Lock(config.state_dir / "line.lock"):
        assert ask_line(config, "set_degree", ARGUMENTS, "anna") is None
    assert len(list((config.state_dir / "requests" / "line").glob("*.json"))) == 1
