"""What the line says of itself."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge.causes import WORDS
from edge.decision.automation import Limit
from edge.line_status import LineStatus, Seen, troubles
from edge.monitor.alarms import Alarms
from edge.records import Cuts
from edge.statusfile import StatusFile
from edge.workers.openings import Openings
from edge.workers.overruns import Overruns
from tests.edge.workers.parts import ORIGIN, FakeClock, frame


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.inspector: Any = SimpleNamespace(inspected=0, unrecorded=1, frozen=True)
        self.keeper: Any = SimpleNamespace(failing="full")
        self.recorder: Any = SimpleNamespace(
            head=("e", 7, "h"), decisions=Counter(accept=2), unrecorded=2, failing="full"
        )
        self.ruler: Any = SimpleNamespace(
            now=SimpleNamespace(degree="shadow", why="because"),
            limits=(),
            basis=SimpleNamespace(cuts=Cuts(0.1, 0.9, True, "c1")),
        )
        self.alarms = Alarms(ORIGIN, self.clock.new_id)
        self.overruns = Overruns(bound=1)
        self.file = StatusFile(folder / "status", "line")
        seen = Seen(
            inspector=self.inspector,
            keeper=self.keeper,
            recorder=self.recorder,
            ruler=self.ruler,
            alarms=self.alarms,
            openings=Openings(),
            overruns=self.overruns,
            clock=self.clock,
            state_dir=folder,
            static={"station": "a/b/c"},
            pid_of_model=lambda: 42,
        )
        self.status = LineStatus(self.file, seen)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def causes(bench: Bench) -> list[dict[str, str]]:
    found = bench.status.describe()["causes"]
    assert isinstance(found, list)
    return found


def test_all_is_well(bench: Bench) -> None:
    said = bench.status.describe()
    assert (said["state"], said["causes"], said["degree"]) == ("ok", [], "shadow")
    assert (said["pid"], said["model_pid"], said["station"]) == (os.getpid(), 42, "a/b/c")
    assert said["recorded"] == {"epoch": "e", "seq": 7, "hash": "h"}
    assert isinstance(said["disk_free_bytes"], int)
    json.dumps(said, allow_nan=False)


def test_an_alarm_says_since_when_what_happens_to_parts_and_what_mends_it(bench: Bench) -> None:
    moment = bench.clock.moment()
    bench.alarms.see("camera", "no picture for 2 s", moment)
    bench.clock.move(60)
    (cause,) = causes(bench)
    assert bench.status.describe()["state"] == "degraded"
    assert cause["what"] == "no picture for 2 s"
    assert cause["since"] == "2026-11-18T11:23:20.000Z"
    assert "person" in cause["parts"]
    assert "camera list" in cause["mend"]


def test_every_alarm_that_can_be_raised_has_its_words(bench: Bench) -> None:
    raised = troubles(bench.inspector, bench.keeper, bench.recorder)
    assert all(message is not None for message in raised.values())
    assert {"camera", "model", "storage", *raised} <= set(WORDS)


def test_a_limit_says_since_when_it_holds(bench: Bench) -> None:
    bench.clock.move(100)
    bench.ruler.limits = (Limit("no_calibration", "shadow", "none yet"),)
    began = causes(bench)[0]["since"]
    bench.clock.move(100)
    bench.ruler.limits = (*bench.ruler.limits, Limit("drift", "assist", "moved", latched=True))
    first, second = causes(bench)
    assert first["since"] == began
    assert second["since"] > began
    assert "automation clear drift" in second["mend"]
    bench.ruler.limits = ()
    causes(bench)
    bench.clock.move(100)
    bench.ruler.limits = (Limit("no_calibration", "shadow", "none yet"),)
    assert causes(bench)[0]["since"] > began


def test_the_calibration_in_force_is_the_one_of_the_ruler(bench: Bench) -> None:
    assert bench.status.describe()["calibration"] == "c1"
    bench.ruler.basis.cuts = None
    assert bench.status.describe()["calibration"] is None


def test_the_rate_is_that_of_the_last_seconds(bench: Bench) -> None:
    assert bench.status.describe()["parts_per_second"] == 0.0
    rates = []
    for second in range(30):
        bench.clock.move(1)
        bench.inspector.inspected += 5 if second < 15 else 0
        rates.append(bench.status.describe()["parts_per_second"])
    assert rates[0] == rates[14] == 5.0
    assert rates[-1] == 0.0


def test_parts_that_are_not_recorded_are_added_up(bench: Bench) -> None:
    for number in range(4):
        bench.overruns.add(frame(bench.clock, number))
    said = bench.status.describe()
    assert (said["overruns"], said["unrecorded"]) == (4, 3 + 2 + 1)


def test_the_file_is_renewed_and_a_disk_that_refuses_is_no_reason_to_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.status.write()
    assert (bench.file.read() or {})["state"] == "ok"
    bench.status.write("stopped")
    assert (bench.file.read() or {})["state"] == "stopped"

    def refuse(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", refuse)
    bench.status.write()
