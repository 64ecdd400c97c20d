"""A link that is slow, cut, half-open or loses packets: everything arrives, without a storm."""

from __future__ import annotations

import itertools
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.topics import Station
from tests.appliance.station import pictures, rows, start, station
from tests.conftest import SOAK
from tests.simulators.broker import running_broker
from tests.simulators.collector import Collector
from tests.simulators.patience import until
from tests.simulators.proxy import Proxy, Weather

PARTS = 3000 if SOAK else 300
CUTS = 10 if SOAK else 3
MOST_IN_A_SECOND = 6
"""Connections within any second: the first attempts after a loss come quickly, and each that is
refused is followed by a look at the reason."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A station that has recorded its parts and sent none."""
    folder = tmp_path_factory.mktemp("recorded")
    camera = {"source": "folder", "path": str(pictures(folder / "pictures", 5)), "loop": True}
    settings = station(folder, camera, storage={"images": "none"})
    with start(settings, "run", "--parts", str(PARTS)) as line:
        assert line.wait() == 0
    return folder


class Sending:
    """A real sync service behind the proxy, and what has arrived behind the broker."""

    def __init__(self, settings: Path, proxy: Proxy, collector: Collector, pid: int) -> None:
        self.settings, self.proxy, self.collector, self.pid = settings, proxy, collector, pid
        self.expected = [row.body for row in rows(settings)]

    def until(self, condition: Callable[[], object]) -> None:
        until(condition, self._take)

    def arrived(self) -> int:
        return sum(len(records) for records in self.collector.records.values())

    def drained(self) -> None:
        """Wait until everything is there, once, in its order."""
        self.until(lambda: self.arrived() == len(self.expected))
        (epoch,) = self.collector.records
        assert self.collector.joined(epoch) == len(self.expected)
        assert list(self.collector.records[epoch].values()) == self.expected

    def threads(self) -> int:
        """How many threads the service has."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def _take(self) -> None:
        self.collector.step(time.monotonic())
        threading.Event().wait(0.01)


@contextmanager
def sending(tmp_path: Path, recorded: Path, weather: Weather) -> Iterator[Sending]:
    """A sync service that starts in this weather; at the end it must still live, and end well."""
    shutil.copytree(recorded, tmp_path / "station")
    with running_broker(tmp_path / "broker") as broker, Proxy(broker.port) as proxy:
        proxy.weather = weather
        camera = {"source": "folder", "path": "pictures"}
        settings = station(tmp_path / "station", camera, sync={"broker": proxy.url})
        collector = Collector(broker.url, Station("plant", "line", "station"))
        with start(settings, "sync") as service:
            made = Sending(settings, proxy, collector, service.pid)
            try:
                made.until(lambda: collector.subscribed)
                yield made
                assert service.poll() is None
                # those of connections that were given up have ended
                made.until(lambda: made.threads() <= 2 or service.poll() is not None)
                service.send_signal(signal.SIGTERM)
                assert service.wait() == 0
            finally:
                service.kill()
        collector.close()
        times = proxy.counts.times
        busiest = max(sum(at <= other < at + 1 for other in times) for at in times)
        assert busiest <= MOST_IN_A_SECOND


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.parametrize("weather", ["slow", "lossy"])
def test_a_bad_link_drains(tmp_path: Path, recorded: Path, weather: Weather) -> None:
    with sending(tmp_path, recorded, weather) as sent:
        sent.drained()
        assert sent.proxy.counts.connections == 1
        assert sent.proxy.counts.held_back > 3 or weather == "slow"


@pytest.mark.broker
@pytest.mark.slow
def test_a_link_that_is_cut_again_and_again(tmp_path: Path, recorded: Path) -> None:
    with sending(tmp_path, recorded, "slow") as sent:
        for number in range(CUTS):
            before = sent.proxy.counts.bytes
            sent.until(lambda seen=before: sent.proxy.counts.bytes > seen + 2000)  # type: ignore[misc]
            sent.proxy.cut()
            assert sent.proxy.counts.connections <= number + 2
        sent.proxy.weather = "fine"
        sent.drained()
        assert sent.proxy.counts.connections <= CUTS + 2


def waits(times: list[float]) -> list[float]:
    """Seconds between attempts. One that is refused is followed at once by a look at the reason."""
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return [gap for gap in gaps if gap > 0.2]


@pytest.mark.broker
@pytest.mark.slow
def test_a_link_that_refuses(tmp_path: Path, recorded: Path) -> None:
    with sending(tmp_path, recorded, "refusing") as sent:
        sent.until(lambda: len(waits(sent.proxy.counts.times)) >= (6 if SOAK else 3))
        first, *_, last = waits(sent.proxy.counts.times)
        assert last > first, "the attempts come no further apart"
        sent.proxy.weather = "fine"
        sent.drained()


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.parametrize(
    "weather",
    [
        "dead",
        pytest.param("deaf", marks=pytest.mark.soak),
        pytest.param("mute", marks=pytest.mark.soak),
    ],
)
def test_a_half_open_link(tmp_path: Path, recorded: Path, weather: Weather) -> None:
    with sending(tmp_path, recorded, "slow") as sent:
        sent.until(lambda: sent.proxy.counts.bytes > 5000)
        sent.proxy.weather = weather
        sent.until(lambda: sent.proxy.counts.swallowed > 0)
        sent.proxy.weather = "fine"
        sent.drained()
        assert sent.proxy.counts.connections <= 3
