"""The clock is set ten years on and back while everything runs: only what records say changes."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from edge.store.archive import Archive
from edge.store.verify import verify
from sync.topics import Station
from tests.appliance.station import SOME_OF_EACH, config_of, rows, start, station
from tests.conftest import SOAK
from tests.faults.preload import Faults
from tests.simulators.broker import running_broker
from tests.simulators.collector import Collector
from tests.simulators.patience import until

TEN_YEARS = 10 * 365.25 * 86400
JUMPS = (TEN_YEARS, 0.0, -TEN_YEARS, TEN_YEARS, -1.0, 0.0) * (10 if SOAK else 1)
PARTS_BETWEEN = 25
DEADLINE_S = 0.6
CAMERA = {"source": "synthetic", "seed": 3, "width": 160, "height": 120, "parts_per_second": 50}


def told(settings: Path) -> list[dict[str, Any]]:
    """Everything that the line has recorded."""
    return [json.loads(row.body) for row in rows(settings)]


def of_kind(records: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [record for record in records if record["schema"] == kind]


def inspected(settings: Path) -> int:
    """How many parts are recorded."""
    with Archive(config_of(settings).state_dir / "line.db") as archive:
        return archive.counts().get("inspection/1", 0)


@pytest.mark.broker
@pytest.mark.slow
def test_order_retention_and_delivery_do_not_care(tmp_path: Path) -> None:
    faults = Faults(tmp_path / "faults")
    with running_broker(tmp_path / "broker") as broker:
        settings = station(
            tmp_path,
            CAMERA,
            sync={"broker": broker.url},
            storage={"images": "all", "keep_pictures_days": 1, "keep_records_days": 1},
            escalation={"deadline_s": DEADLINE_S},
            decision=SOME_OF_EACH,
        )
        collector = Collector(broker.url, Station("plant", "line", "station"))

        def take() -> None:
            collector.step(time.monotonic())
            threading.Event().wait(0.01)

        def arrived() -> int:
            return sum(len(records) for records in collector.records.values())

        until(lambda: collector.subscribed, take)
        more: dict[str, Any] = {"env": faults.environment, "stdout": subprocess.DEVNULL}
        sync = start(settings, "sync", **more)
        line = start(settings, "run", **more)
        try:
            for jump in JUMPS:
                so_far = inspected(settings) + PARTS_BETWEEN
                until(lambda most=so_far: inspected(settings) >= most, take)  # type: ignore[misc]
                faults.shift_clock(jump)
            until(lambda most=so_far: inspected(settings) >= most + PARTS_BETWEEN, take)  # type: ignore[misc]
            line.terminate()
            assert line.wait() == 0
            # at another time of the world the line starts, goes on and ends
            faults.shift_clock(-TEN_YEARS)
            line = start(settings, "run", "--parts", "20", **more)
            assert line.wait() == 0
            recorded = [row.body for row in rows(settings)]
            until(lambda: arrived() == len(recorded), take)
            sync.terminate()
            assert sync.wait() == 0
        finally:
            line.kill()
            sync.kill()
        collector.close()
    (epoch,) = collector.records
    assert collector.joined(epoch) == len(recorded)
    assert list(collector.records[epoch].values()) == recorded
    check(settings)


def check(settings: Path) -> None:
    """The chain is whole and in order; nothing was dropped for its age; deadlines were kept."""
    records = told(settings)
    state = config_of(settings).state_dir
    with Archive(state / "line.db") as archive:
        finding = verify(archive, state)
        assert archive.anchor.seq == 0
    assert finding.sound
    # what a busy machine was late for has no picture, and is recorded when there is time
    made = [one for one in of_kind(records, "inspection/1") if one["reason"] != "overrun"]
    assert finding.checked_pictures == len(made)
    years = {record["captured_at"][:4] for record in made}
    assert len(years) >= 3, "the clock was not moved"
    first = records[0]["seq"]
    assert [record["seq"] for record in records] == list(range(first, first + len(records)))
    ticks = [record["monotonic_ns"] for record in made]
    assert ticks == sorted(ticks)
    doubts = [one["doubts"] for one in made if one["doubts"]]
    assert doubts == []
    by_deadline(records, made)


def by_deadline(records: list[dict[str, Any]], made: list[dict[str, Any]]) -> None:
    """No fall-back came before its time, and none is missing but at the end of a run."""
    captured = {record["id"]: record["monotonic_ns"] for record in made}
    fallbacks = [
        one
        for one in of_kind(records, "disposition/1")
        if one["by"] == "fallback" and one["inspection"] in captured
    ]
    waited = [one["monotonic_ns"] - captured[one["inspection"]] for one in fallbacks]
    assert len(waited) > 5
    assert min(waited) >= DEADLINE_S * 1e9
    asked = [one for one in made if one["asked"] and one["decision"] == "escalate"]
    assert len(asked) - len(fallbacks) < 2 * PARTS_BETWEEN + 20
