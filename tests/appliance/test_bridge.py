"""The samples in docs/samples with real brokers: a station, its plant's broker, the fleet's broker
and a collector; certificates, access files and the bridge are as the documentation says."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edge.statusfile import StatusFile
from edge.store.journal import Journal
from sync.fleet.acl import Bridge, mosquitto
from tests.edge.store.builders import sure
from tests.simulators.broker import Broker
from tests.simulators.patience import beside, until
from tests.simulators.pki import Authority

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
STATION = "plant-a/line-3/caps"
CONFIG = """\
station: {{site: plant-a, line: line-3, name: caps}}
state_dir: state
status_dir: status
camera: {{source: synthetic}}
model: {{bundle: "@rings"}}
sync:
  broker: "mqtts://127.0.0.1:{port}"
  acknowledge: collector
  ca_file: {ca}
  certificate_file: {own.certificate}
  key_file: {own.key}
"""


class SampleBroker(Broker):
    """mosquitto with Debian's main file, and samples of ours in its folder conf.d."""

    def __init__(self, folder: Path, access: str, samples: list[str]) -> None:
        super().__init__(folder)
        self.url = f"mqtts://127.0.0.1:{self.port}"
        self._samples = samples
        folder.mkdir(parents=True)
        (folder / "acl").write_text(access)
        (folder / "acl").chmod(0o600)

    def _configuration(self) -> list[str]:
        store, conf_d = self.folder / "store", self.folder / "conf.d"
        store.mkdir(exist_ok=True)
        conf_d.mkdir(exist_ok=True)
        for number, sample in enumerate(self._samples):
            (conf_d / f"{number}.conf").write_text(sample)
        return [
            *(["user root"] if os.geteuid() == 0 else []),
            "persistence true",
            f"persistence_location {store}/",
            "log_dest stderr",
            f"include_dir {conf_d}",
        ]


def sample(name, **replaced):
    """A sample with its paths and its port replaced; each of them must be in it."""
    text = (SAMPLES / name).read_text()
    for old, new in replaced.values():
        assert old in text
        text = text.replace(old, str(new))
    return text


@pytest.fixture
def plants(tmp_path):
    """The fleet's broker and the plant's, which is bridged to it, as in the samples."""
    pki = Authority(tmp_path / "pki")
    bridge = pki.issue("bridge-a")

    def made(name, access, *more):
        broker = SampleBroker(tmp_path / name, access, [])
        server = pki.issue("broker", ("127.0.0.1",))
        broker._samples = [
            sample(
                "mosquitto.conf",
                acl=("/etc/mosquitto/edge-inspect.acl", broker.folder / "acl"),
                listener=("listener 8883", f"listener {broker.port} 127.0.0.1"),
                ca=("/etc/mosquitto/certs/ca.pem", pki.file),
                certificate=("/etc/mosquitto/certs/broker.pem", server.certificate),
                key=("/etc/mosquitto/certs/broker.key", server.key),
            ),
            *more,
        ]
        return broker

    fleet = made("fleet", mosquitto(["central"], bridges=[Bridge("bridge-a", "plant-a")]))
    link = sample(
        "bridge.conf",
        address=("fleet.example.com:8883", f"127.0.0.1:{fleet.port}"),
        ca=("/etc/mosquitto/certs/fleet-ca.pem", pki.file),
        certificate=("/etc/mosquitto/certs/bridge.pem", bridge.certificate),
        key=("/etc/mosquitto/certs/bridge.key", bridge.key),
    )
    # Behind the bridge nobody but it may acknowledge; bridges are above the plant's access file.
    plant = made("plant", mosquitto(["nobody-here"]), link)
    fleet.start()
    plant.start()
    yield pki, plant, fleet
    for broker in (plant, fleet):
        if broker.running:
            broker.kill()


@pytest.mark.broker
@pytest.mark.slow
def test_a_station_behind_a_bridge_is_delivered_to_the_fleets_collector(plants, tmp_path):
    pki, plant, fleet = plants
    own, central = pki.issue(STATION), pki.issue("central", end=20)
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(port=plant.port, ca=pki.file, own=own))
    journal = Journal.open(tmp_path / "state" / "line.db", "boot-1", 0)
    journal.append(sure(30))
    database = tmp_path / "fleet.db"
    collector = [
        "fleet", "serve", "--collect-only", "--broker", fleet.url,
        "--database", f"sqlite:///{database}", "--ca-file", pki.file,
        "--certificate-file", central.certificate, "--key-file", central.key,
    ]  # fmt: skip
    processes = []

    def start(*words):
        with open(tmp_path / f"log-{len(processes)}", "wb") as log:
            command = [sys.executable, "-m", "edge", *map(str, words)]
            processes.append(subprocess.Popen(command, stderr=log))

    def status():
        return StatusFile(tmp_path / "status", "sync").read() or {}

    def all_is_acknowledged():
        said = status().get("acknowledged") or {}
        line = said.get("line") or {}
        return line.get("seq") == journal.head[1] and line.get("by") not in (None, "broker")

    try:
        start("sync", "--config", config)
        start(*collector)
        until(all_is_acknowledged, beside(processes[0]))
        assert held(database) == journal.head[1]
        fleet.kill()
        fleet.wipe()
        journal.append(sure(20))
        fleet.start()
        until(all_is_acknowledged, beside(processes[0]))
        assert held(database) == journal.head[1]
    finally:
        journal.close()
        for process in processes:
            process.terminate()
        ended = [process.wait(60) for process in processes]
    assert ended == [0, 0]
    said = (tmp_path / "log-1").read_text()
    assert f"our certificate (central) ends on {central.end}" in said


def held(database):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        (number,) = connection.execute("SELECT count(*) FROM records").fetchone()
    connection.close()
    return number
