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

from edge.line_watch import LineWatch
from edge.statusfile import StatusFile
from edge.store.journal import Journal
from edge.sync_service import SyncService
from sync.broker import Address
from sync.mqtt import MqttTransport, Settings
from sync.topics import Station
from sync.uplink import Step
from tests.edge.store.builders import sure
from tests.simulators.broker import Broker, free_port, running_broker
from tests.simulators.collector import Acknowledging, Collector
from tests.simulators.patience import beside, until

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
        until(lambda: condition(self.status()), beside(self.process))
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


KEY = b"a key that collectors share"


def to_collectors(service, broker, key=None):
    """The configuration for `acknowledge: collector`."""
    more = ", acknowledge: collector" + (f", ack_key_file: {key}" if key else "")
    text = CONFIG.format(port=broker.port)
    head, _, sync = text.rpartition("sync: {")
    sync = sync.replace("}", more + "}")
    (service.folder / "config.yaml").write_text(head + "sync: {" + sync)


@pytest.mark.slow
def test_until_empty_waits_for_the_word_of_a_collector(service, broker):
    (service.folder / "key").write_bytes(KEY + b"\n")
    to_collectors(service, broker, "key")
    epoch, seq, last = service.record(1200)
    service.start("--until-empty")
    said = service.until_status(
        lambda status: any(one["waiting_for"] == "collector" for one in status.get("streams", []))
    )
    assert said["acknowledge"] == "collector"
    assert said["collector"] is None
    assert said["acknowledged"]["line"]["seq"] == 0
    collector = Acknowledging(broker.url, Station("plant-a", "line-3", "caps"), key=KEY)

    def ended():
        return service.process.poll() is not None

    until(ended, lambda: (collector.step(time.monotonic()), beside(service.process)()))
    assert service.end()[0] == 0
    held = {"epoch": epoch, "seq": seq, "hash": last, "by": collector.store}
    assert service.position() == held
    assert collector.joined(epoch) == 1200
    said = service.status()
    assert said["collector"]["store"] == collector.store
    assert said["acknowledged"]["line"] == {
        "epoch": epoch, "seq": seq, "by": collector.store, "head": seq,
    }  # fmt: skip
    collector.close()


def test_a_key_that_cannot_be_read_is_a_cause(service, broker):
    to_collectors(service, broker, "nothing-here")
    service.record(10)
    service.start()
    said = service.until_status(
        lambda status: any("ack_key_file" in c["what"] for c in status.get("causes", []))
    )
    assert said["state"] == "degraded"
    service.process.send_signal(signal.SIGTERM)
    assert service.end()[0] == 0


@pytest.mark.slow
def test_nonsense_is_said_in_the_log_and_counted(service, broker):
    to_collectors(service, broker)
    service.record(10)
    service.start()
    service.until_status(lambda status: status.get("connected"))
    stranger = MqttTransport(Settings(Address.parse(broker.url), "stranger"))
    stranger.connect()
    for _ in range(20):
        stranger.publish("ei/v1/plant-a/line-3/caps/ack/line", b"nonsense")
    said = service.until_status(lambda status: status["ignored"] == 20)
    assert said["acknowledged"]["line"]["seq"] == 0
    stranger.close()
    service.process.send_signal(signal.SIGTERM)
    code, log = service.end()
    assert code == 0
    assert "sync.ignored" in log
    assert log.count("sync.ignored") < 5


class Stub:
    """A part of the service that says what the test wants."""

    def __init__(self, **members):
        self.__dict__.update(members)


def test_the_watchdog_is_fed_only_while_every_thread_lives():
    fed = []
    uplink = Stub(
        moving=True,
        step=lambda now: Step(0, 0, False, 0.1),
        troubles=lambda now: [],
        drained=False,
        streams=Stub(backlog=0),
    )
    status = Stub(write=lambda *_: None, acknowledged=lambda *_: None, broker="mqtt://x")
    notifier = Stub(watchdog=lambda: fed.append(1), status=lambda text: None)
    service = SyncService(uplink, None, status, notifier)
    service.step(0.0)
    uplink.moving = False
    service.step(1.0)
    assert len(fed) == 1
    uplink.moving = True
    service.step(2.0)
    assert len(fed) == 2


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


@pytest.mark.slow
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
