"""The collector as a process: what it says, how it ends, and what it outlives."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from edge.collecting import CollectorService, lock_of, take_lock
from edge.notify import Notifier
from edge.store.errors import Held
from edge.store.lock import Lock
from sync.acknowledgement import decode_acknowledgement
from sync.broker import Address
from sync.fleet.database import Database
from sync.fleet.filing import Tally
from sync.fleet.ledger import ledger
from sync.mqtt import MqttTransport, Settings
from sync.transport import Connected, Message
from tests.simulators.broker import free_port, running_broker
from tests.simulators.patience import until
from tests.sync.fleet.plant import STATION, Chain

pytestmark = pytest.mark.broker

ACK = STATION.ack("line")


def test_a_command_that_holds_the_database_is_waited_for_and_a_service_is_not(
    tmp_path, monkeypatch
):
    file, waits = tmp_path / "fleet.db", []
    command = Lock(lock_of(file), "edge-inspect fleet push")
    monkeypatch.setattr(
        "edge.collecting.time.sleep", lambda s: (waits.append(s), command.release())
    )
    with take_lock(file):
        assert len(waits) == 1
    with Lock(lock_of(file), "edge-inspect fleet serve"), pytest.raises(Held):
        take_lock(file)
    assert len(waits) == 1


def pause():
    threading.Event().wait(0.02)


class Service:
    """`edge-inspect fleet serve --collect-only`, and what it says on standard error."""

    def __init__(self, folder, broker, url, *more):
        self.log = folder / f"log-{len(list(folder.glob('log-*')))}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "edge", "fleet", "serve", "--collect-only"),
                    *("--broker", broker, "--database", url, *more),
                ],
                stderr=log,
                stdout=subprocess.PIPE,
            )

    def until_said(self, words, times=1):
        until(lambda: len(re.findall(words, self.said)) >= times or self.ended, pause)
        assert len(re.findall(words, self.said)) >= times, self.said

    @property
    def said(self):
        return self.log.read_text()

    @property
    def ended(self):
        return self.process.poll() is not None

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(30)


class Talk:
    """Publishes segments as a station does, and hears the acknowledgements."""

    def __init__(self, url):
        self.transport = MqttTransport(Settings(Address.parse(url), "talk"))
        self.through = 0
        self.words = []
        self.transport.connect()
        self.up = False
        until(lambda: self.up, self.listen)
        self.transport.subscribe(ACK)

    def listen(self):
        self.transport.wait(0.05)
        for event in self.transport.events():
            self.up = self.up or isinstance(event, Connected)
            if isinstance(event, Message):
                said = decode_acknowledgement(event.topic, event.payload)
                self.words.append(said)
                self.through = max(one.through for one in said.epochs)

    def send(self, chain, first, last):
        """Until it is acknowledged; sent again now and then, as a station does."""
        send_at = 0.0
        while self.through < last:
            if time.monotonic() >= send_at:
                send_at = time.monotonic() + 0.5
                self.transport.publish(chain.topic, chain.payload(first, last))
            self.listen()


@pytest.fixture
def broker(tmp_path):
    with running_broker(tmp_path / "broker") as one:
        yield one


@pytest.fixture
def serve(tmp_path):
    started = []

    def start(broker, url=f"sqlite:///{tmp_path}/fleet.db", *more):
        started.append(Service(tmp_path, broker, url, *more))
        return started[-1]

    yield start
    for one in started:
        if not one.ended:
            one.process.kill()
            one.process.wait()
        one.process.stdout.close()


def held(url):
    database = Database(url, read_only=True)
    try:
        return sum(entry.account.held for entry in ledger(database))
    finally:
        database.close()


def test_it_collects_acknowledges_and_ends_in_good_order(broker, serve, tmp_path):
    service, chain = serve(broker.url), Chain(500)
    service.until_said("fleet.well")
    talk = Talk(broker.url)
    talk.send(chain, 1, 300)
    talk.send(chain, 301, 500)
    assert service.end() == 0
    assert "fleet.stopped" in service.said
    assert service.process.stdout.read() == b""
    assert held(f"sqlite:///{tmp_path}/fleet.db") == 500
    late = Talk(broker.url)  # the last word is retained
    until(lambda: late.through == 500, late.listen)
    talk.transport.close()
    late.transport.close()


def test_nonsense_of_every_kind_is_one_line_and_has_no_effect(broker, serve):
    service, chain = serve(broker.url), Chain(50)
    service.until_said("fleet.well")
    talk = Talk(broker.url)
    for number in range(300):
        payload = bytes([number % 256]) * (number + 1)
        talk.transport.publish(chain.topic, payload)
        talk.transport.publish(STATION.status, payload)
        talk.transport.publish("ei/v1/a/b/c/results/line", chain.payload(1, 50))
    service.until_said("fleet.nonsense")
    talk.send(chain, 1, 50)
    assert service.end() == 0
    assert service.said.count("fleet.nonsense") < 10
    assert "records=50 " in service.said.splitlines()[-1]
    talk.transport.close()


def test_a_broker_that_is_not_there_is_waited_for(serve, tmp_path):
    port = free_port()
    service = serve(f"mqtt://127.0.0.1:{port}")
    service.until_said("nobody listens at mqtt://127.0.0.1")
    assert service.end() == 0


def test_two_on_one_file_are_one_too_many(broker, serve):
    first = serve(broker.url)
    first.until_said("fleet.well")
    second = serve(broker.url)
    assert second.process.wait(30) == 1
    assert f"pid {first.process.pid}" in second.said
    assert first.end() == 0


@pytest.mark.postgres
def test_a_server_that_dies_is_met_again(broker, serve, postgres):
    url = postgres.create()
    service, chain = serve(broker.url, url), Chain(400)
    service.until_said("fleet.well")
    talk = Talk(broker.url)
    talk.send(chain, 1, 100)
    postgres.kill()
    talk.transport.publish(chain.topic, chain.payload(101, 200))
    service.until_said("fleet.trouble")
    assert "psql" in service.said
    postgres.start()
    talk.send(chain, 101, 200)
    assert service.end() == 0
    assert held(url) == 200
    talk.transport.close()


@pytest.mark.postgres
def test_it_starts_before_its_server_does(broker, serve, postgres):
    url = postgres.create()
    postgres.stop()
    service, chain = serve(broker.url, url), Chain(10)
    service.until_said("fleet.trouble")
    postgres.start()
    service.until_said("fleet.well")
    talk = Talk(broker.url)
    talk.send(chain, 1, 10)
    assert service.end() == 0
    talk.transport.close()


def test_a_second_signal_ends_at_once(broker, serve):
    service = serve(broker.url)
    service.until_said("fleet.well")
    os.kill(broker.pid, signal.SIGSTOP)  # so that the good-bye takes its time
    try:
        until(lambda: service.ended, lambda: (service.process.terminate(), pause()))
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert service.process.returncode == 130


class Broken:
    """A collector of which every step fails."""

    listening, stopped, streams, troubles = False, False, 0, ()

    def __init__(self):
        self.faults = []
        self.counters = type("Counters", (), {"nonsense": 0, "refused": 0, "tally": Tally()})()

    def step(self, now):
        raise RuntimeError("nobody thought of this")

    def fault(self, what, now):
        self.faults.append(what)


def test_a_step_that_fails_is_said_and_begun_again(capsys):
    broken = Broken()
    service = CollectorService(broken, None, Notifier({}))
    assert service.step(1.0) > 0
    assert service.step(2.0) > 0
    assert len(broken.faults) == 2
    assert "nobody thought of this" in capsys.readouterr().err
