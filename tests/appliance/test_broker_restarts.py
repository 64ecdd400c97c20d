"""The whole way: line → line.db → sync → mosquitto, which goes away three times."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path

import pytest

from sync.topics import Station
from tests.appliance.station import pictures, rows, start, station
from tests.simulators.broker import Broker
from tests.simulators.collector import Collector
from tests.simulators.patience import until

PARTS = 2000


@pytest.mark.broker
@pytest.mark.slow
def test_all_parts_arrive(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pictures", 25)
    broker = Broker(tmp_path / "broker")
    broker.start()
    settings = station(
        tmp_path,
        {"source": "folder", "path": str(folder), "loop": True},
        sync={"broker": broker.url},
        storage={"images": "none"},
    )
    collector = Collector(broker.url, Station("plant", "line", "station"))

    def take() -> None:
        collector.step(time.monotonic())
        threading.Event().wait(0.01)

    def arrived() -> int:
        return sum(len(records) for records in collector.records.values())

    until(lambda: collector.subscribed, take)
    with start(settings, "sync") as sync, start(settings, "run", "--parts", str(PARTS)) as line:
        for _ in range(3):
            before = arrived()
            until(lambda seen=before: arrived() > seen, take)  # type: ignore[misc]
            broker.restart()
        until(lambda: line.poll() is not None, take)
        assert line.returncode == 0
        recorded = [row.body for row in rows(settings)]
        until(lambda: arrived() == len(recorded), take)
        sync.send_signal(signal.SIGTERM)
        assert sync.wait() == 0
    collector.close()
    broker.stop()
    (epoch,) = collector.records
    assert collector.joined(epoch) == len(recorded)
    assert list(collector.records[epoch].values()) == recorded
    kinds = [json.loads(body)["schema"] for body in recorded]
    assert kinds.count("inspection/1") == PARTS
