from __future__ import annotations

import threading

from sync.transport import Connected, Disconnected
from tests.simulators.loopback import Loopback


def test_events_come_in_order_and_once():
    transport = Loopback()
    transport.connect()
    transport.accept()
    transport.lose()
    assert [type(event) for event in transport.events()] == [Connected, Disconnected]
    assert transport.events() == []


def test_events_of_an_earlier_connection_are_forgotten():
    transport = Loopback()
    transport.connect()
    transport.accept()
    transport.connect()
    assert transport.events() == []
    transport.accept()
    transport.drop()
    assert transport.events() == []


def test_wait_keeps_the_event_that_woke_it():
    transport = Loopback()
    transport.connect()
    other = threading.Thread(target=transport.accept)
    other.start()
    transport.wait(60.0)
    transport.wait(60.0)
    assert len(transport.events()) == 1
    other.join()


def test_wait_ends_without_an_event():
    transport = Loopback()
    transport.wait(0.0)
    transport.wait(-1.0)
    assert transport.events() == []
