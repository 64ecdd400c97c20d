"""To a connected socket within one deadline: name, TCP, TLS."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any, Literal

from sync.broker import Address

Stage = Literal["name", "connect", "handshake", "speak"]
SHARE_S = 3.0
"""At most so long for one of several addresses of a name."""


class DialError(Exception):
    """How far it came, and the error that ended it."""

    def __init__(self, stage: Stage, error: Exception) -> None:
        super().__init__(f"{stage}: {error}")
        self.stage = stage
        self.error = error


def dial(address: Address, context: ssl.SSLContext | None, within_s: float) -> socket.socket:
    """A socket that blocks, without delays for small packets; encrypted with a `context`.

    All of it together takes at most `within_s` seconds. Raises DialError.
    """
    end = time.monotonic() + within_s
    with _stage("name"):
        found = _resolve(address, within_s)
    with _stage("connect"):
        plain = _connect(found, end)
    if context is None:
        return plain
    with _stage("handshake"):
        try:
            return _encrypt(plain, context, address.host, end)
        except BaseException:
            plain.close()
            raise


@contextlib.contextmanager
def _stage(stage: Stage) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise DialError(stage, error) from error


def _resolve(address: Address, within_s: float) -> list[Any]:
    """What the name stands for. The resolver knows no deadline, so it gets a thread, which ends by
    itself when the resolver gives up."""
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, name="mqtt-name", daemon=True).start()
    try:
        answer = answers.get(timeout=within_s)
    except queue.Empty as error:
        raise TimeoutError("the name server does not answer") from error
    if isinstance(answer, Exception):
        raise answer
    return answer


def _connect(found: list[Any], end: float) -> socket.socket:
    """The first of the addresses that answers."""
    last: Exception = TimeoutError("no address")
    for number, (family, kind, protocol, _, place) in enumerate(found):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        one = socket.socket(family, kind, protocol)
        one.settimeout(left if number == len(found) - 1 else min(left, SHARE_S))
        try:
            one.connect(place)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return one
        except OSError as error:
            one.close()
            last = error
    raise last


def _encrypt(plain: socket.socket, context: ssl.SSLContext, host: str, end: float) -> ssl.SSLSocket:
    secure = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    try:
        # The time-out of a handshake bounds all of it, not each packet.
        secure.settimeout(max(end - time.monotonic(), 0.001))
        secure.do_handshake()
    except BaseException:
        secure.close()
        raise
    return secure
