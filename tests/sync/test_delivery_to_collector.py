"""The real broker, and a collector whose word is what counts."""

from __future__ import annotations

import random
import time

import pytest

from edge.records import Moment
from edge.review.verdict import Verdict
from edge.store.journal import Journal
from sync.broker import Address
from sync.mqtt import MqttTransport, Settings
from sync.position import PositionFile
from tests.conftest import SOAK
from tests.edge.store.builders import ORIGIN
from tests.simulators.collector import Acknowledging
from tests.simulators.patience import until
from tests.sync.test_delivery import STATION, Plant

pytestmark = pytest.mark.broker
KILLS = 40 if SOAK else 20
RECORDS = 10_000


class Works(Plant):
    """Line, sync, and a collector that says what it holds."""

    collects = True

    def begin_collector(self):
        return Acknowledging(self.broker.url, STATION, "line", "queue")

    def whole(self):
        epoch, seq, _ = self.journal.head
        return self.uplink.drained and self.collector.joined(epoch) == seq


@pytest.fixture
def works(tmp_path):
    works = Works(tmp_path)
    yield works
    works.close()


@pytest.mark.slow
def test_the_collectors_word_moves_the_position_and_nothing_else_does(works):
    works.broker.start()
    works.record(200)
    until(
        lambda: any(s.waiting_for == "collector" for s in works.uplink.streams.all), works.step_sync
    )
    for _ in range(50):
        works.step_sync()
    assert works.position.seq == 0
    works.subscribe()
    until(works.whole, works.step)
    assert works.uplink.streams.current["line"].by == works.collector.store
    works.uplink.streams.save()
    held = PositionFile(works.folder / "sync.json").read().streams["line"]
    assert (held.mark.seq, held.by) == (200, works.collector.store)
    assert works.troubles == []
    assert works.uplink.ignored == 0


@pytest.mark.slow
def test_a_broker_killed_and_wiped_again_and_again_loses_and_doubles_nothing(works):
    """Also the collector begins anew now and then; it has its memory as others their database."""
    works.broker.start()
    works.subscribe()
    for kill in range(KILLS):
        works.record(RECORDS // KILLS)
        for _ in range(random.randrange(3, 20)):
            works.step()
        works.broker.kill()
        works.broker.wipe()
        works.broker.start()
        if kill % 2:
            works.subscribe()
    until(works.whole, works.step)
    assert works.journal.head[1] == RECORDS
    assert works.collector.nonsense == 0
    assert works.collector.gaps == []
    assert works.position.seq == RECORDS


def test_a_collector_restored_from_a_backup_asks_for_the_rest_and_gets_it(works):
    works.broker.start()
    works.subscribe()
    works.record(2000)
    until(works.whole, works.step)
    epoch = works.journal.head[0]
    works.collector.forget_after("line", epoch, 700)
    until(lambda: works.position.seq <= 700, works.step)
    until(works.whole, works.step)
    assert works.collector.joined(epoch) == 2000


def test_sync_that_lost_its_position_learns_it_from_the_retained_word(works):
    works.broker.start()
    works.subscribe()
    works.record(1000)
    until(works.whole, works.step)
    works.transport.drop()
    (works.folder / "sync.json").unlink(missing_ok=True)
    works.start_sync()
    until(works.whole, works.step)
    assert works.collector.duplicates == 0


def test_both_streams_arrive(works):
    works.broker.start()
    works.subscribe()
    works.record(100)
    queue = Journal.open(works.folder / "queue.db", "boot-1", 0, "queue")
    queue.append([Verdict("verdict-1", ORIGIN, Moment(0, 0), "an-inspection", "accept", "j.doe")])
    epoch = queue.head[0]
    until(works.whole, works.step)
    until(lambda: "queue" in works.uplink.streams.current, works.step)
    until(works.whole, works.step)
    assert works.collector.joined(epoch) == 1
    queue.close()


@pytest.mark.slow
def test_an_absent_collector_costs_no_connection(works):
    works.broker.start()
    works.record(100)
    connects = works.transport._generation
    until(lambda: works.uplink.connected, works.step_sync)
    end = time.monotonic() + 4.0  # longer than the broker may be silent
    until(lambda: time.monotonic() > end, works.step_sync)
    assert works.transport._generation == connects + 1
    assert works.position.seq == 0
    works.subscribe()
    until(works.whole, works.step)


def test_forged_and_strange_words_on_the_topics_move_nothing(works):
    works.broker.start()
    works.subscribe()
    works.record(100)
    until(works.whole, works.step)
    stranger = MqttTransport(Settings(Address.parse(works.broker.url), "stranger"))
    stranger.connect()
    draw = random.Random(3)
    for _ in range(50):
        for leaf in ("ack/line", "ack/queue", "rewind"):
            stranger.publish(STATION.topic(leaf), draw.randbytes(draw.randrange(200)), retain=True)
    until(lambda: works.uplink.ignored == 150, works.step)
    assert works.position.seq == 100
    works.record(100)
    until(works.whole, works.step)
    stranger.close()
