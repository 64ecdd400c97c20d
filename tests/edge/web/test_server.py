"""The server with real sockets: slow clients, too many, an end in good order."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge.web import listening
from edge.web.listening import listen
from edge.web.patience import READ_S, REQUEST_S
from edge.web.server import STOP_WITHIN_S, Connection, Server, settings
from tests.edge.web.station import config_in

ANSWER = b"x" * 100
HUGE = b"x" * (64 << 20)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers /huge with more than any buffer holds, /wait never, all else with a few bytes."""
    while scope["method"] == "POST" and (await receive()).get("more_body"):
        pass
    if scope["path"] == "/wait":
        await asyncio.Event().wait()
    body = HUGE if scope["path"] == "/huge" else ANSWER
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Clients:
    """A running server, and sockets to it that do not block the loop."""

    def __init__(self, running: Server, address: Any) -> None:
        self.server = running
        self.address = address
        self.open: list[socket.socket] = []

    async def send(self, data: bytes = b"") -> socket.socket:
        """A new connection that says this; returns when the server has taken it."""
        one = socket.create_connection(self.address)
        one.setblocking(False)
        self.open.append(one)
        before = self.server.server_state.connections
        await self.until(lambda: any(c.client == one.getsockname() for c in before))  # type: ignore[union-attr]
        if data:
            await asyncio.get_running_loop().sock_sendall(one, data)
        return one

    async def read(self, one: socket.socket, most: int = 65536) -> bytes:
        """What comes next; nothing where the server has ended the connection."""
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(one, most), 30)
        except ConnectionResetError:
            return b""

    async def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end
            await asyncio.sleep(0)

    async def state(self, word: str) -> None:
        """Until the one connection is seen to be in this state."""
        await self.until(lambda: str(self._first().conn.their_state) == word)

    def look(self, later: float) -> None:
        """As in so many seconds."""
        for one in list(self.server.server_state.connections):
            assert isinstance(one, Connection)
            one.look(time.monotonic() + later)

    def _first(self) -> Connection:
        (one,) = self.server.server_state.connections
        assert isinstance(one, Connection)
        return one


def with_server(work: Callable[[Clients], Any], every: Callable[[], None] = lambda: None) -> Server:
    """Run the server, and `work` beside it; then end it in good order."""

    async def begin() -> Server:
        listening = listen("127.0.0.1:0")
        how = settings(app)
        assert how.timeout_graceful_shutdown == STOP_WITHIN_S
        how.timeout_graceful_shutdown = 0
        running = Server(how, listening, None, every, lambda: None)
        serving = asyncio.ensure_future(running.serve())
        clients = Clients(running, listening.getsockname())
        await clients.until(lambda: running.started)
        try:
            await work(clients)
        finally:
            running.should_exit = True
            await asyncio.wait_for(serving, 30)
            for one in clients.open:
                one.close()
        return running

    return asyncio.run(begin())


def test_who_says_nothing_or_half_a_head_is_cut_off() -> None:
    async def work(clients: Clients) -> None:
        one = await clients.send(b"GET / HT")
        clients.look(0)
        clients.look(REQUEST_S - 1)
        assert len(clients.server.server_state.connections) == 1
        clients.look(REQUEST_S + 1)
        assert await clients.read(one) == b""

    with_server(work)


def test_who_sends_a_body_byte_by_byte_is_cut_off() -> None:
    async def work(clients: Clients) -> None:
        one = await clients.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na")
        await clients.state("SEND_BODY")
        clients.look(0)
        clients.look(REQUEST_S + 1)
        assert await clients.read(one) == b""

    with_server(work)


def test_who_does_not_read_the_answer_is_cut_off() -> None:
    async def work(clients: Clients) -> None:
        await clients.send(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
        (one,) = clients.server.server_state.connections
        await clients.until(lambda: one.transport.get_write_buffer_size() > 0)
        clients.look(0)
        clients.look(READ_S + 1)
        await clients.until(lambda: not clients.server.server_state.connections)

    with_server(work)


def test_who_waits_for_us_is_left_alone() -> None:
    async def work(clients: Clients) -> None:
        await clients.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await clients.state("DONE")
        clients.look(0)
        clients.look(1e6)
        assert len(clients.server.server_state.connections) == 1

    with_server(work)


def test_a_connection_is_used_again_and_again() -> None:
    async def work(clients: Clients) -> None:
        one = await clients.send(b"")
        for number in range(3):
            await asyncio.get_running_loop().sock_sendall(one, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            text = b""
            while not text.endswith(ANSWER):
                text += await clients.read(one)
            clients.look(number * REQUEST_S)
        head = text.partition(b"\r\n\r\n")[0].lower()
        assert b"server:" not in head

    with_server(work)


def test_one_address_has_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MOST_OF_ONE_ADDRESS", 3)

    async def work(clients: Clients) -> None:
        for _ in range(3):
            await clients.send()
        one = socket.create_connection(clients.address)
        one.setblocking(False)
        assert await clients.read(one) == b""
        one.close()
        assert len(clients.server.server_state.connections) == 3

    with_server(work)


def test_an_end_does_not_wait_for_those_who_wait() -> None:
    seconds: list[int] = []

    async def work(clients: Clients) -> None:
        await clients.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await clients.state("DONE")

    running = with_server(work, lambda: seconds.append(1))
    assert seconds, "somebody looks after the process once a second"
    assert not running.server_state.tasks


def test_where_it_cannot_listen_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot listen on 192"):
        listen("192.0.2.1:80")
    with pytest.raises(ValidationError, match="65535"):
        config_in(tmp_path, listen="127.0.0.1:99999")


def test_two_cannot_listen_at_one_place() -> None:
    first = listen("127.0.0.1:0")
    with pytest.raises(OSError, match="cannot listen on"):
        listen(f"127.0.0.1:{first.getsockname()[1]}")
    first.close()


def test_ipv6() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 on this machine")
    one = listen("[::1]:0")
    assert one.family == socket.AF_INET6
    one.close()
