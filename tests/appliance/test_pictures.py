"""Pictures follow their records: station, real broker, collectors, database."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.appliance.collecting import Collectors
from tests.appliance.picturing import NAME, PLENTY, Fleet, Studio
from tests.conftest import SOAK
from tests.simulators.broker import Broker
from tests.simulators.patience import until
from tests.simulators.postgres import running_postgres

pytestmark = pytest.mark.broker
KILLS = 100 if SOAK else 10


@contextmanager
def works(
    folder: Path, url: str = "", collectors: int = 1, cap: int = PLENTY, word: bool = True
) -> Iterator[tuple[Studio, Fleet, Broker, Callable[[], None]]]:
    """All of it; the last one makes everybody go one step."""
    broker = Broker(folder / "broker")
    broker.start()
    studio = Studio(folder / "state", broker.url, cap, word)
    fleet = Fleet(url or f"sqlite:///{folder}/fleet.db", broker.url, collectors)

    def step() -> None:
        fleet.step()
        studio.step()

    try:
        until(lambda: fleet.listening, fleet.step)
        yield studio, fleet, broker, step
    finally:
        studio.close()
        fleet.close()
        if broker.running:
            broker.kill()


def content(size: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(size)


def all_arrived(studio: Studio, fleet: Fleet) -> bool:
    return fleet.held()["pictures"] == len(studio.pictures) and studio.uplink.drained


def check(studio: Studio, fleet: Fleet) -> None:
    for name, expected in studio.pictures.items():
        assert fleet.bytes_of(name) == expected
    assert fleet.held()["pieces"] == 0


@pytest.mark.parametrize("word", [True, False], ids=["collector", "broker"])
def test_pictures_arrive_as_they_were_recorded_and_behind_their_records(
    tmp_path: Path, word: bool
) -> None:
    with works(tmp_path, word=word) as (studio, fleet, _, step):
        for number in range(6):
            studio.escalate(content(150_000 * number, number))
            studio.record(400)

        def first() -> bool:
            held = fleet.held()
            return held["pieces"] + held["pictures"] > 0

        until(first, step)
        assert fleet.held()["records"] == studio.recorded
        until(lambda: all_arrived(studio, fleet), step)
        check(studio, fleet)
        assert studio.sender.status()["sent"] == 6
        assert studio.uplink.troubles(0.0) == []
        # A second start sends none of them again.
        studio.stop()
        studio.start()
        until(lambda: studio.uplink.drained, step)
        assert studio.sender.status()["sent"] == 0


@pytest.mark.slow
def test_a_broker_that_is_killed_and_wiped_loses_none(tmp_path: Path) -> None:
    """Each dies only when a piece has arrived since the last death: in the middle of a picture."""
    with works(tmp_path) as (studio, fleet, broker, step):
        for number in range(KILLS):
            before = fleet.held()
            studio.escalate(content(400_000, number))
            studio.record(5)
            until(lambda seen=before: fleet.held()["pieces"] > 0, step)  # type: ignore[misc]
            broker.kill()
            broker.wipe()
            broker.start()
        until(lambda: all_arrived(studio, fleet), step)
        check(studio, fleet)
        assert studio.sender.status()["missing"] == 0


@pytest.mark.slow
@pytest.mark.postgres
def test_two_collectors_put_the_pieces_of_a_picture_together(tmp_path: Path) -> None:
    with (
        running_postgres() as server,
        works(tmp_path, server.create(), collectors=2) as (studio, fleet, broker, step),
    ):
        for number in range(8):
            studio.escalate(content(400_000, number))
        until(lambda: fleet.held()["pictures"] >= 4, step)
        broker.kill()
        broker.start()
        until(lambda: all_arrived(studio, fleet), step)
        check(studio, fleet)
        # The broker gives each of them a share of the pieces.
        assert all(gallery.counts.pieces > 5 for gallery in fleet.galleries)


def test_without_a_collector_nothing_counts_as_delivered(tmp_path: Path) -> None:
    with works(tmp_path) as (studio, fleet, broker, step):
        studio.escalate(content(1000, 1))
        until(lambda: all_arrived(studio, fleet), step)
        fleet.leave()
        studio.escalate(content(1000, 2))
        until(lambda: studio.sender.status()["bytes_today"] > 3000, studio.step)
        assert studio.sender.status()["sent"] == 1
        fleet.join(f"sqlite:///{tmp_path}/fleet.db", broker.url)
        until(lambda: all_arrived(studio, fleet), step)
        check(studio, fleet)


def test_the_cap_of_a_day_holds_over_a_restart_and_the_rest_waits_for_the_next(
    tmp_path: Path,
) -> None:
    with works(tmp_path, cap=250_000) as (studio, fleet, _, step):
        for number in range(5):
            studio.escalate(content(100_000, number))
        studio.escalate(content(300_000, 5))  # larger than any day allows
        until(lambda: studio.sender.capped and fleet.held()["pictures"] == 2, step)
        studio.stop()
        studio.start()
        until(lambda: studio.uplink.drained, step)
        said = studio.sender.status()
        assert (said["capped"], said["waiting"], said["sent"]) == (True, 4, 0)
        assert said["bytes_today"] < 250_000
        studio.day = "2026-11-24"
        until(lambda: fleet.held()["pictures"] == 4, step)
        studio.day = "2026-11-25"
        until(lambda: studio.uplink.drained and not studio.sender.capped, step)
        said = studio.sender.status()
        assert (said["sent"], said["too_large"], said["waiting"]) == (3, 1, 0)


def test_a_picture_that_was_evicted_or_damaged_is_skipped_and_counted(tmp_path: Path) -> None:
    with works(tmp_path) as (studio, fleet, _, step):
        first, gone, damaged, last = (studio.escalate(content(70_000, n)) for n in range(4))
        studio.paths[gone].unlink()
        whole = studio.paths[damaged].read_bytes()
        studio.paths[damaged].write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        until(lambda: studio.uplink.drained, step)
        assert studio.sender.status()["missing"] == 2
        for name in (first, last):
            assert fleet.bytes_of(name) == studio.pictures[name]
        for name in (gone, damaged):
            assert fleet.bytes_of(name) is None


def test_nonsense_among_the_pieces_is_counted_and_ends_nothing(tmp_path: Path) -> None:
    with works(tmp_path) as (studio, fleet, _, step):
        until(lambda: studio.uplink.connected, step)
        for payload in (b"", b"nonsense", b"{}\n", b"[" * 5000):
            studio.transport.publish(NAME.pictures, payload)
        until(lambda: fleet.nonsense == 4, step)
        studio.escalate(content(1000, 1))
        until(lambda: all_arrived(studio, fleet), step)
        check(studio, fleet)


CONFIG = """\
station: {{site: plant-a, line: line-3, name: caps}}
state_dir: state
status_dir: status
camera: {{source: synthetic}}
model: {{bundle: "@rings"}}
sync: {{broker: "{url}", acknowledge: collector, images: escalated}}
"""


def edge_inspect(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_the_services_and_commands(tmp_path: Path) -> None:
    broker, url = Broker(tmp_path / "broker"), f"sqlite:///{tmp_path}/central/fleet.db"
    broker.start()
    studio = Studio(tmp_path / "state", broker.url)
    name, other = studio.escalate(content(200_000, 1)), studio.escalate(content(10, 2))
    studio.close()
    (tmp_path / "config.yaml").write_text(CONFIG.format(url=broker.url))
    collectors = Collectors(tmp_path, broker.url, url)
    collectors.start()
    try:
        configured = ("--config", str(tmp_path / "config.yaml"))
        assert edge_inspect("sync", "--until-empty", *configured).returncode == 0
        said = json.loads((tmp_path / "status" / "sync.json").read_text())
        assert said["pictures"]["sent"] == 2
        assert collectors.stop() == [0]
    finally:
        collectors.remove()
        broker.kill()
    central = ("--database", url)
    ledger = json.loads(edge_inspect("fleet", "ledger", "--json", *central).stdout)
    assert ledger["pictures"] == {"plant-a/line-3/caps": 2}
    assert "plant-a/line-3/caps: 2 pictures" in edge_inspect("fleet", "ledger", *central).stdout
    out = tmp_path / "out.jpg"
    done = edge_inspect("fleet", "picture", name, "--out", str(out), *central)
    assert (done.returncode, out.read_bytes()) == (0, studio.pictures[name])
    again = edge_inspect("fleet", "picture", other, "--out", str(out), *central)
    assert again.returncode == 1
    assert os.strerror(17) in again.stderr
    assert out.read_bytes() == studio.pictures[name]
    unknown = edge_inspect("fleet", "picture", "unknown", "--out", str(out), *central)
    assert unknown.returncode == 1
    assert "no picture was collected" in unknown.stderr
