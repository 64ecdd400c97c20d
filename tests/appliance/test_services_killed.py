"""`kill -9` of the line, of delivery and of the collector, in turn: nothing is lost or doubled."""

from __future__ import annotations

import json
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from edge.store.archive import Archive
from edge.store.verify import verify
from tests.appliance.station import config_of, rows, start, station
from tests.conftest import SOAK
from tests.simulators.broker import running_broker
from tests.simulators.patience import until

KILLS = 100 if SOAK else 4
"""Of each service."""
HANGS_AFTER_S = 20.0
CAMERA = {"source": "synthetic", "seed": 3, "width": 160, "height": 120, "parts_per_second": 50}


def a_moment() -> None:
    threading.Event().wait(0.005)


class Plant:
    """The three services over one broker, and how far each has come."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.database = folder / "fleet.db"
        self.settings = station(
            folder,
            CAMERA,
            sync={"broker": broker, "acknowledge": "collector"},
            storage={"images": "none"},
        )
        self.commands = {
            "line": ["run"],
            "sync": ["sync"],
            "collector": ["fleet", "serve", "--collect-only", "--broker", broker],
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.log = open(folder / "log", "ab")  # noqa: SIM115

    def start(self, name: str) -> None:
        command = [sys.executable, "-m", "edge", *self.commands[name]]
        where = ["--config", str(self.settings)]
        if name == "collector":
            where = ["--database", f"sqlite:///{self.database}"]
        self.running[name] = subprocess.Popen(command + where, stdout=self.log, stderr=self.log)

    def kill(self, name: str) -> None:
        """Now, whatever it is doing."""
        assert self.running[name].poll() is None, f"{name} has ended by itself"
        self.running[name].kill()
        self.running.pop(name).wait()

    def close(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        self.log.close()

    def place(self, name: str) -> int:
        """How many records this service has done its work for."""
        if name == "line":
            with Archive(config_of(self.settings).state_dir / "line.db") as archive:
                return archive.head()[0]
        if name == "sync":
            return self._acknowledged()
        return len(self.collected())

    def collected(self) -> list[bytes]:
        """What the collector has committed, in order."""
        if not self.database.exists():
            return []
        database = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return [body.encode() for (body,) in database.execute(BODIES)]
        except sqlite3.OperationalError:  # its tables are not made yet
            return []
        finally:
            database.close()

    def _acknowledged(self) -> int:
        try:
            content = json.loads((config_of(self.settings).state_dir / "sync.json").read_bytes())
        except FileNotFoundError:
            return 0
        return int(content["streams"].get("line", {}).get("seq", 0))


BODIES = (
    "SELECT body FROM records JOIN chains ON chains.id = records.chain"
    " WHERE chains.stream = 'line' ORDER BY epoch, seq"
)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with running_broker(tmp_path / "broker") as broker:
        made = Plant(tmp_path, broker.url)
        try:
            yield made
        finally:
            made.close()


def goes_on(plant: Plant, name: str) -> Callable[[], bool]:
    """Whether the service has got further than it is now."""
    before = plant.place(name)
    return lambda: plant.place(name) > before


@pytest.mark.broker
@pytest.mark.slow
def test_services_killed_in_turn(plant: Plant) -> None:
    names = list(plant.commands)
    for name in names:
        plant.start(name)
    for name in names:
        until(goes_on(plant, name), a_moment)
    chance = Random(1)
    for name in chance.sample(names * KILLS, k=3 * KILLS):
        # at any moment of its work, not only right after the last progress
        threading.Event().wait(chance.random() * 0.2)
        plant.kill(name)
        further = goes_on(plant, name)
        plant.start(name)
        until(further, a_moment)
    plant.running["line"].terminate()
    assert plant.running.pop("line").wait() == 0
    recorded = [row.body for row in rows(plant.settings)]
    until(lambda: len(plant.collected()) >= len(recorded), a_moment)
    assert plant.collected() == recorded
    until(lambda: plant.place("sync") == len(recorded), a_moment)
    state = config_of(plant.settings).state_dir
    with Archive(state / "line.db") as archive:
        assert verify(archive, state).sound
    for name in ("sync", "collector"):
        plant.running[name].terminate()
        assert plant.running.pop(name).wait() == 0


@pytest.mark.slow
def test_the_first_decision_after_a_kill(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """By the record's own monotonic clock. The figure is printed; only a hang fails."""
    settings = station(tmp_path, CAMERA, storage={"images": "all"})
    took = []
    for _ in range(KILLS):
        began = time.monotonic_ns()
        with start(settings, "run", "--json") as line:
            assert line.stdout is not None
            first = json.loads(line.stdout.readline())
            line.stdout.readline()
            line.kill()
        if first["schema"] == "inspection/1":
            decided = first["monotonic_ns"] + first["latency_ms"]["total"] * 1e6
            took.append((decided - began) / 1e9)
    assert took
    assert max(took) < HANGS_AFTER_S
    figure = f"median {statistics.median(took):.2f} s, longest {max(took):.2f} s of {len(took)}"
    record_property("start_to_first_decision", figure)
    print(f"\nstart-up to first decision after kill -9: {figure}")
