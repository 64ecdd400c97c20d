"""From nothing to a broker's word, with peers that do everything else."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from sync import dial as dial_module
from sync import opening as opening_module
from sync.broker import Address, Login
from sync.dial import DialError, dial
from sync.expiry import Facts
from sync.mqtt import MqttTransport, Settings
from sync.opening import Opening
from sync.transport import Connected, Disconnected
from tests.simulators.patience import until

CONNACK = bytes.fromhex("20 03 00 00 00")
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"


class Peer:
    """A socket that answers CONNECT as told, and then what it is told for each packet."""

    def __init__(self, connack=CONNACK, answers=None):
        self.heard = []
        self.ended = threading.Event()
        self._connack, self._answers = connack, answers or {}
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"mqtt://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            connection, _ = self._server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(self._connack)
                while data := connection.recv(1000):
                    self.heard.append(data)
                    connection.sendall(self._answers.get(data, b""))
        self.ended.set()

    def close(self):
        self._server.close()


@pytest.fixture
def meet():
    """Connects to a peer; gives the transport and the events."""
    made = []

    def make(peer, **settings):
        transport = MqttTransport(Settings(Address.parse(peer.url), "station", **settings))
        made.append((peer, transport))
        transport.connect()
        return transport

    yield make
    for peer, transport in made:
        transport.close()
        peer.close()


def first(transport, kind):
    seen = []

    def found():
        seen.extend(transport.events())
        return any(type(event) is kind for event in seen)

    until(found, lambda: transport.wait(0.2))
    return next(event for event in seen if type(event) is kind)


def test_all_limits_that_a_broker_announces(meet):
    properties = bytes.fromhex("27 00001000 21 0005 25 00 24 01 2a 00 28 00 11 00000e10 13 001e")
    packet = bytes([0x20, 3 + len(properties), 0, 0, len(properties)]) + properties
    found = first(meet(Peer(packet)), Connected)
    assert found == Connected(4096, 5, False, 1, False, False, 3600, 30)


def test_a_broker_that_announces_nothing(meet):
    assert first(meet(Peer()), Connected) == Connected()


def test_a_half_open_connection_ends_by_the_keep_alive(meet):
    """The peer took us and answers nothing any more, and nothing of ours is under way."""
    peer = Peer()
    transport = meet(peer, keep_alive_s=1)
    first(transport, Connected)
    found = first(transport, Disconnected)
    assert "is lost" in found.what
    assert peer.heard == [PINGREQ]
    assert not transport.alive or transport._connection._thread.join(10) is None
    peer.ended.wait(10)


def test_a_peer_that_answers_pings_is_kept(meet):
    peer = Peer(answers={PINGREQ: PINGRESP})
    transport = meet(peer, keep_alive_s=1)
    until(lambda: len(peer.heard) >= 2, lambda: transport.wait(0.2))
    assert [event for event in transport.events() if type(event) is Disconnected] == []


def test_the_brokers_keep_alive_is_taken(meet):
    """Ours would be 20 s; it asks for one second."""
    peer = Peer(bytes.fromhex("20 06 00 00 03 13 0001"), {PINGREQ: PINGRESP})
    transport = meet(peer)
    assert first(transport, Connected).keep_alive_s == 1
    until(lambda: peer.heard == [PINGREQ], lambda: transport.wait(0.2))


def test_nonsense_after_the_handshake_ends_the_connection_with_words(meet):
    peer = Peer(CONNACK + b"\xff\xff\xff\xff\xff\xff")
    found = first(meet(peer), Disconnected)
    assert found.what
    assert found.mend


@pytest.mark.parametrize("name", ["_on_publish", "_on_message", "_on_subscribe"])
def test_a_callback_that_fails_ends_the_connection_and_the_owner_hears_it(meet, monkeypatch, name):
    from sync import mqtt

    def fail(self, *args):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(mqtt._Connection, name, fail)
    packets = {
        "_on_publish": bytes.fromhex("40 02 0001"),
        "_on_message": bytes.fromhex("30 05 0001 61 00 62"),
        "_on_subscribe": bytes.fromhex("90 04 0001 00 00"),
    }
    transport = meet(Peer(CONNACK + packets[name]))
    # Only what is under way can be answered.
    if name == "_on_publish":
        transport = _with_answer(meet, 0x32, packets[name], lambda t: t.publish("a", b"b"))
    elif name == "_on_subscribe":
        transport = _with_answer(meet, 0x82, packets[name], lambda t: t.subscribe("a"))
    found = first(transport, Disconnected)
    assert "a fault of ours" in found.what
    until(lambda: not transport.alive, lambda: transport.wait(0.01))


class Answering(Peer):
    """Answers every packet of one kind."""

    def __init__(self, kind, answer):
        self._kind, self._answer = kind, answer
        super().__init__()
        self._answers = self

    def get(self, data, default):
        return self._answer if data[0] == self._kind else default


def _with_answer(meet, kind, answer, act):
    transport = meet(Answering(kind, answer))
    first(transport, Connected)
    act(transport)
    return transport


def test_whatever_goes_wrong_while_explaining_the_owner_hears_the_end(meet, monkeypatch):
    def fail(*args):
        raise RuntimeError("no words")

    monkeypatch.setattr(opening_module, "explain", fail)
    monkeypatch.setattr(opening_module, "TAKEN_WITHIN_S", 0.0)
    found = first(meet(Peer(b"")), Disconnected)
    assert "did not answer in time" in found.what


def test_a_connection_that_was_given_up_while_dialling_says_nothing_to_the_broker(monkeypatch):
    """It would throw out the newer one, which has the same name."""
    going, go = threading.Event(), threading.Event()
    honest = Opening.dial

    def slow(self):
        going.set()
        go.wait(60)
        return honest(self)

    monkeypatch.setattr(Opening, "dial", slow)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"mqtt://127.0.0.1:{server.getsockname()[1]}"
        transport = MqttTransport(Settings(Address.parse(url), "station"))
        transport.connect()
        going.wait(60)
        old = transport._connection
        transport.drop()
        go.set()
        peer, _ = server.accept()
        with peer:
            assert peer.recv(100) == b""
        old._thread.join(60)
        assert transport.events() == []


def test_a_handshake_in_single_bytes_has_a_deadline(monkeypatch):
    """A peer that always sends a little more must not keep us."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        end = threading.Event()

        def drip():
            peer, _ = server.accept()
            with peer, contextlib.suppress(OSError):
                peer.sendall(b"\x16\x03\x03\x40\x00")
                for _ in range(200):  # then it hangs up, which is another error
                    if end.wait(0.02):
                        break
                    peer.sendall(b"x")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        opening = Opening(
            Address("127.0.0.1", server.getsockname()[1], True), Login(), lambda: Facts(0)
        )
        monkeypatch.setattr(opening_module, "DIAL_WITHIN_S", 0.3)
        opening.prepare()
        with pytest.raises(DialError) as error:
            opening.dial()
        end.set()
        thread.join(60)
    assert error.value.stage == "handshake"
    assert isinstance(error.value.error, TimeoutError)


def test_the_second_address_of_a_name_is_tried(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", port)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]
        monkeypatch.setattr(dial_module.socket, "getaddrinfo", lambda *_, **__: found)
        with dial(Address("broker.plant", port, False), None, 10) as connection:
            assert connection.getpeername() == ("127.0.0.1", port)
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
