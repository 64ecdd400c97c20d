"""Power cuts at the collector: what it has acknowledged, stations delete. It must be there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from edge.collecting import _wall
from sync import chain
from sync.acknowledgement import decode_acknowledgement
from sync.broker import Address
from sync.fleet.central import Central
from sync.fleet.database import Database
from sync.mqtt import MqttTransport, Settings
from sync.topics import Station
from sync.transport import Acknowledged, Connected, Message
from tests.appliance.station import pictures, rows, start, station
from tests.conftest import SOAK
from tests.faults.powercut import Disk, moments, write_tree
from tests.faults.preload import Event, Faults
from tests.faults.quick import scratch
from tests.simulators.broker import running_broker
from tests.simulators.patience import until

CUTS = 500 if SOAK else 60
PARTS = 300
ACK = Station("plant", "line", "station").ack("line")


class Listener:
    """Hears acknowledgements, and marks each in the record of what the collector does."""

    def __init__(self, url: str, faults: Faults) -> None:
        self.through = 0
        self.listens = False
        self._faults = faults
        self._transport = MqttTransport(Settings(Address.parse(url), "listener"))
        self._transport.connect()

    def step(self) -> None:
        self._transport.wait(0.01)
        for event in self._transport.events():
            if isinstance(event, Connected):
                self._transport.subscribe(ACK)
            elif isinstance(event, Acknowledged):
                self.listens = True
            elif isinstance(event, Message):
                (held,) = decode_acknowledgement(event.topic, event.payload, None).epochs
                self.through = held.through
                self._faults.mark(str(held.through))

    def close(self) -> None:
        self._transport.close()


def record(tmp_path: Path) -> tuple[Path, list[Event], list[bytes]]:
    """A collector takes in what a station sends, with a kill in between; its folder."""
    top = tmp_path / "top"
    top.mkdir()
    faults = Faults(tmp_path / "faults", top, record=True)
    with running_broker(tmp_path / "broker") as broker:
        camera = {"source": "folder", "path": str(pictures(tmp_path / "p", 5)), "loop": True}
        delivery = {"broker": broker.url, "acknowledge": "collector"}
        settings = station(tmp_path, camera, sync=delivery, storage={"images": "none"})
        listener = Listener(broker.url, faults)
        until(lambda: listener.listens, listener.step)
        sync = start(settings, "sync", stdout=subprocess.DEVNULL)
        collector = collect(faults, broker.url, top)
        try:
            for turn in (1, 2):
                with start(settings, "run", "--parts", str(PARTS)) as line:
                    assert line.wait() == 0
                most = len(rows(settings))
                until(lambda enough=most: listener.through >= enough, listener.step)  # type: ignore[misc]
                collector.kill()
                collector.wait()
                if turn == 1:
                    collector = collect(faults, broker.url, top)
        finally:
            for process in (sync, collector):
                process.kill()
                process.wait()
            listener.close()
    return top, faults.events(), [row.body for row in rows(settings)]


def collect(faults: Faults, broker: str, top: Path) -> subprocess.Popen[bytes]:
    words = ["fleet", "serve", "--collect-only", "--broker", broker]
    command = [sys.executable, "-m", "edge", *words, "--database", f"sqlite:///{top}/fleet.db"]
    return subprocess.Popen(command, env=faults.environment, stdout=subprocess.DEVNULL)


def held(path: Path) -> list[bytes]:
    """What a collector that starts now holds of the stream, from a chain that is whole."""
    database = Database(f"sqlite:///{path}")
    try:
        Central(database, _wall)
        with database.transaction() as connection:
            found = connection.exec_driver_sql(
                "SELECT seq, body, hash FROM records ORDER BY seq"
            ).all()
    finally:
        database.close()
    last, bodies = chain.GENESIS, []
    for number, (seq, body, digest) in enumerate(found, 1):
        last = chain.link(last, body.encode())
        assert (seq, digest.hex()) == (number, last)
        bodies.append(body.encode())
    return bodies


@pytest.mark.broker
@pytest.mark.slow
def test_what_was_acknowledged_is_held(tmp_path: Path) -> None:
    top, events, recorded = record(tmp_path)
    disk, taken, promised = Disk(top), 0, 0
    with scratch(tmp_path) as folder:
        for number, place in enumerate(moments(events, CUTS, Random(3))):
            for event in events[taken:place]:
                disk.take(event)
                if event.op == "M" and event.data.strip().isdigit():
                    promised = max(promised, int(event.data))
            taken = place
            target = folder / str(number)
            write_tree(disk.after_power_cut(number), target)
            found = held(target / "fleet.db")
            assert found == recorded[: len(found)]
            assert len(found) >= promised, f"power cut {number}"
            shutil.rmtree(target)
    assert promised > 2 * PARTS
