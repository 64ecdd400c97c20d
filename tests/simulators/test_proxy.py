"""The proxy does to a connection what it says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.simulators.patience import until
from tests.simulators.proxy import CHUNK, Proxy


class Echo:
    """A server that says back what it hears."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                return


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    echo = Echo()
    with Proxy(echo.port, bytes_per_s=200_000) as made:
        yield made
    echo.server.close()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=20)


def through(connection: socket.socket, data: bytes) -> bytes:
    sender = threading.Thread(target=connection.sendall, args=(data,))
    sender.start()
    heard = b""
    while len(heard) < len(data):
        more = connection.recv(65536)
        assert more, "the connection ended"
        heard += more
    sender.join()
    return heard


@pytest.mark.parametrize("weather", ["fine", "slow", "lossy"])
def test_everything_comes_through_in_order(proxy, weather):
    proxy.weather = weather
    data = bytes(range(256)) * 40
    with connect(proxy) as connection:
        assert through(connection, data) == data
    until(lambda: proxy.counts.bytes == 2 * len(data), lambda: threading.Event().wait(0.01))
    assert (proxy.counts.held_back > 0) == (weather == "lossy")


def test_every_third_packet_is_held_back(proxy):
    proxy.weather = "lossy"
    with connect(proxy) as connection:
        for _ in range(9):
            through(connection, b"x" * 10)
    assert proxy.counts.held_back == 6
    assert CHUNK > 10


def test_a_cut_resets(proxy):
    with connect(proxy) as connection:
        through(connection, b"hello")
        assert proxy.open == 1
        proxy.cut()
        assert proxy.open == 0
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.parametrize("weather", ["deaf", "mute", "dead"])
def test_a_half_open_connection_says_nothing_and_stays_so(proxy, weather):
    with connect(proxy) as connection, connect(proxy) as other:
        through(connection, b"hello")
        proxy.weather = weather
        connection.sendall(b"are you there?")
        until(lambda: proxy.counts.swallowed == 14, lambda: threading.Event().wait(0.01))
        proxy.weather = "fine"
        assert through(other, b"I am") == b"I am"
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
    assert proxy.counts.connections == 2


def test_a_refusal_is_a_reset(proxy):
    proxy.weather = "refusing"
    with pytest.raises(ConnectionResetError), connect(proxy) as connection:
        connection.recv(1)
    assert (proxy.counts.connections, proxy.counts.refused) == (1, 1)
