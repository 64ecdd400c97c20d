"""The socket of the page: small answers must not wait for each other."""

import asyncio
import socket

from edge.web.server import listen


def test_connections_do_not_wait_for_the_browser_to_acknowledge_the_first_piece_of_an_answer():
    async def accepted() -> int:
        seen = asyncio.get_running_loop().create_future()

        class Protocol(asyncio.Protocol):
            def connection_made(self, transport):
                seen.set_result(transport)

        listening = listen("127.0.0.1:0")
        server = await asyncio.get_running_loop().create_server(Protocol, sock=listening)
        with socket.create_connection(listening.getsockname()):
            transport = await seen
            taken = transport.get_extra_info("socket")
            nodelay = taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            transport.abort()
        server.close()
        await server.wait_closed()
        return nodelay

    assert asyncio.run(accepted()) == 1
