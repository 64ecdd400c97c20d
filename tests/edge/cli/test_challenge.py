"""Challenge parts at the command line, through a real line."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from edge.cli.challenge import app
from edge.store.archive import Archive
from tests.appliance.station import config_of, pictures, rows, start, station


def run(path: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(path)])


def parts(path: Path) -> list[dict[str, Any]]:
    records = [json.loads(row.body) for row in rows(path)]
    return [record for record in records if record["schema"] == "inspection/1"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A line that accepts everything, 20 parts a second."""
    folder = pictures(tmp_path / "pictures", 4)
    camera = {"source": "folder", "path": str(folder), "loop": True}
    return station(tmp_path, camera, trigger={"source": "interval", "every_ms": 50})


def test_the_next_parts_are_held_back_also_when_the_line_is_killed_in_between(
    path: Path,
) -> None:
    with start(path, "run", "--json") as line:
        assert line.stdout is not None
        line.stdout.readline()
        started = run(path, "start", "--truth", "defect", "--count", "60", "--by", "anna")
        assert started.exit_code == 0, started.output
        assert "(defect): running, 60 parts to come" in started.stdout
        again = run(path, "start", "--truth", "good", "--count", "1", "--by", "anna")
        assert again.exit_code == 1
        assert "running already" in again.stderr
        while b'"tags":{"challenge"' not in line.stdout.readline().encode():
            pass
        line.kill()
        line.communicate()
    before = [part for part in parts(path) if "challenge" in part["tags"]]
    assert 0 < len(before) < 60
    with start(path, "run", "--parts", "65") as line:
        line.communicate(timeout=60)
    made = parts(path)
    held = [part for part in made if "challenge" in part["tags"]]
    assert len(held) == 60
    assert {part["truth"] for part in held} == {"defect"}
    assert made[-1]["tags"].keys() == {"file"}
    with Archive(config_of(path).state_dir / "line.db") as archive:
        counts = archive.counts()
        fates = [archive.disposition(part["id"]) for part in held]
    assert {json.loads(fate.body)["disposition"] for fate in fates if fate} == {"hold"}
    assert None not in fates
    assert sum(n for name, n in counts.items() if name.startswith("challenge:")) == 60
    production = sum(n for name, n in counts.items() if name.startswith("decision:"))
    assert production == len(made) - 60, "they count in no production figure"


def test_a_stopped_line_is_told_before_it_starts_and_can_be_told_to_forget(path: Path) -> None:
    assert run(path, "stop", "--by", "anna").exit_code == 1
    assert run(path, "start", "--truth", "good", "--count", "3", "--by", "anna").exit_code == 0
    ended = run(path, "stop", "--by", "anna")
    assert "ended, 3 parts had not come" in ended.stdout
    assert run(path, "start", "--truth", "good", "--count", "2", "--by", "anna").exit_code == 0
    with start(path, "run", "--parts", "4") as line:
        line.communicate(timeout=60)
    tagged = ["challenge" in part["tags"] for part in parts(path)]
    assert tagged == [True, True, False, False]
    kinds = [json.loads(row.body) for row in rows(path)]
    actions = [one["action"] for one in kinds if one["schema"] == "challenge/1"]
    assert actions == ["start", "stop", "start"]


def test_wrong_words_are_wrong_usage(path: Path) -> None:
    assert run(path, "start", "--truth", "maybe", "--count", "3", "--by", "a").exit_code == 2
    assert run(path, "start", "--truth", "good", "--count", "0", "--by", "a").exit_code == 2
    assert run(path, "start", "--truth", "good", "--count", "3").exit_code == 2
    dry = run(path, "start", "--truth", "good", "--count", "3", "--by", "a", "--dry-run")
    assert dry.exit_code == 0
    assert not (config_of(path).state_dir / "line.db").exists()


def test_a_line_of_people_alone_measures_nothing(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pictures", 1)
    camera = {"source": "folder", "path": str(folder)}
    path = station(tmp_path, camera, decision={"automation": "human_only"})
    done = run(path, "start", "--truth", "good", "--count", "3", "--by", "anna")
    assert done.exit_code == 1
    assert "the model does not run" in done.stderr


def test_the_signal_to_end_does_not_lose_a_part_of_it(path: Path) -> None:
    with start(path, "run", "--json") as line:
        assert line.stdout is not None
        line.stdout.readline()
        run(path, "start", "--truth", "good", "--count", "500", "--by", "anna")
        while '"tags":{"challenge"' not in line.stdout.readline():
            pass
        line.send_signal(signal.SIGTERM)
        line.communicate(timeout=60)
    held = sum("challenge" in part["tags"] for part in parts(path))
    with Archive(config_of(path).state_dir / "line.db") as archive:
        done = archive.state("challenge.done")
    assert done is not None
    assert done.split()[1] == str(held)
