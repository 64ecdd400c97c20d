from __future__ import annotations

from sync.fleet.central import Central
from sync.fleet.database import Database
from sync.fleet.inbox import MOST_UNREAD, Counters, Inbox
from sync.transport import Message
from tests.sync.fleet.plant import STATION, Chain


def test_a_flood_of_quality_0_is_bounded_and_what_comes_with_1_is_taken(tmp_path):
    counters, released = Counters(), []
    central = Central(Database(f"sqlite:///{tmp_path / 'central.db'}"), lambda: "now")
    central.open()
    inbox = Inbox(central, counters, lambda stream, held: None, released.append)
    topic, payload = STATION.results("line"), Chain(3).payload(1, 3)
    for _ in range(MOST_UNREAD + 50):
        inbox.take(Message(topic, b"x" * 1000, False, 0))
    inbox.take(Message(topic, payload, False, 7))
    assert counters.nonsense == 50
    assert "QoS 0" in counters.strange
    inbox.read()
    inbox.begin()
    inbox.finish()
    assert 7 in released
    assert counters.tally.new == 3
    inbox.close()
    central.database.close()
