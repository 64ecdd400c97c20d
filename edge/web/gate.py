"""What every request passes first and every answer last: whose name it is asked under, headers."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

from edge.web.headers import completed
from edge.web.origin import Hosts

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from edge.config import Web
    from edge.web.refusals import Refusals
MOST_HEADERS = 64
LONGEST_PATH = 2048


class Gate:
    """Around the whole application, so that no route, error or file can be without it."""

    def __init__(self, app: ASGIApp, hosts: Hosts, refused: Refusals) -> None:
        self.app = app
        self._hosts = hosts
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a foreign or doubtful `Host` (421), complete the headers of every answer."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": completed(message.get("headers", ()))}
            await send(message)

        refusal = "nonsense" if scope["type"] != "http" else self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, complete)
        elif scope["type"] == "http":
            self._note(refusal, scope)
            await _refuse(refusal, complete)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, scope: Scope) -> str | None:
        headers = scope["headers"]
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        server = scope.get("server")
        if len(hosts) != 1 or not self._hosts.ours(hosts[0], server[0] if server else None):
            return "foreign_host"
        path, query = scope.get("path", ""), scope.get("query_string", b"")
        if len(headers) > MOST_HEADERS or len(path) + len(query) > LONGEST_PATH:
            return "too_large"
        return "nonsense" if "\0" in path else None

    def _note(self, code: str, scope: Scope) -> None:
        from edge.log import log

        client = scope.get("client")
        self._refused.note(code)
        log.warning("web.refused", why=code, address=client[0] if client else "?")


async def _refuse(code: str, send: Send) -> None:
    status = {"foreign_host": 421, "too_large": 431}.get(code, 400)
    body = json.dumps({"error": {"code": code, "message": code, "facts": {}}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def hosts_of(web: Web) -> Hosts:
    """The names of this machine and of the configuration; asks no name server."""
    own = socket.gethostname()
    short = own.partition(".")[0]
    return Hosts(web.listen, web.names, (own, short, f"{short}.local"))
