"""The real line, while its database is overwritten under it: it goes on, and says so."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge.cli.main import app
from edge.outbox import Outboxes
from edge.recovery import aside
from edge.recovery.history import History
from edge.statusfile import StatusFile
from edge.store.archive import Archive
from edge.store.verify import verify
from sync.journal import JournalError
from tests.appliance.station import config_of, start, station
from tests.edge.store import damaged
from tests.simulators.patience import until

Content = dict[str, Any]


def a_moment() -> None:
    threading.Event().wait(0.02)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    camera = {"source": "synthetic", "seed": 3, "width": 160, "height": 120}
    return station(
        tmp_path,
        camera | {"parts_per_second": 50},
        decision={"automation": "full", "ask": "all"},
        escalation={"deadline_s": 3600},
    )


class Running:
    """A line in a process of its own, and everything that it printed."""

    def __init__(self, settings: Path, log: Path) -> None:
        self.settings, self.state = settings, config_of(settings).state_dir
        self.path = self.state / "line.db"
        self._log = open(log, "ab")  # noqa: SIM115
        self.process = start(settings, "run", "--json", stderr=self._log)
        self.said: list[Content] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def wait_for(self, count: int) -> None:
        """So many more records are on the disk."""
        there = len(self.said)
        until(lambda: len(self.said) >= there + count or self.process.poll() is not None, a_moment)
        assert self.process.poll() is None

    def epochs(self) -> list[str]:
        return list(dict.fromkeys(str(one["epoch"]) for one in self.said))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()
        return code


def command(settings: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words, "--config", str(settings)])
    return done.exit_code, done.output


def saved(state: Path) -> bool:
    return bool(aside.cases(state)) and all(case.salvaged for case in aside.cases(state))


@pytest.mark.slow
def test_the_line_goes_on_when_its_database_is_overwritten(settings: Path, tmp_path: Path) -> None:
    line = Running(settings, tmp_path / "log")
    try:
        line.wait_for(40)
        by = ("--by", "anna", "--reason", "a test")
        assert command(settings, "automation", "set", "human_only", *by)[0] == 0
        shelf = Outboxes(line.state)
        journal = shelf()[0].journal
        old = journal.epoch()
        waiting = [e.inspection for e in Archive(line.path).open_escalations()]
        damaged.scramble(line.path)
        until(lambda: len(line.epochs()) == 2, a_moment)
        line.wait_for(40)
        until(lambda: saved(line.state), a_moment)
        # decisions never stopped, and every part has its record in one epoch or the other
        status = StatusFile(config_of(settings).status_folder, "line").read()
        assert status is not None
        assert status["unrecorded"] == 0
        assert (status["degree"], status["degree_why"]) == ("human_only", "set by a person")
        assert journal.epoch() == line.epochs()[1] != old
        assert f"salvage/line-{old}.db" in [source.name for source in shelf()]
        assert command(settings, "status")[0] in (0, 4)
        assert command(settings, "queue", "verdict", waiting[0], "accept", "--by", "anna")[0] == 0
        until(lambda: _disposed(line.path, waiting[0]), a_moment)
        until(lambda: "database" in _ended(line.said), a_moment)
    finally:
        assert line.stop() == 0
    (case,) = aside.cases(line.state)
    assert (line.state / "damaged" / case.folder.name / "line.db").exists()
    _everything_is_somewhere(line, settings)


def _disposed(path: Path, inspection: str) -> bool:
    with History(path) as history:
        found = history.disposition(inspection)
        return found is not None and json.loads(found.body)["by"] == "person"


def _ended(said: list[Content]) -> set[str]:
    return {one["cause"] for one in list(said) if one["schema"] == "alarm/1"} & {
        one["cause"] for one in list(said) if one.get("state") == "ended"
    }


def _everything_is_somewhere(line: Running, settings: Path) -> None:
    """Each record that was reported is in the new file, in the saved one, or told as lost."""
    with History(line.path) as history:
        assert verify(history, line.state).sound
        (rescued,) = history.earlier
        lost = {seq for first, last in rescued.told["lost"] for seq in range(first, last + 1)}
        there = {archive.epoch: damaged.rows(archive.path) for archive in (history, rescued)}
    parts = [one for one in line.said if one["schema"] == "inspection/1"]
    assert len({one["id"] for one in parts}) == len(parts)
    for one in line.said:
        assert one["seq"] in there[one["epoch"]] or one["seq"] in lost, one
    code, words = command(settings, "results", "--verify")
    assert code == (4 if lost else 0)
    assert "Saved from a damaged line.db" in words
    code, _ = command(settings, "explain", parts[-1]["id"])
    assert code == 0


@pytest.mark.slow
def test_a_line_that_finds_its_database_damaged_starts_in_a_new_epoch(
    settings: Path, tmp_path: Path
) -> None:
    line = Running(settings, tmp_path / "log")
    line.wait_for(40)
    line.process.kill()
    line.stop()
    path = line.path
    path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:])
    path.with_name("line.db-wal").unlink()
    assert command(settings, "status")[0] == 3
    line = Running(settings, tmp_path / "log")
    try:
        line.wait_for(10)
        until(lambda: saved(line.state), a_moment)
        status = StatusFile(config_of(settings).status_folder, "line").read()
        assert status is not None
        assert status["degree"] == "human_only"
        assert "unreadable" in str(status["degree_why"])
        assert "unreadable" in json.dumps(status["limits"])
    finally:
        assert line.stop() == 0
    with pytest.raises(JournalError):
        Outboxes(path.parent / "nowhere")()[0].journal.epoch()


@pytest.mark.slow
def test_a_salvage_that_is_killed_begins_anew(settings: Path, tmp_path: Path) -> None:
    path = config_of(settings).state_dir / "line.db"
    damaged.fill(path)
    damaged.change(path, "UPDATE meta SET value = 'x'")
    line = Running(settings, tmp_path / "log")
    line.wait_for(5)
    line.process.kill()
    line.stop()
    line = Running(settings, tmp_path / "log")
    line.wait_for(1)
    until(lambda: saved(line.state), a_moment)
    assert line.stop() == 0
    with History(path) as history:
        assert [one.told["lost_records"] for one in history.earlier] == [0]
