"""Against a real mosquitto."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading

import pytest

from sync.broker import Address, Login
from sync.mqtt import MqttTransport, Settings, Will
from sync.transport import Acknowledged, Connected, Disconnected, Message, Refused
from tests.simulators.broker import Broker, free_port, running_broker
from tests.simulators.patience import until

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


class Client:
    """A transport whose events are kept."""

    def __init__(self, url, name="station", **settings):
        self.transport = MqttTransport(Settings(Address.parse(url), name, **settings))
        self.seen = []
        self.transport.connect()

    def wait_for(self, kind, count=1):
        def found():
            self.seen += self.transport.events()
            return len(self.of(kind)) >= count

        until(found, lambda: self.transport.wait(0.2))
        return self.of(kind)[-1]

    def of(self, kind):
        return [event for event in self.seen if isinstance(event, kind)]


@pytest.fixture
def client():
    clients = []

    def make(*args, **settings):
        clients.append(Client(*args, **settings))
        return clients[-1]

    yield make
    for one in clients:
        one.transport.close()


def test_publish_is_acknowledged_and_arrives(broker, client):
    reader = client(broker.url, "reader")
    reader.wait_for(Connected)
    token = reader.transport.subscribe("ei/v1/a/b/c/#")
    assert reader.wait_for(Acknowledged).token == token
    writer = client(broker.url)
    writer.wait_for(Connected)
    tokens = [writer.transport.publish("ei/v1/a/b/c/results/line", b"%d" % n) for n in range(300)]
    writer.wait_for(Acknowledged, 300)
    assert sorted(event.token for event in writer.of(Acknowledged)) == sorted(tokens)
    reader.wait_for(Message, 300)
    assert [m.payload for m in reader.of(Message)] == [b"%d" % n for n in range(300)]
    assert reader.of(Message)[0].topic == "ei/v1/a/b/c/results/line"


def test_an_acknowledgement_never_comes_before_its_token_is_known(broker, client):
    """The token is known from the message id alone, so a fast broker cannot overtake it."""
    writer = client(broker.url)
    writer.wait_for(Connected)
    for number in range(200):
        token = writer.transport.publish("fast", b"x")
        assert writer.wait_for(Acknowledged, number + 1).token == token


def test_small_packets_are_not_delayed(broker, client):
    writer = client(broker.url)
    writer.wait_for(Connected)
    found = writer.transport._connection._client.socket()
    assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_only_the_loop_writes_to_the_socket(broker, client):
    writer = client(broker.url)
    writer.wait_for(Connected)
    inner, writers = writer.transport._connection._client, []
    write = inner.loop_write
    inner.loop_write = lambda: (writers.append(threading.current_thread().name), write())[1]
    for _ in range(50):
        writer.transport.publish("quiet", b"x" * 100)
    writer.wait_for(Acknowledged, 50)
    assert set(writers) == {"mqtt"}


def test_the_will_comes_when_we_vanish_and_not_when_we_leave(broker, client):
    reader = client(broker.url, "reader")
    reader.wait_for(Connected)
    reader.transport.subscribe("will")
    reader.wait_for(Acknowledged)
    polite = client(broker.url, "one", will=Will("will", b"polite"))
    polite.wait_for(Connected)
    polite.transport.publish("will", b"last word")
    polite.transport.close()
    reader.wait_for(Message)
    rude = client(broker.url, "two", will=Will("will", b"gone"))
    rude.wait_for(Connected)
    rude.transport.drop()
    reader.wait_for(Message, 2)
    assert [m.payload for m in reader.of(Message)] == [b"last word", b"gone"]
    late = client(broker.url, "late")
    late.wait_for(Connected)
    late.transport.subscribe("will")
    assert late.wait_for(Message) == Message("will", b"gone", True)


def test_a_second_client_of_our_name_is_among_the_reasons(broker, client):
    first = client(broker.url, "same")
    first.wait_for(Connected)
    client(broker.url, "same").wait_for(Connected)
    lost = first.wait_for(Disconnected)
    assert "second sync service" in lost.mend or "another client has our name" in lost.what


def test_nobody_listens(client):
    assert "nobody listens" in client(f"mqtt://127.0.0.1:{free_port()}").wait_for(Disconnected).what


def test_an_unknown_name(client):
    assert "is not known" in client("mqtt://no-such-host.invalid").wait_for(Disconnected).what


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 64, b"\x20\x00"],
    ids=["http", "noise", "short"],
)
def test_a_peer_that_is_no_broker(client, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        other = client(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        peer, _ = server.accept()
        with peer:
            peer.recv(100)
            with contextlib.suppress(OSError):  # it may hang up at the first wrong byte
                peer.sendall(answer)
                peer.shutdown(socket.SHUT_WR)
            other.wait_for(Disconnected)
    assert other.of(Connected) == []


def test_wrong_password_unknown_user_and_the_right_one(tmp_path, client):
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", passwords, "caps", "secret"], check=True)
    rules = ("allow_anonymous false", f"password_file {passwords}")
    with running_broker(tmp_path / "broker", rules) as broker:
        login = tmp_path / "login"
        for text in ("caps\nwrong\n", "nobody\nsecret\n"):
            login.write_text(text)
            refused = client(broker.url, login=Login(credentials=login)).wait_for(Disconnected)
            assert "does not allow this" in refused.what or "is wrong" in refused.what
            assert "credentials_file" in refused.mend
        assert "allow" in client(broker.url).wait_for(Disconnected).what
        login.write_text("caps\nsecret\n")
        client(broker.url, login=Login(credentials=login)).wait_for(Connected)


def test_a_missing_credentials_file(broker, client, tmp_path):
    found = client(broker.url, login=Login(credentials=tmp_path / "none")).wait_for(Disconnected)
    assert "missing" in found.what


def test_the_brokers_limits_and_refusals_are_read(tmp_path, client):
    access = tmp_path / "access"
    access.write_text("topic write allowed\ntopic read #\n")
    access.chmod(0o600)
    rules = ("max_packet_size 5000", "max_inflight_messages 7", f"acl_file {access}")
    with running_broker(tmp_path / "broker", rules) as broker:
        writer = client(broker.url)
        limits = writer.wait_for(Connected)
        assert limits.largest_packet == 5000
        assert limits.receive_maximum == 7
        token = writer.transport.publish("forbidden", b"x")
        refused = writer.wait_for(Refused)
        assert refused.token == token
        assert "access list" in refused.mend


def test_a_message_that_is_larger_than_we_take_never_comes(broker, client):
    writer = client(broker.url)
    writer.wait_for(Connected)
    for leaf, size in (("kept", 70_000), ("kept", 10_000), ("huge", 70_000)):
        writer.transport.publish(f"largest/{leaf}", bytes(size), retain=True)
    writer.wait_for(Acknowledged, 3)
    reader = client(broker.url, "reader", largest=65_536)
    reader.wait_for(Connected)
    reader.transport.subscribe("largest/#")
    reader.wait_for(Message)
    writer.transport.publish("largest/huge", bytes(70_000))
    writer.transport.publish("largest/last", b"last")
    reader.wait_for(Message, 2)
    assert [(m.topic, len(m.payload)) for m in reader.of(Message)] == [
        ("largest/kept", 10_000),
        ("largest/last", 4),
    ]
    assert reader.of(Disconnected) == []


def test_a_broker_that_is_killed_and_comes_back(tmp_path, client):
    broker = Broker(tmp_path)
    broker.start()
    try:
        writer = client(broker.url)
        writer.wait_for(Connected)
        broker.kill()
        writer.wait_for(Disconnected)
        assert not writer.transport.alive or writer.transport._connection._thread.join(5) is None
        writer.transport.publish("nobody/hears", b"x")
        broker.start()
        writer.transport.connect()
        writer.wait_for(Connected, 2)
        token = writer.transport.publish("again", b"x")
        assert writer.wait_for(Acknowledged).token == token
    finally:
        broker.kill()


# paho leaves a socket whose handshake failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_encrypted(tmp_path, client):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*command.split(), *subject, "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    rules = (
        f"listener {port} 127.0.0.1",
        f"certfile {certificate}",
        f"keyfile {key}",
        "allow_anonymous true",
        "per_listener_settings false",
    )
    with running_broker(tmp_path / "broker", rules):
        url = f"mqtts://127.0.0.1:{port}"
        assert "authority that we do not know" in client(url).wait_for(Disconnected).what
        writer = client(url, login=Login(ca=certificate))
        writer.wait_for(Connected)
        for number in range(20):
            writer.transport.publish("large", bytes(50_000))
            writer.wait_for(Acknowledged, number + 1)


def test_no_thread_and_no_descriptor_leaks(broker):
    import os

    def open_now():
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    before = None
    for number in range(30):
        one = Client(broker.url, "leak")
        one.wait_for(Connected)
        if number % 2:
            one.transport.connect()
            one.wait_for(Connected, 2)
        one.transport.close()
        other = Client(f"mqtt://127.0.0.1:{free_port()}")
        other.wait_for(Disconnected)
        other.transport.close()
        if number == 4:
            before = open_now()
    until(lambda: open_now() <= before, lambda: threading.Event().wait(0.05))
