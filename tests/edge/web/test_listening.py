"""The socket of the page: small answers do not wait, and nobody fills it with connections."""

import asyncio
import socket
import ssl

import pytest

from edge.web import listening
from edge.web.listening import listen


def test_connections_do_not_wait_for_the_browser_to_acknowledge_the_first_piece_of_an_answer():
    async def accepted() -> int:
        seen = asyncio.get_running_loop().create_future()

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport):
                seen.set_result(transport)

        ours = listen("127.0.0.1:0")
        server = await asyncio.get_running_loop().create_server(Protocol, sock=ours)
        with socket.create_connection(ours.getsockname()):
            transport = await seen
            taken = transport.get_extra_info("socket")
            nodelay = taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.abort()
        server.close()
        await server.wait_closed()
        return nodelay

    assert asyncio.run(accepted()) == 1


def ended(one: socket.socket) -> bool:
    """Whether the other side has let it go."""
    one.settimeout(30)
    try:
        return one.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_does_not_finish_the_handshake_counts_too(monkeypatch):
    """Such a connection is no connection yet for those who count requests."""
    monkeypatch.setattr(listening, "MOST_OF_ONE_ADDRESS", 3)

    async def work() -> None:
        ours = listen("127.0.0.1:0")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, sock=ours, ssl=context)
        clients = [socket.create_connection(ours.getsockname()) for _ in range(5)]
        for one in clients[3:]:
            assert await asyncio.to_thread(ended, one)
        clients[0].close()
        await until_let_in(ours)
        server.close()
        for one in clients:
            one.close()

    asyncio.run(work())


async def until_let_in(ours: socket.socket) -> None:
    """One that has gone makes room for the next."""
    for _ in range(1000):
        with socket.create_connection(ours.getsockname()) as one:
            one.settimeout(0.05)
            try:
                await asyncio.to_thread(one.recv, 1)
            except TimeoutError:
                return
            except ConnectionResetError:
                pass
    raise AssertionError("nobody is let in any more")


def test_of_all_addresses_together_so_many(monkeypatch):
    monkeypatch.setattr(listening, "MOST_OPEN", 2)
    ours = listen("127.0.0.1:0")
    clients, taken = [], []
    for number in range(2, 5):
        one = socket.create_connection(ours.getsockname(), source_address=(f"127.0.0.{number}", 0))
        clients.append(one)
        if number < 4:
            taken.append(ours.accept()[0])
    with pytest.raises(BlockingIOError):
        ours.accept()
    assert ended(clients[2])
    taken[0].close()
    clients.append(socket.create_connection(ours.getsockname()))
    taken.append(ours.accept()[0])
    for each in (*clients, *taken, ours):
        each.close()
