"""One write or fsync in a hundred fails: nothing is reported as recorded that is not."""

from __future__ import annotations

import json
import re
import signal
import threading
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.status import of_service
from edge.store.archive import Archive
from edge.store.verify import verify
from tests.appliance.station import SOME_OF_EACH, config_of, pictures, rows, start, station
from tests.conftest import SOAK
from tests.faults.powercut import Disk, moments, write_tree
from tests.faults.preload import Faults
from tests.faults.quick import scratch
from tests.simulators.patience import until

SHARE = 0.01
RUNS = 20 if SOAK else 1
PARTS = 500
CUTS = 300 if SOAK else 60


def a_moment() -> None:
    threading.Event().wait(0.01)


def line_of(tmp_path: Path, **more: Any) -> Path:
    """A station that keeps every picture and asks persons, who never answer."""
    return station(
        tmp_path,
        {"source": "folder", "path": str(tmp_path / "pictures"), "loop": True},
        state_dir="top/state",
        status_dir="status",
        storage={"images": "all"},
        escalation={"deadline_s": 0.2},
        decision=SOME_OF_EACH,
        **more,
    )


def printed(path: Path) -> list[dict[str, Any]]:
    """Whole lines that a run has printed."""
    return [json.loads(line) for line in path.read_text().split("\n")[:-1]]


def inspected(settings: Path) -> int:
    """How many parts the last run has decided."""
    return int(of_service(config_of(settings), "line").content["inspected"])  # type: ignore[call-overload]


def unrecorded(log: str) -> int:
    """How many records the line has said that it could not write."""
    counted = re.search(r"line.unrecorded records=(\d+)", log)
    return 0 if counted is None else int(counted[1])


def refusing_run(settings: Path, faults: Faults, said: Path) -> tuple[int, str]:
    """A run in which the disk begins to refuse once the line works; exit code and log."""
    faults.fail(0)
    with open(said, "w") as out, open(said.with_suffix(".log"), "w+") as log:
        words = ("run", "--json", "--parts", str(PARTS))
        with start(settings, *words, env=faults.environment, stdout=out, stderr=log) as line:
            until(lambda: said.stat().st_size > 0, a_moment)
            faults.fail(SHARE)
            assert line.wait() in (0, 1)
        log.seek(0)
        return line.returncode, log.read()


@pytest.mark.slow
def test_nothing_is_reported_that_is_not_recorded(tmp_path: Path) -> None:
    pictures(tmp_path / "pictures", 12)
    settings = line_of(tmp_path)
    top = tmp_path / "top"
    top.mkdir()
    reported: dict[str, dict[str, Any]] = {}
    refused = 0
    for turn in range(RUNS):
        faults = Faults(tmp_path / "faults", top, seed=turn)
        code, log = refusing_run(settings, faults, tmp_path / "said")
        new = {record["id"]: record for record in printed(tmp_path / "said")}
        told = sum(one["schema"] == "inspection/1" for one in new.values())
        assert inspected(settings) >= PARTS, "it stopped deciding"
        assert (code == 1) == (unrecorded(log) > 0)
        missing = inspected(settings) - told
        assert (missing > 0) == (unrecorded(log) > 0)
        assert missing <= unrecorded(log), "a part was decided, and lost without a word"
        assert faults.injected > 5
        refused += log.count("failing")
        reported |= new
    assert refused > 0
    assert reported.items() <= recorded(settings).items()


def recorded(settings: Path) -> dict[str, dict[str, Any]]:
    """Every record by its id, from a chain that is whole, with all its pictures."""
    state = config_of(settings).state_dir
    with Archive(state / "line.db") as archive:
        finding = verify(archive, state)
    assert finding.sound, finding
    return {content["id"]: content for row in rows(settings) for content in [json.loads(row.body)]}


@pytest.mark.slow
def test_a_power_cut_on_a_disk_that_refuses(tmp_path: Path) -> None:
    """A failed fsync leaves pages that no later fsync writes: see tests/faults/powercut.py."""
    pictures(tmp_path / "pictures", 12)
    settings = line_of(tmp_path)
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top, record=True, seed=11)
    refusing_run(settings, faults, tmp_path / "said")
    events = faults.events()
    assert any(event.op == "E" for event in events)
    disk, taken, said = Disk(top), 0, b""
    with scratch(tmp_path) as folder:
        for number, place in enumerate(moments(events, CUTS, Random(1))):
            for event in events[taken:place]:
                disk.take(event)
                said += event.data if event.op == "M" else b""
            taken = place
            target = folder / str(number)
            write_tree(disk.after_power_cut(number), target)
            promised = {json.loads(line)["id"] for line in said.split(b"\n")[:-1]}
            if promised:
                after = folder / "edge-inspect.yaml"
                text = settings.read_text().replace("top/state", f"{number}/state")
                after.write_text(text)
                assert promised <= recorded(after).keys(), f"power cut {number}"
    assert taken > 500


@pytest.mark.soak
def test_it_ends_when_the_disk_refuses_everything(tmp_path: Path) -> None:
    pictures(tmp_path / "pictures", 12)
    paced = {"source": "interval", "every_ms": 20}
    settings = line_of(tmp_path, trigger=paced)
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top)
    said, log = tmp_path / "said", tmp_path / "log"
    with open(said, "w") as out, open(log, "w") as errors:
        more: dict[str, Any] = {"env": faults.environment, "stdout": out, "stderr": errors}
        with start(settings, "run", "--json", **more) as line:
            until(lambda: said.stat().st_size > 20_000, a_moment)
            faults.fail(1)
            until(lambda: "record.failing" in log.read_text(), a_moment)
            line.send_signal(signal.SIGTERM)
            assert line.wait() == 1
    found = recorded(settings)
    assert {record["id"] for record in printed(said)} <= found.keys()
    there = sum(one["schema"] == "inspection/1" for one in found.values())
    missing = inspected(settings) - there
    assert 0 < missing <= unrecorded(log.read_text())
