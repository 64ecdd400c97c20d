from __future__ import annotations

import json

import pytest

from sync.announcer import Announcer, will
from sync.transport import Acknowledged, Connected, Disconnected, Refused
from tests.simulators.loopback import Loopback

UP, DOWN = {"line": "up"}, {"line": "down"}


@pytest.fixture
def transport():
    return Loopback()


@pytest.fixture
def announcer(transport):
    announcer = Announcer(transport, "ei/v1/a/b/c/status", 5.0)
    announcer.take(Connected())
    return announcer


def said(transport):
    return [json.loads(one.payload) for one in transport.published]


def answer(announcer, transport):
    announcer.take(Acknowledged(transport.published[-1].token))


def test_it_is_said_once_per_connection(announcer, transport):
    for now in range(20):
        announcer.step(float(now), UP, {"backlog": 0})
        answer(announcer, transport)
    assert said(transport) == [{"line": "up", "backlog": 0}]
    assert transport.published[0].retain
    announcer.take(Disconnected("lost", "wait"))
    announcer.take(Connected(keeps_retained=False))
    announcer.step(20.0, UP, {"backlog": 0})
    assert len(transport.published) == 2
    assert not transport.published[1].retain


def test_a_turn_is_said_at_once_and_numbers_now_and_then(announcer, transport):
    announcer.step(0.0, UP, {"backlog": 0})
    answer(announcer, transport)
    for tenth in range(1, 100):
        announcer.step(tenth / 10, UP, {"backlog": tenth})
        answer(announcer, transport)
    assert [one["backlog"] for one in said(transport)] == [0, 50]
    announcer.step(10.0, DOWN, {"backlog": 100})
    assert said(transport)[-1]["line"] == "down"


def test_at_most_one_is_under_way(announcer, transport):
    announcer.step(0.0, UP, {})
    assert announcer.in_flight == 1
    announcer.step(1.0, DOWN, {})
    assert len(transport.published) == 1
    answer(announcer, transport)
    announcer.step(1.1, DOWN, {})
    assert said(transport)[-1] == DOWN


def test_a_refusal_is_a_trouble_until_one_is_taken(announcer, transport):
    announcer.step(0.0, UP, {})
    announcer.take(Refused(transport.published[-1].token, "not allowed", "mend it"))
    assert announcer.trouble is not None
    announcer.take(Refused(12345, "something else", ""))
    announcer.step(0.1, DOWN, {})
    answer(announcer, transport)
    assert announcer.trouble is None


def test_the_will_says_that_sync_is_gone():
    assert json.loads(will({"station": "a/b/c"})) == {"station": "a/b/c", "sync": "down"}
