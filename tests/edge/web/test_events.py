"""Server-sent events: many browsers, slow ones, locked ones, those that have gone."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from edge.web import events
from edge.web.events import MOST_OF_ONE, MOST_STREAMS, MOST_WAITING, Hears, Hub, TooMany
from edge.web.line_news import AT_ONCE

COUNTS = {"waiting": 3, "pressing": True, "new": 1}


def on_loop(work: Callable[[Hub], Coroutine[Any, Any, None]]) -> None:
    async def begin() -> None:
        hub = Hub()
        hub.start()
        await work(hub)
        hub.close()

    asyncio.run(begin())


def hears(word: Hears) -> Callable[[], Hears]:
    return lambda: word


async def heard(hub: Hub, stream: events.Stream, first: bytes = b"") -> list[bytes]:
    return [text async for text in hub.read(stream, first)]


async def settle() -> None:
    """Until what was handed to the loop is done."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def fields(text: bytes) -> tuple[str, Any]:
    event, data = text.decode().strip().split("\n")
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_every_stream_is_told_in_order_and_first_what_was_before():
    async def work(hub: Hub) -> None:
        streams = [hub.open(f"s{number}", hears("all")) for number in range(3)]
        hub.publish("queue", COUNTS)
        hub.publish("part", {"inspection": "x", "state": "decided"})
        await settle()
        hub.close()
        for one in streams:
            first, *rest = await heard(hub, one, b"event: queue\ndata: {}\n\n")
            assert first.startswith(b"retry: ")
            assert first.endswith(b"data: {}\n\n")
            assert [fields(text)[0] for text in rest] == ["queue", "part"]
            assert fields(rest[0])[1] == COUNTS

    on_loop(work)


def test_threads_may_publish():
    async def work(hub: Hub) -> None:
        stream = hub.open("s", hears("all"))
        thread = threading.Thread(target=lambda: hub.publish("queue", COUNTS))
        thread.start()
        text = await asyncio.wait_for(stream.queue.get(), 30)
        assert text is not None
        assert fields(text) == ("queue", COUNTS)
        thread.join()

    on_loop(work)


def test_a_locked_session_is_told_how_many_wait_and_no_more():
    async def work(hub: Hub) -> None:
        stream = hub.open("s", hears("counts"))
        hub.publish("part", {"inspection": "x"})
        hub.publish("line", {"line": "up"})
        hub.publish("queue", {**COUNTS, "items": ["secret"]})
        await settle()
        hub.close()
        _, *rest = await heard(hub, stream)
        assert [fields(text) for text in rest] == [("queue", {"waiting": 3, "new": 1})]

    on_loop(work)


def test_a_session_that_has_ended_hears_nothing_more():
    async def work(hub: Hub) -> None:
        word: list[Hears] = ["all"]
        stream = hub.open("s", lambda: word[0])
        hub.publish("queue", COUNTS)
        await settle()
        word[0] = "nothing"
        hub.publish("queue", COUNTS)
        await settle()
        assert len((await heard(hub, stream))[1:]) == 1
        assert hub.streams == 0

    on_loop(work)


def test_streams_of_a_session_are_ended_by_its_name():
    async def work(hub: Hub) -> None:
        mine, other = hub.open("mine", hears("all")), hub.open("other", hears("all"))
        hub.end("mine")
        await settle()
        assert len(await heard(hub, mine)) == 1
        assert other in hub._streams

    on_loop(work)


def test_who_does_not_read_is_dropped_and_nobody_else():
    async def work(hub: Hub) -> None:
        slow, quick = hub.open("slow", hears("all")), hub.open("quick", hears("all"))
        for _ in range(MOST_WAITING + 1):
            hub.publish("queue", COUNTS)
            await settle()
            assert quick.queue.get_nowait() is not None
        assert (hub.streams, hub.dropped) == (1, 1)
        assert len(await heard(hub, slow)) == 1 + MOST_WAITING

    on_loop(work)


def test_there_are_only_so_many_streams():
    async def work(hub: Hub) -> None:
        for _ in range(MOST_OF_ONE):
            hub.open("mine", hears("all"))
        with pytest.raises(TooMany):
            hub.open("mine", hears("all"))
        for number in range(MOST_STREAMS - MOST_OF_ONE):
            hub.open(f"s{number}", hears("all"))
        with pytest.raises(TooMany):
            hub.open("one more", hears("all"))

    on_loop(work)


def test_while_nothing_happens_a_comment_keeps_the_connection(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.001)

    async def work(hub: Hub) -> None:
        stream = hub.open("s", hears("all"))
        for _ in range(3):
            assert await asyncio.wait_for(stream.queue.get(), 30) == events.COMMENT

    on_loop(work)


def test_after_the_end_nobody_is_told_and_no_stream_begins():
    async def work(hub: Hub) -> None:
        hub.close()
        hub.publish("queue", COUNTS)
        with pytest.raises(TooMany):
            hub.open("s", hears("all"))

    on_loop(work)
    hub = Hub()
    hub.publish("queue", COUNTS)  # before the beginning
    hub.end("s")


def test_a_browser_that_stops_reading_leaves_no_stream_behind():
    async def work(hub: Hub) -> None:
        stream = hub.open("s", hears("all"))
        reading = hub.read(stream, b"")
        await anext(reading)
        await reading.aclose()
        assert hub.streams == 0

    on_loop(work)


def test_a_stream_of_which_nothing_can_be_said_ends_and_the_others_go_on():
    def fails() -> Hears:
        raise sqlite3.OperationalError("database or disk is full")

    async def work(hub: Hub) -> None:
        hub.open("failing", fails)
        sound = hub.open("sound", hears("all"))
        hub.publish("queue", COUNTS)
        await settle()
        assert hub.streams == 1
        assert sound.queue.qsize() == 1

    on_loop(work)


def test_many_parts_decided_at_one_moment_end_no_stream_that_is_read():
    async def work(hub: Hub) -> None:
        streams = [hub.open(f"s{number}", hears("all")) for number in range(10)]
        reading = [asyncio.ensure_future(heard(hub, one)) for one in streams]
        for number in range(3 * AT_ONCE):
            hub.publish("part", {"inspection": str(number), "state": "decided"})
        await settle()
        assert (hub.streams, hub.dropped) == (10, 0)
        hub.close()
        for one in await asyncio.gather(*reading):
            assert len(one) == 1 + 3 * AT_ONCE

    on_loop(work)


def test_no_text_can_end_an_event():
    text = events.encoded("part", {"inspection": "a\n\nevent: queue\ndata: {}"})
    assert text.count(b"\n") == 3
