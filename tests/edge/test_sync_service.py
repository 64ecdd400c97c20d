"""The service as a process: what it says, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from edge.statusfile import StatusFile
from edge.store.journal import Journal
from edge.sync_service import LineWatch
from sync.topics import Station
from tests.edge.store.builders import sure
from tests.simulators.broker import Broker, free_port, running_broker
from tests.simulators.collector import Collector
from tests.simulators.patience import until

pytestmark = pytest.mark.broker

CONFIG = """\
station: {{site: plant-a, line: line-3, name: caps}}
state_dir: state
status_dir: status
camera: {{source: synthetic}}
model: {{bundle: "@rings"}}
sync: {{broker: "mqtt://127.0.0.1:{port}"}}
"""


class Service:
    """`edge-inspect sync` on a folder of its own, with a service manager's socket."""

    def __init__(self, folder, port):
        self.folder = folder
        (folder / "config.yaml").write_text(CONFIG.format(port=port))
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.manager.settimeout(60)
        self.process = None

    def record(self, records):
        journal = Journal.open(self.folder / "state" / "line.db", "boot-1", 0)
        journal.append(sure(records // 2))
        head = journal.head
        journal.close()
        return head

    def start(self, *options):
        code = "from edge.cli.main import main; main()"
        words = [sys.executable, "-c", code, "sync", "--config", str(self.folder / "config.yaml")]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [*words, *options],
                env={**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify")},
                stderr=log,
            )

    def heard(self, message):
        while self.manager.recv(1000) != message:
            pass

    def status(self):
        return StatusFile(self.folder / "status", "sync").read() or {}

    def until_status(self, condition):
        until(lambda: condition(self.status()), lambda: time.sleep(0.02))
        return self.status()

    def position(self):
        return json.loads((self.folder / "state" / "sync.json").read_text())["streams"]["line"]

    def end(self):
        return self.process.wait(60), (self.folder / "log").read_text()

    def close(self):
        self.manager.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def service(tmp_path, broker):
    service = Service(tmp_path, broker.port)
    yield service
    service.close()


def test_until_empty_delivers_everything_and_ends(service, broker):
    collector = Collector(broker.url, Station("plant-a", "line-3", "caps"))
    until(lambda: collector.subscribed, lambda: collector.step(time.monotonic()))
    epoch, seq, last = service.record(1200)
    service.start("--until-empty")
    assert service.end()[0] == 0
    assert service.position() == {"epoch": epoch, "seq": seq, "hash": last, "by": "broker"}
    until(lambda: collector.joined(epoch) == 1200, lambda: collector.step(time.monotonic()))

    def left():
        return json.loads(collector.status.get("status", b"{}")).get("sync") == "down"

    until(left, lambda: collector.step(time.monotonic()))
    assert json.loads(collector.status["status"])["station"] == "plant-a/line-3/caps"
    collector.close()
    service.start("--until-empty")
    assert service.end()[0] == 0
    assert collector.duplicates == 0
    assert (service.status()["state"], service.status()["connected"]) == ("stopped", False)


def test_it_tells_systemd_and_everybody_how_it_is(service):
    service.record(40)
    service.start()
    service.heard(b"READY=1")
    service.heard(b"WATCHDOG=1")
    service.heard(b"WATCHDOG=1")
    said = service.until_status(lambda status: status.get("connected") and not status["backlog"])
    assert said["schema"] == "status/1"
    assert said["service"] == "sync"
    assert (said["state"], said["causes"]) == ("ok", [])
    assert said["acknowledged"]["line"]["seq"] == 40
    assert said["pid"] == service.process.pid
    assert (service.folder / "status" / "sync.json").stat().st_mode & 0o777 == 0o644
    service.process.send_signal(signal.SIGTERM)
    service.heard(b"STOPPING=1")
    assert service.end()[0] == 0
    assert service.position()["seq"] == 40


def test_without_a_broker_it_says_why_and_goes_on_when_there_is_one(service, tmp_path):
    other = Broker(tmp_path / "late")
    (tmp_path / "config.yaml").write_text(CONFIG.format(port=other.port))
    service.record(10)
    service.start()
    said = service.until_status(lambda status: status.get("state") == "degraded")
    [cause] = said["causes"]
    assert "nobody listens" in cause["what"]
    assert set(cause) == {"what", "since", "parts", "mend"}
    assert said["backlog"] == 10
    other.start()
    try:
        said = service.until_status(lambda status: status.get("state") == "ok")
        assert said["connected"]
        service.process.send_signal(signal.SIGINT)
        code, log = service.end()
        assert code == 0
        assert "warning sync.trouble" in log
        assert "Traceback" not in log
    finally:
        other.kill()


def test_a_position_that_cannot_be_written_is_said_and_delivery_goes_on(service):
    service.record(10)
    (service.folder / "state" / "sync.json").mkdir()
    service.start()
    said = service.until_status(lambda status: status.get("causes") and not status["backlog"])
    assert "position" in said["causes"][0]["what"]
    service.process.send_signal(signal.SIGTERM)
    assert service.end()[0] == 0


def test_a_second_one_on_the_same_directory_is_refused(service):
    service.start()
    service.heard(b"READY=1")
    first = service.process
    service.start()
    code, words = service.end()
    assert code == 1
    assert f"pid {first.pid}" in words
    first.kill()
    first.wait()


def test_a_second_signal_forces(service):
    """A broker that takes segments and says nothing keeps the first signal waiting."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        (service.folder / "config.yaml").write_text(CONFIG.format(port=port))
        service.record(10)
        service.start()
        peer, _ = silent.accept()
        with peer:
            peer.recv(1000)
            peer.sendall(bytes([0x20, 3, 0, 0, 0]))  # CONNACK, and then silence
            service.until_status(lambda status: status.get("connected"))
            service.process.send_signal(signal.SIGTERM)
            service.heard(b"STOPPING=1")
            service.process.send_signal(signal.SIGTERM)
            assert service.end()[0] == 130


def test_wrong_configurations_exit_2(service):
    path = service.folder / "config.yaml"
    text = path.read_text()
    path.write_text(text.replace("broker:", "brocker:"))
    service.start()
    code, words = service.end()
    assert code == 2
    assert "did you mean broker" in words
    path.write_text("\n".join(line for line in text.splitlines() if not line.startswith("sync")))
    service.start()
    code, words = service.end()
    assert code == 2
    assert "section sync" in words


def test_until_empty_where_nothing_was_recorded_fails(service):
    service.start("--until-empty")
    code, words = service.end()
    assert code == 1
    assert "nothing is recorded" in words


def test_no_broker_reached_yet_can_be_stopped(service):
    (service.folder / "config.yaml").write_text(CONFIG.format(port=free_port()))
    service.start()
    service.heard(b"READY=1")
    service.process.send_signal(signal.SIGTERM)
    assert service.end()[0] == 0


def test_the_line_is_up_while_its_file_changes(tmp_path):
    file = StatusFile(tmp_path, "line")
    watch = LineWatch(file)
    assert not watch.up(0.0)
    file.write({"state": "ok", "pid": 1, "at": "t1"})
    assert watch.up(1.0)
    assert watch.up(5.9)
    assert not watch.up(6.1)  # nothing new for five seconds
    file.write({"state": "degraded", "pid": 1, "at": "t2"})
    assert watch.up(7.0)
    file.write({"state": "stopped", "pid": 1, "at": "t3"})
    assert not watch.up(7.1)


def test_what_an_old_line_left_behind_is_no_sign_of_life(tmp_path):
    file = StatusFile(tmp_path, "line")
    file.write({"state": "ok", "pid": 1, "at": "t1"})
    watch = LineWatch(file)
    assert not watch.up(0.0)
    assert not watch.up(1.0)
    file.write({"state": "ok", "pid": 2, "at": "t2"})
    assert watch.up(2.0)
