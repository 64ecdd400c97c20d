"""The service `edge-inspect web`: one process, uvicorn on its main thread.

The only file that imports uvicorn. What uvicorn leaves open against slow clients is closed here:
whoever takes too long over a request, a body or an answer is cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sqlite3
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.config import Config
from edge.log import log
from edge.notify import Notifier
from edge.stopping import on_stop
from edge.web.app import build_app
from edge.web.listening import listen
from edge.web.opening import Opened, open_all
from edge.web.own_names import reached_at
from edge.web.patience import Patience
from edge.web.tls import context
from edge.workers.thread import WorkerThread

MOST_CONNECTIONS = 512
HANDSHAKE_S = 5.0
KEEP_ALIVE_S = 15
STOP_WITHIN_S = 3
TICKS_A_SECOND = 10
FOLLOWS_WITHIN_S = 15.0
"""A thread that has not moved for so long is stuck; the watchdog is not fed any more."""
JOIN_WITHIN_S = 3.0


class Connection(H11Protocol):
    """One connection that does not wait for ever."""

    patience: Patience

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """From now on it is looked at."""
        super().connection_made(transport)
        self.patience = Patience(time.monotonic())

    def look(self, now: float) -> None:
        """Cut it off when the client has not done its part for too long. Once a second."""
        waiting = self.transport.get_write_buffer_size()
        mark = (self.conn.their_state, id(self.cycle))
        idle = self.timeout_keep_alive_task is not None
        if self.patience.over(now, mark, waiting, idle):
            self.transport.abort()


class Server(uvicorn.Server):
    """uvicorn with our signals, our sockets, and a second that is looked at."""

    def __init__(
        self,
        config: uvicorn.Config,
        listening: socket.socket,
        tls: ssl.SSLContext | None,
        every_second: Callable[[], None],
        stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._listening = listening
        self._tls = tls
        self._every_second = every_second
        self._stopping = stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are `edge/stopping.py`'s."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; a client that does not finish the TLS handshake is soon let go."""

        def connection() -> Connection:
            return Connection(self.config, self.server_state, {})

        within = None if self._tls is None else HANDSHAKE_S
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            connection, sock=self._listening, ssl=self._tls, ssl_handshake_timeout=within
        )
        self.servers = [listening]
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Once a second: slow clients, and whatever else looks after this process."""
        if counter % TICKS_A_SECOND == 0:
            now = time.monotonic()
            for one in list(self.server_state.connections):
                if isinstance(one, Connection):
                    one.look(now)
            self._every_second()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams first, so that nothing holds the others up."""
        self._stopping()
        await super().shutdown(sockets)


class _ToOurLog(logging.Handler):
    """What uvicorn says, as far as it is worth saying."""

    def emit(self, record: logging.LogRecord) -> None:
        failed = record.exc_info[1] if record.exc_info else None
        more = {} if failed is None else {"error": repr(failed)}
        log.warning("web.server", what=record.getMessage().strip(), **more)


def settings(app: Any) -> uvicorn.Config:
    """uvicorn, bounded in everything; its log is ours."""
    theirs = logging.getLogger("uvicorn.error")
    theirs.handlers, theirs.propagate = [_ToOurLog(logging.WARNING)], False
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        log_level=logging.WARNING,
    )


def serve(config: Config, tell: Callable[[str], None]) -> int:
    """Run the service in this process; the exit code. `tell` hears what a person who started it by
    hand must know: where the page is, and the code of the first start.

    Raises Held (another process writes to the queue), StoreError, sqlite3.Error, OSError (it cannot
    listen there), ConfigError (TLS is needed and there is no certificate).
    """
    tls = context(config)
    opened = open_all(config, tls is not None)
    try:
        return _Service(config, opened, listen(config.web.listen), tls, tell).run()
    finally:
        opened.close()


class _Service:
    """The server and the thread that follows the line."""

    def __init__(
        self,
        config: Config,
        opened: Opened,
        listening: socket.socket,
        tls: ssl.SSLContext | None,
        tell: Callable[[str], None],
    ) -> None:
        self._opened = opened
        self._tell = tell
        self._notifier = Notifier()
        self._address = config.web.listen
        self._server = Server(
            settings(build_app(opened.shop)), listening, tls, self._every_second, self._stopping
        )
        self._follow = WorkerThread("follow", opened.follower, lambda: None)
        self._ready = False

    def run(self) -> int:
        """Until a signal; 1 where the thread that follows has failed."""
        on_stop(self._stop)
        self._opened.start()
        self._follow.start()
        try:
            asyncio.run(self._server.serve())
        finally:
            self._opened.follower.stop()
            self._follow.join(JOIN_WITHIN_S)
        log.info("web.stopped")
        return 0 if self._follow.failure is None else 1

    def _stop(self) -> None:
        self._server.should_exit = True

    def _stopping(self) -> None:
        self._notifier.stopping()
        self._opened.shop.hub.close()

    def _every_second(self) -> None:
        if not self._ready:
            self._begun()
        if self._follow.failure is not None:
            self._stop()
        elif self._follow.moved_within(time.monotonic_ns(), FOLLOWS_WITHIN_S):
            self._notifier.watchdog()

    def _begun(self) -> None:
        self._ready = True
        shop = self._opened.shop
        shop.hub.start()
        self._notifier.ready()
        where = reached_at(self._address, shop.secure)
        log.info("web.started", address=where)
        self._tell(f"the page is at {where}; Ctrl-C ends it")
        try:
            code = shop.people.first_code()
        except (sqlite3.Error, OSError) as error:  # a full disk, say: `web first-code` later
            log.error("web.no_first_code", error=error)
            return
        if code is not None:
            log.warning("web.first_code", code=code, where=f"{where}/first")
            self._tell(f"nobody can sign in yet: open {where}/first and type the code {code}")
