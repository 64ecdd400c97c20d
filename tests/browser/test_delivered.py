"""Every verdict that was given in the browser is at the collector, exactly once."""

import time

import pytest

from sync.topics import Station
from tests.simulators.broker import Broker
from tests.simulators.collector import Acknowledging
from tests.simulators.patience import until

ANSWERS = 6
NAME = Station("plant", "line", "station")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    one = Broker(tmp_path_factory.mktemp("broker"))
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def plant(make_plant, broker):
    return make_plant("run", "sync", "web", sync={"broker": broker.url, "acknowledge": "collector"})


@pytest.mark.broker
def test_every_answer_is_delivered_once_whoever_dies_meanwhile(tablet, plant, broker):
    collector = Acknowledging(broker.url, NAME, "line", "queue")
    one = tablet("otto")
    for number in range(ANSWERS):
        shown = one.ready()
        one.test("reject").tap()
        shown = one.next_part(shown)
        if number == ANSWERS // 2:
            plant.kill("sync")
            broker.kill()
            broker.start()
            plant.start("sync")
    given = [verdict["id"] for verdict in plant.queue()]
    assert len(given) == ANSWERS

    def arrived():
        return [
            record
            for records in collector.records.values()
            for record in records.values()
            if b'"schema":"verdict/1"' in record
        ]

    def step():
        collector.step(time.monotonic())
        collector.transport.wait(0.02)

    until(lambda: len(arrived()) >= ANSWERS, step)
    for verdict in given:
        assert sum(f'"id":"{verdict}"'.encode() in record for record in arrived()) == 1
    collector.close()
