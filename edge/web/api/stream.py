"""`GET /events`: what changes, as it changes."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING

import anyio.from_thread
from starlette.responses import Response

from edge.access.denied import Denied
from edge.access.person import Machine
from edge.web.call import Call
from edge.web.events import QUIET, Hears, Hub, Stream, TooMany, encoded
from edge.web.following import counted
from edge.web.rule import Rule

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


def events(call: Call) -> Response:
    """A stream that begins with how much waits and how the line is. Ends with the session."""
    session, sessions = call.session, call.shop.sessions
    if isinstance(call.who, Machine):
        owner, hears = call.who.id, functools.partial(_machine_hears, call, call.who.id)
    else:
        assert session is not None
        owner, hears = session.id, functools.partial(_hears, call, session.key)
    try:
        stream = anyio.from_thread.run_sync(call.shop.hub.open, owner, hears)
    except TooMany as error:
        raise Denied("busy", "too many streams are open", wait_s=10.0) from error
    counts = counted(call.shop.answers.waiting())
    if session is not None and sessions.again(session.key) is not None and session.locked:
        first = encoded("queue", {name: counts[name] for name in QUIET if name in counts})
    else:
        first = encoded("queue", counts) + encoded("line", call.shop.line.now.as_json())
    return EventResponse(call.shop.hub, stream, first)


def _machine_hears(call: Call, machine: str) -> Hears:
    return "nothing" if call.shop.machines.by_id(machine) is None else "all"


def _hears(call: Call, key: bytes) -> Hears:
    session = call.shop.sessions.again(key)
    if session is None:
        return "nothing"
    return "counts" if session.locked else "all"


class EventResponse(Response):
    """Sends a stream until it ends or the browser has gone."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, stream: Stream, first: bytes) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._stream = stream
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whoever goes away is noticed at once, not at the next event."""
        gone = asyncio.ensure_future(self._until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for text in self._hub.read(self._stream, self._first):
                await send({"type": "http.response.body", "body": text, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            self._hub.let_go(self._stream)

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._hub.let_go(self._stream)


RULES = (Rule("GET", "/events", events, needs="known", machines=True, quiet=True),)
