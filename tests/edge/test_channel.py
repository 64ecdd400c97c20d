"""The queue between two threads: order, bounds, weight, close."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.channel import Channel


def test_items_come_out_in_the_order_in_which_they_went_in() -> None:
    channel: Channel[int] = Channel(5)
    assert all(channel.put(n) for n in range(5))
    assert channel.take(2, 0) == [0, 1]
    assert channel.put(5)
    assert channel.take(10, 0) == [2, 3, 4, 5]


def test_a_full_channel_takes_nothing_and_waits_for_nobody() -> None:
    channel: Channel[int] = Channel(1)
    assert channel.put(1)
    assert not channel.has_room()
    assert not channel.put(2)
    assert not channel.wait_for_room(0)
    assert channel.take(9, 0) == [1]
    assert channel.has_room()


def test_weight_is_bounded_but_what_weighs_nothing_passes() -> None:
    channel: Channel[str] = Channel(9, weight=10)
    assert channel.put("a", 6)
    assert not channel.has_room(5)
    assert not channel.put("b", 5)
    assert channel.put("c", 4)
    assert channel.put("light", 0)
    channel.take(1, 0)
    assert channel.put("b", 5)


def test_what_is_heavier_than_the_whole_bound_is_let_in_alone() -> None:
    channel: Channel[str] = Channel(9, weight=10)
    assert channel.put("whale", 99)
    assert not channel.put("fish", 1)
    assert channel.put("air", 0)
    channel.take(1, 0)
    assert channel.put("fish", 1)


def test_after_close_nothing_goes_in_and_the_rest_comes_out() -> None:
    channel: Channel[int] = Channel(9)
    channel.put(1)
    channel.close()
    assert channel.closed
    assert not channel.ended
    assert not channel.put(2)
    assert not channel.has_room()
    assert not channel.wait_for_room(60)
    assert channel.take(9, 60) == [1]
    assert channel.ended
    assert channel.take(9, 60) == []


@pytest.mark.parametrize(
    ("full", "wait", "wake"),
    [
        (False, lambda channel: channel.take(1, 60), lambda channel: channel.put(7)),
        (False, lambda channel: channel.take(1, 60), lambda channel: channel.close()),
        (True, lambda channel: channel.wait_for_room(60, 9), lambda channel: channel.take(1, 0)),
        (True, lambda channel: channel.wait_for_room(60, 9), lambda channel: channel.close()),
    ],
    ids=["take, put", "take, close", "room, take", "room, close"],
)
def test_who_waits_is_woken(
    full: bool, wait: Callable[[Channel[int]], object], wake: Callable[[Channel[int]], object]
) -> None:
    channel: Channel[int] = Channel(1, 9)
    if full:
        channel.put(1, 9)
    done = threading.Event()
    thread = threading.Thread(target=lambda: (wait(channel), done.set()), daemon=True)
    thread.start()
    wake(channel)
    assert done.wait(30)
    thread.join()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60))
def test_it_is_a_bounded_queue_whatever_happens(steps: list[tuple[bool, int]]) -> None:
    channel: Channel[int] = Channel(4, weight=10)
    inside: list[tuple[int, int]] = []
    for number, (puts, amount) in enumerate(steps):
        if puts:
            weight = sum(weight for _, weight in inside)
            fits = len(inside) < 4 and (not amount or not weight or weight + amount <= 10)
            assert channel.has_room(amount) == fits
            assert channel.put(number, amount) == fits
            inside += [(number, amount)] * fits
        else:
            assert channel.take(amount, 0) == [item for item, _ in inside[:amount]]
            del inside[:amount]
        assert len(channel) == len(inside)
