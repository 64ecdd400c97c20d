from __future__ import annotations

import itertools

import pytest

from sync.backoff import Backoff
from sync.link import CONNECT_WITHIN_S, ENDED_FOR_S, STEADY_AFTER_S, Link, Trouble
from sync.transport import Connected, Disconnected
from tests.simulators.loopback import Loopback

LOST = Disconnected("nobody listens", "start the broker")


@pytest.fixture
def transport():
    return Loopback()


@pytest.fixture
def link(transport):
    return Link(transport, Backoff(lambda: 0.999999, 1.0, 8.0), no_progress_s=15.0)


def test_it_connects_at_once_and_only_once(link, transport):
    link.step(0.0)
    link.step(1.0)
    assert (transport.connects, link.up, link.trouble) == (1, False, None)
    link.take(Connected(receive_maximum=7), 1.0)
    assert link.up
    assert link.limits.receive_maximum == 7


def test_attempts_come_later_and_later(link, transport):
    now, times = 0.0, []
    while len(times) < 6:
        before = transport.connects
        link.step(now)
        if transport.connects > before:
            times.append(now)
            link.take(LOST, now)
            assert link.trouble == Trouble("nobody listens", "start the broker")
        now += 0.5
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [
        1.0, 2.0, 4.0, 8.0, 8.0,
    ]  # fmt: skip


def test_a_broker_that_takes_us_and_throws_us_out_is_not_stormed(link, transport):
    now = 0.0
    while now < 100.0:
        link.step(now)
        if transport.connects and not link.up:
            link.take(Connected(), now)
            link.take(LOST, now)
        now += 0.25
    assert transport.connects < 20


def test_after_a_steady_connection_it_comes_back_soon(link, transport):
    for _ in range(4):
        link.take(LOST, 0.0)
    link.step(10.0)
    link.take(Connected(), 10.0)
    gone = 11.0 + STEADY_AFTER_S
    link.take(LOST, gone)
    link.step(gone + 1.0)
    assert transport.connects == 2


def test_silence_while_connecting_ends_the_attempt(link, transport):
    link.step(0.0)
    link.step(CONNECT_WITHIN_S + 0.1)
    assert link.trouble is not None
    link.step(CONNECT_WITHIN_S + 1.2)
    assert transport.connects == 2


def test_no_acknowledgement_is_no_connection(link, transport):
    link.step(0.0)
    link.take(Connected(), 0.0)
    link.sent(1.0)
    link.progress(10.0, in_flight=1)
    link.step(24.0)
    assert link.up
    link.step(25.1)
    assert not link.up
    assert "acknowledged nothing" in link.trouble.what


def test_nothing_under_way_needs_no_progress(link, transport):
    link.step(0.0)
    link.take(Connected(), 0.0)
    link.sent(1.0)
    link.progress(2.0, in_flight=0)
    link.step(1000.0)
    assert link.up
    link.sent(1000.0)
    link.idle()
    link.step(2000.0)
    assert link.up


def test_what_was_refused_stays_said_until_something_is_acknowledged(link, transport):
    refusal = Trouble("not allowed", "look at the access list")
    link.step(0.0)
    link.take(Connected(), 0.0)
    link.give_up(refusal, 1.0)
    link.step(3.0)
    link.take(Connected(), 3.0)
    assert link.trouble == refusal
    link.progress(4.0, in_flight=0)
    assert link.trouble is None


class Mortal(Loopback):
    """Its thread can end without a word."""

    alive = True


def test_a_thread_that_ended_without_a_word_is_noticed_and_begun_again():
    transport = Mortal()
    link = Link(transport, Backoff(lambda: 0.5, 1.0, 8.0), no_progress_s=15.0)
    link.step(0.0)
    link.take(Connected(), 0.0)
    transport.alive = False
    link.step(1.0)
    assert (link.up, link.dead) == (True, True)  # it may be about to say why it ended
    link.step(1.0 + ENDED_FOR_S)
    assert (link.up, link.dead) == (False, False)
    assert "thread has ended" in link.trouble.what
    transport.alive = True
    link.step(3.0)
    assert transport.connects == 2


def test_a_thread_that_ends_while_connecting_is_noticed_too():
    transport = Mortal()
    link = Link(transport, Backoff(lambda: 0.5, 1.0, 8.0), no_progress_s=15.0)
    link.step(0.0)
    transport.alive = False
    link.step(0.1)
    link.step(0.2 + ENDED_FOR_S)
    assert "thread has ended" in link.trouble.what


def test_a_thread_that_says_why_it_ended_is_believed():
    transport = Mortal()
    link = Link(transport, Backoff(lambda: 0.5, 1.0, 8.0), no_progress_s=15.0)
    link.step(0.0)
    link.take(Connected(), 0.0)
    transport.alive = False
    link.step(1.0)
    link.take(LOST, 1.1)
    link.step(9.0)
    assert link.trouble == Trouble("nobody listens", "start the broker")
    assert not link.dead
