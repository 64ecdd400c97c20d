"""Server-sent events: what has changed, to every browser that is open.

Threads publish, each browser has a small queue of its own. Whoever does not read is let go: the
browser comes back by itself and asks for everything anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from edge.log import log

KEEP_ALIVE_S = 10.0
MOST_WAITING = 2000
"""Events that wait for one browser before it is let go. Hundreds of parts may be decided at one
moment; all browsers share the bytes of an event."""
MOST_STREAMS = 200
MOST_OF_ONE = 8
"""Streams of one session: a browser has one for each of its windows."""
COUNTS = "queue"
"""The one event that a locked session is told of, and of it only `QUIET`."""
QUIET = ("waiting", "escalations", "alone", "oldest_s", "next_deadline_s", "new")
COMMENT = b": here\n\n"
RETRY = b"retry: 1000\n\n"

Hears = Literal["all", "counts", "nothing"]
"""What a stream may be told now: everything, how many wait (locked), or it has ended."""


@dataclass(slots=True, eq=False)
class Stream:
    """One browser's queue. Touched by the event loop only."""

    owner: str
    hears: Callable[[], Hears]
    queue: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)


class TooMany(Exception):
    """There are enough streams, of this session or of all."""


class Hub:
    """Takes events from any thread and hands them to every stream. One event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._streams: set[Stream] = set()
        self._closed = False
        self.dropped = 0

    @property
    def streams(self) -> int:
        """How many browsers are listening."""
        return len(self._streams)

    def start(self) -> None:
        """Belong to the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.call_later(KEEP_ALIVE_S, self._beat)

    def publish(self, event: str, data: Mapping[str, object]) -> None:
        """Tell everybody. From any thread. Without a loop nobody listens.

        What each stream may hear is asked on the caller's thread: a session may wait for the disk,
        the event loop never does.
        """
        told = [(stream, _hears(stream)) for stream in tuple(self._streams)]
        whole = encoded(event, data)
        few = encoded(event, {name: data[name] for name in QUIET if name in data})
        counts = event == COUNTS
        self._soon(lambda: self._hand_out(told, whole, few if counts else None))

    def end(self, owner: str) -> None:
        """The streams of this session end: it is over. From any thread."""
        self._soon(lambda: self._end(owner))

    def close(self) -> None:
        """All streams end, and no new one begins. On the event loop's thread."""
        self._closed = True
        for stream in list(self._streams):
            self.let_go(stream)

    def open(self, owner: str, hears: Callable[[], Hears]) -> Stream:
        """A new stream of the session `owner`; `hears` is asked before each event.

        On the event loop's thread. Raises TooMany.
        """
        own = sum(one.owner == owner for one in self._streams)
        if self._closed or own >= MOST_OF_ONE or len(self._streams) >= MOST_STREAMS:
            raise TooMany
        stream = Stream(owner, hears)
        self._streams.add(stream)
        return stream

    async def read(self, stream: Stream, first: bytes) -> AsyncIterator[bytes]:
        """The bytes for the browser: `first`, then every event, a comment where there is none."""
        try:
            yield RETRY + first
            while (text := await stream.queue.get()) is not None:
                yield text
        finally:
            self._streams.discard(stream)

    def _soon(self, work: Callable[[], None]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(work)

    def _end(self, owner: str) -> None:
        for stream in [one for one in self._streams if one.owner == owner]:
            self.let_go(stream)

    def _hand_out(self, told: list[tuple[Stream, Hears]], whole: bytes, few: bytes | None) -> None:
        for stream, hears in told:
            if hears == "nothing":
                self.let_go(stream)
            elif hears == "all":
                self._put(stream, whole)
            elif few is not None:
                self._put(stream, few)

    def _beat(self) -> None:
        for stream in list(self._streams):
            self._put(stream, COMMENT)
        if self._loop is not None and not self._closed:
            self._loop.call_later(KEEP_ALIVE_S, self._beat)

    def _put(self, stream: Stream, text: bytes) -> None:
        if stream not in self._streams:
            return
        if stream.queue.qsize() >= MOST_WAITING:
            self.dropped += 1
            self.let_go(stream)
        else:
            stream.queue.put_nowait(text)

    def let_go(self, stream: Stream) -> None:
        """It ends. On the event loop's thread; may be called twice."""
        if stream in self._streams:
            self._streams.discard(stream)
            stream.queue.put_nowait(None)


def _hears(stream: Stream) -> Hears:
    """Where it cannot be said, nothing: that stream ends. Whoever publishes goes on."""
    try:
        return stream.hears()
    except Exception:
        log.exception("events.hears")
        return "nothing"


def encoded(event: str, data: Mapping[str, object]) -> bytes:
    """One event as it goes over the wire. JSON has no line ends, so nothing in it can end it."""
    return f"event: {event}\ndata: {json.dumps(data, allow_nan=False)}\n\n".encode()
