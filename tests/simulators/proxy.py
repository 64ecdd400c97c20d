"""A bad network between client and broker: slow, cut, half-open, losing packets.

TCP never loses: what a lossy link does to it is that a lost packet is sent again after the
retransmission time-out, and everything behind it waits. So `lossy` holds back every third chunk
(what one `recv` gave) for `RETRANSMISSION_S`, the smallest time-out that Linux has.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

from tests.simulators.broker import free_port

RETRANSMISSION_S = 0.2
CHUNK = 1460
"""One Ethernet packet's worth."""

Weather = Literal["fine", "slow", "lossy", "deaf", "mute", "dead", "refusing"]
RESET = struct.pack("ii", 1, 0)


@dataclass(eq=False, slots=True)
class _Way:
    """One direction of one connection."""

    source: socket.socket
    target: socket.socket
    up: bool
    chunks: int = 0
    waiting: bytes = b""
    not_before: float = 0.0
    lost: bool = False


@dataclass(slots=True)
class Counts:
    """What the proxy has seen since it was made."""

    connections: int = 0
    refused: int = 0
    held_back: int = 0
    swallowed: int = 0
    bytes: int = 0
    times: list[float] = field(default_factory=list)


class Proxy:
    """Listens at `port`, connects onwards to `target_port`; its weather can change at any time.

    fine: passes everything. slow: `bytes_per_s` in each direction. lossy: see above. deaf: swallows
    what the client sends. mute: swallows what the broker sends. dead: both. These three are
    half-open; a connection that was hit stays so for ever. refusing: new connections are reset.
    """

    def __init__(self, target_port: int, bytes_per_s: int = 20_000) -> None:
        self.weather: Weather = "fine"
        self.counts = Counts()
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._target_port = target_port
        self._bytes_per_s = bytes_per_s
        self._cut = threading.Event()
        self._stop = threading.Event()
        self._ways: list[_Way] = []
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._server.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._server.close()

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._ways) // 2

    def cut(self) -> None:
        """Reset every connection, now; returns when that is done."""
        self._cut.set()
        while self._cut.is_set() and self._thread.is_alive():
            self._stop.wait(0.005)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._step(time.monotonic())
        self._reset()

    def _step(self, now: float) -> None:
        if self._cut.is_set():
            self._reset()
            self._cut.clear()
        with selectors.DefaultSelector() as ready:
            ready.register(self._server, selectors.EVENT_READ, None)
            for way in self._ways:
                if not way.waiting:
                    ready.register(way.source, selectors.EVENT_READ, way)
            for key, _ in ready.select(0.005 if any(w.waiting for w in self._ways) else 0.05):
                if key.data is None:
                    self._accept(now)
                elif key.data in self._ways:
                    self._read(key.data, now)
        for way in list(self._ways):
            if way in self._ways and way.waiting and now >= way.not_before:
                self._pass_on(way, now)

    def _accept(self, now: float) -> None:
        client, _ = self._server.accept()
        self.counts.connections += 1
        self.counts.times.append(now)
        try:
            if self.weather == "refusing":
                raise OSError
            broker = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
        except OSError:
            self.counts.refused += 1
            _reset(client)
            return
        for one in (client, broker):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.setblocking(False)
        self._ways += [_Way(client, broker, True), _Way(broker, client, False)]

    def _read(self, way: _Way, now: float) -> None:
        try:
            way.waiting = way.source.recv(CHUNK)
        except OSError:
            way.waiting = b""
        if not way.waiting:
            self._end(way, reset=False)
            return
        way.chunks += 1
        if self.weather == "lossy" and way.chunks % 3 == 0:
            self.counts.held_back += 1
            way.not_before = now + RETRANSMISSION_S
        elif self.weather == "slow":
            way.not_before = now + len(way.waiting) / self._bytes_per_s
        self._pass_on(way, now)

    def _pass_on(self, way: _Way, now: float) -> None:
        if now < way.not_before:
            return
        if way.lost or self.weather in ("dead", "deaf" if way.up else "mute"):
            way.lost = True
            self.counts.swallowed += len(way.waiting)
            way.waiting = b""
            return
        try:
            sent = way.target.send(way.waiting)
        except BlockingIOError:
            return
        except OSError:
            self._end(way, reset=True)
            return
        self.counts.bytes += sent
        way.waiting = way.waiting[sent:]

    def _end(self, way: _Way, reset: bool) -> None:
        for one in [one for one in self._ways if {one.source, one.target} & {way.source}]:
            self._ways.remove(one)
        for end in (way.source, way.target):
            _reset(end) if reset else end.close()

    def _reset(self) -> None:
        while self._ways:
            self._end(self._ways[0], reset=True)


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()
