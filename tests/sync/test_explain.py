"""Every reason for having no broker, from a real mosquitto or a real socket."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

from sync import dial as dial_module
from sync.broker import Address, Login
from sync.expiry import Facts
from sync.mqtt import MqttTransport, Settings
from sync.transport import Acknowledged, Connected, Disconnected
from tests.simulators.broker import free_port, running_broker
from tests.simulators.patience import until
from tests.simulators.pki import Authority, days

pytestmark = [
    pytest.mark.broker,
    # OpenSSL's half-open handshakes are left to the garbage collector by paho.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def ask(url, login=None, facts=None, name="station", **more):
    """Connect once: the event that says how it went."""
    settings = Settings(Address.parse(url), name, login or Login(), **more)
    if facts is not None:
        settings = Settings(settings.address, name, settings.login, facts=lambda: facts)
    transport = MqttTransport(settings)
    found = []
    try:
        transport.connect()
        until(
            lambda: [found.append(e) for e in transport.events()] or found,
            lambda: transport.wait(0.2),
        )
        return found[0]
    finally:
        transport.close()


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pki"))


@contextlib.contextmanager
def tls_broker(folder, pki, server, *rules):
    """A mosquitto with TLS; its address."""
    port = free_port()
    listener = (f"listener {port} 127.0.0.1", f"certfile {server.certificate}")
    with running_broker(folder, (*listener, f"keyfile {server.key}", *rules)) as broker:
        yield f"mqtts://127.0.0.1:{port}", broker


@pytest.fixture(scope="module")
def plant(pki, tmp_path_factory):
    """A broker with TLS that lets everybody in."""
    server = pki.issue("broker", ("127.0.0.1", "broker.plant"))
    with tls_broker(tmp_path_factory.mktemp("plant"), pki, server, "allow_anonymous true") as found:
        yield found


@pytest.fixture(scope="module")
def strict(pki, tmp_path_factory):
    """A broker that knows its clients by their certificates."""
    server = pki.issue("broker", ("127.0.0.1",))
    rules = (
        f"cafile {pki.file}",
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
    )
    with tls_broker(tmp_path_factory.mktemp("strict"), pki, server, *rules) as (url, _):
        yield url


def own(pki, issued):
    return Login(ca=pki.file, certificate=issued.certificate, key=issued.key)


# Us and the network


def test_no_name_server_answers(monkeypatch):
    asked, end = threading.Event(), threading.Event()

    def hang(*args, **more):
        asked.set()
        end.wait(60)
        return []

    monkeypatch.setattr(dial_module.socket, "getaddrinfo", hang)
    with pytest.raises(dial_module.DialError) as error:
        dial_module.dial(Address("broker.plant", 1883, False), None, 0.05)
    assert asked.is_set()
    end.set()
    assert error.value.stage == "name"
    monkeypatch.setattr(dial_module, "_resolve", _no_answer)
    found = ask("mqtt://broker.plant")
    assert found.what == "no name server answers the question for broker.plant"


def _no_answer(address, within_s):
    raise TimeoutError("the name server does not answer")


def test_a_resolver_that_fails_for_now(monkeypatch):
    def busy(*args, **more):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(dial_module.socket, "getaddrinfo", busy)
    assert "no name server answers" in ask("mqtt://broker.plant").what


def test_a_peer_that_never_takes_the_connection(monkeypatch):
    """Its queue of connections is full, as behind a firewall that swallows everything."""
    monkeypatch.setattr("sync.opening.DIAL_WITHIN_S", 0.3)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        place = server.getsockname()
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                one = stack.enter_context(socket.socket())
                one.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    one.connect(place)
            found = ask(f"mqtt://127.0.0.1:{place[1]}")
    assert found.what == f"mqtt://127.0.0.1:{place[1]} does not answer"


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts"])
def test_a_peer_that_takes_the_connection_and_says_nothing(monkeypatch, scheme):
    monkeypatch.setattr("sync.opening.DIAL_WITHIN_S", 0.2)
    monkeypatch.setattr("sync.opening.TAKEN_WITHIN_S", 0.2)
    monkeypatch.setattr("sync.probe.WITHIN_S", 0.2)
    monkeypatch.setattr("sync.pump.AT_LEAST_EVERY_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = ask(f"{scheme}://127.0.0.1:{server.getsockname()[1]}")
    words = {"mqtt": "says nothing", "mqtts": "does not answer the TLS handshake"}
    assert f"takes the connection and {words[scheme]}" in found.what


def serve(answer):
    """A peer that reads a little, gives one answer to everybody, and hangs up; its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def run():
        with contextlib.suppress(OSError):
            while True:
                peer, _ = server.accept()
                with peer, contextlib.suppress(OSError):
                    peer.recv(1000)
                    peer.sendall(answer)
                    peer.shutdown(socket.SHUT_WR)
                    peer.recv(1000)

    threading.Thread(target=run, daemon=True).start()
    return server, server.getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "but with 'HTTP/1.1 400 Bad'"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "but with 'SSH-2.0-OpenSSH_'"),
        (b"\x20\x02\x00\x01", "does not speak MQTT 5"),
        (b"\x20\x00", "does not answer as an MQTT broker"),
        (b"", "closes the connection before it has taken us"),
    ],
)
def test_a_peer_that_is_no_broker_of_ours(answer, words):
    server, port = serve(answer)
    with server:
        assert words in ask(f"mqtt://127.0.0.1:{port}").what
        server.shutdown(socket.SHUT_RDWR)


def test_wrong_password_wrong_user_and_none(tmp_path):
    passwords, login = tmp_path / "passwords", tmp_path / "login"
    passwords.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", passwords, "caps", "secret"], check=True)
    rules = ("allow_anonymous false", f"password_file {passwords}")
    with running_broker(tmp_path / "broker", rules) as broker:
        for user, password in (("caps", "wrong"), ("nobody", "secret")):
            login.write_text(f"{user}\n{password}\n")
            found = ask(broker.url, Login(credentials=login))
            assert f"does not allow '{user}' in: user or password is wrong" in found.what
            assert "sync.credentials_file" in found.mend
        assert "without user and password" in ask(broker.url).what
        login.write_text("caps\nsecret\n")
        assert isinstance(ask(broker.url, Login(credentials=login)), Connected)


# TLS where there is none, and none where there is TLS


def test_a_broker_with_tls_at_an_address_without(plant):
    found = ask(plant[0].replace("mqtts", "mqtt"))
    assert "speaks TLS, and sync.broker says mqtt://" in found.what
    assert plant[0] in found.mend


def test_a_broker_with_tls_that_wants_certificates_at_an_address_without(strict):
    assert "speaks TLS" in ask(strict.replace("mqtts", "mqtt")).what


def test_a_broker_without_tls_at_an_address_with(plant):
    url = plant[1].url
    found = ask(url.replace("mqtt", "mqtts"))
    assert "speaks MQTT without TLS, and sync.broker says mqtts://" in found.what
    assert "8883" in found.mend


def test_something_else_than_tls():
    server, port = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with server:
        assert "does not speak TLS" in ask(f"mqtts://127.0.0.1:{port}").what
        server.shutdown(socket.SHUT_RDWR)


# The broker's certificate


def test_a_certificate_of_an_authority_that_we_know(plant, pki):
    assert isinstance(ask(plant[0], Login(ca=pki.file)), Connected)


def test_an_authority_that_we_do_not_know(plant, tmp_path):
    other = Authority(tmp_path, "Other CA")
    found = ask(plant[0], Login(ca=other.file))
    assert "an authority that we do not know" in found.what
    assert str(other.file) in found.what
    assert "not among the system's" in ask(plant[0]).what


def test_a_certificate_for_another_name(plant, pki):
    found = ask(plant[0].replace("127.0.0.1", "localhost"), Login(ca=pki.file))
    assert "is not for the name localhost: it is for broker.plant, 127.0.0.1" in found.what
    assert "DNS:localhost" in found.mend


def test_a_certificate_for_a_name_and_we_use_the_number(pki, tmp_path):
    server = pki.issue("named", ("broker.plant",))
    with tls_broker(tmp_path, pki, server, "allow_anonymous true") as (url, _):
        found = ask(url, Login(ca=pki.file))
    assert "is not for the IP address 127.0.0.1: it is for broker.plant" in found.what
    assert "IP:127.0.0.1" in found.mend


def test_a_certificate_for_nobody(pki, tmp_path):
    with tls_broker(tmp_path, pki, pki.issue("127.0.0.1"), "allow_anonymous true") as (url, _):
        assert "it names no host" in ask(url, Login(ca=pki.file)).what


def test_an_expired_certificate_of_the_broker(pki, tmp_path):
    server = pki.issue("old", ("127.0.0.1",), start=-40, end=-3)
    with tls_broker(tmp_path, pki, server, "allow_anonymous true") as (url, _):
        found = ask(url, Login(ca=pki.file), Facts(time.time(), synced=True))
        doubtful = ask(url, Login(ca=pki.file), Facts(time.time(), synced=False))
    expired = f"the certificate of {url} expired on {server.end}"
    assert found.what == expired
    assert doubtful.what.startswith(f"{expired}, or this machine's clock (")


def test_a_certificate_from_the_future(pki, tmp_path):
    server = pki.issue("new", ("127.0.0.1",), start=5.5, end=40)
    with tls_broker(tmp_path, pki, server, "allow_anonymous true") as (url, _):
        found = ask(url, Login(ca=pki.file), Facts(time.time(), synced=True))
        wrong = ask(url, Login(ca=pki.file), Facts(time.time(), synced=False))
    assert f"is not valid before {server.start}" in found.what
    assert wrong.what.startswith("this machine's clock is at least 5 days behind")
    assert "timedatectl" in wrong.mend


def test_an_expired_authority(tmp_path):
    old = Authority(tmp_path / "pki", "Old CA", start=-50, end=-2)
    server = old.issue("server", ("127.0.0.1",), start=-40, end=40)
    with tls_broker(tmp_path / "broker", old, server, "allow_anonymous true") as (url, _):
        found = ask(url, Login(ca=old.file), Facts(time.time(), synced=True))
    assert found.what == (f"the authority in sync.ca_file (Old CA) expired on {old.end}")


# Our certificate


def test_our_certificate_is_taken(strict, pki):
    assert isinstance(ask(strict, own(pki, pki.issue("plant-a/line-3/caps"))), Connected)


def test_a_certificate_is_asked_for_and_there_is_none(strict, pki):
    found = ask(strict, Login(ca=pki.file))
    assert "asks for a client certificate, and none is configured" in found.what
    assert "sync.certificate_file" in found.mend


def test_our_certificate_has_expired(strict, pki):
    issued = pki.issue("caps", start=-9, end=-2)
    found = ask(strict, own(pki, issued))
    assert found.what == f"our certificate (caps) expired on {issued.end}"


def test_our_certificate_is_not_valid_yet(strict, pki):
    issued = pki.issue("caps", start=3, end=9)
    found = ask(strict, own(pki, issued))
    assert f"our certificate (caps) is not valid before {issued.start}" in found.what


def test_the_brokers_clock_finds_our_certificate_expired_and_ours_does_not(strict, pki):
    issued = pki.issue("caps", start=-9, end=-2)
    found = ask(strict, own(pki, issued), Facts(days(-4).timestamp()))
    assert "says that our certificate" in found.what or "does not accept" in found.what
    assert "clock" in found.mend


def test_our_certificate_is_of_an_authority_that_the_broker_does_not_know(strict, pki, tmp_path):
    other = Authority(tmp_path, "Other CA").issue("caps")
    found = ask(strict, own(pki, other))
    assert "does not know the authority that issued our certificate" in found.what


def test_a_certificate_for_servers_only_is_not_taken_and_the_broker_says_so(pki, tmp_path):
    """TLS 1.2 tells during the handshake, 1.3 after it: both are heard."""
    server = pki.issue("broker", ("127.0.0.1",))
    rules = (f"cafile {pki.file}", "require_certificate true", "tls_version tlsv1.2")
    with tls_broker(tmp_path, pki, server, *rules, "allow_anonymous true") as (url, _):
        found = ask(url, own(pki, pki.issue("caps", start=-9, end=-2)))
        assert "our certificate (caps) expired on" in found.what
        assert "none is configured" in ask(url, Login(ca=pki.file)).what


# Files are read at every connect


def test_files_that_are_replaced_while_running_are_used_at_the_next_connect(strict, pki, tmp_path):
    good, old = pki.issue("caps"), pki.issue("caps", start=-9, end=-2)
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    ca = tmp_path / "ca.pem"
    shutil.copy(old.certificate, certificate)
    shutil.copy(old.key, key)
    Authority(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "ca.pem", ca)
    login = Login(ca=ca, certificate=certificate, key=key)
    transport, seen = MqttTransport(Settings(Address.parse(strict), "same", login)), []

    def answer():
        transport.connect()
        seen.clear()
        until(lambda: seen.extend(transport.events()) or seen, lambda: transport.wait(0.2))
        return seen[0]

    try:
        assert "authority that we do not know" in answer().what
        shutil.copy(pki.file, ca)
        assert "expired on" in answer().what
        shutil.copy(good.certificate, certificate)
        assert "is not the key of" in answer().what
        shutil.copy(good.key, key)
        assert isinstance(answer(), Connected)
        token = transport.publish("still/works", b"x")
        seen.clear()
        until(
            lambda: seen.extend(transport.events()) or Acknowledged(token) in seen,
            lambda: transport.wait(0.2),
        )
        os.unlink(key)
        assert "is missing" in answer().what
    finally:
        transport.close()


def test_a_password_that_is_replaced_is_used_at_the_next_connect(tmp_path):
    passwords, login = tmp_path / "passwords", tmp_path / "login"
    passwords.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", passwords, "caps", "new"], check=True)
    login.write_text("caps\nold\n")
    rules = ("allow_anonymous false", f"password_file {passwords}")
    with running_broker(tmp_path / "broker", rules) as broker:
        assert isinstance(ask(broker.url, Login(credentials=login)), Disconnected)
        login.write_text("caps\nnew\n")
        assert isinstance(ask(broker.url, Login(credentials=login)), Connected)


def test_the_brokers_certificate_is_known_after_connecting(plant, pki):
    from sync.certificates import of_peer

    transport = MqttTransport(Settings(Address.parse(plant[0]), "seer", Login(ca=pki.file)))
    try:
        transport.connect()
        until(lambda: transport.events(), lambda: transport.wait(0.2))
        lifetime = of_peer(transport.broker_certificate, Address.parse(plant[0]))
        assert abs(lifetime.not_after - days(365).timestamp()) < 600
    finally:
        transport.close()
