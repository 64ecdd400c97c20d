"""How sync is put together for models: with a root of trust and without, room, clock."""

import subprocess
import sys

import pytest

from edge import broker
from edge.line_watch import LineWatch
from edge.statusfile import StatusFile
from edge.store.usage import Disk
from edge.sync_models import Synced, room, sharing
from sync.assignment import LARGEST_PIECE
from sync.topics import Station
from tests.appliance.station import config_of, station
from tests.simulators.loopback import Loopback

HERE = Station("plant", "line", "station")


def made(tmp_path, **more):
    path = station(tmp_path, {"source": "synthetic"}, sync={"broker": "mqtt://x", **more})
    config = config_of(path)
    watch = LineWatch(StatusFile(config.status_folder, "line"))
    transport = Loopback()
    return sharing(config, config.sync, HERE, transport, watch, None), transport, config


def test_a_station_takes_models_only_with_a_root_of_trust(tmp_path):
    found, transport, _ = made(tmp_path)
    found.connected()
    assert transport.subscribed == []
    assert found.delivery.status()["state"] == "no_trust_root"
    found, transport, _ = made(tmp_path, trust_root_file="root.json")
    found.connected()
    assert HERE.model_assignment in dict(transport.subscribed)
    assert found.delivery.status()["state"] == "none"


PROGRAM = """
import sys
from pathlib import Path
from tests.edge.test_sync_models import made
assert "tuf" not in sys.modules
made(Path(sys.argv[1]), **eval(sys.argv[2]))
sys.exit("tuf" in sys.modules)
"""


@pytest.mark.parametrize("more", [{}, {"trust_root_file": "root.json"}])
def test_the_library_that_verifies_is_there_before_the_first_pack_and_only_with_a_root(
    tmp_path, more
):
    words = [sys.executable, "-c", PROGRAM, str(tmp_path), repr(more)]
    assert subprocess.run(words, check=False).returncode == bool(more)


def test_settings_reach_what_they_are_for(tmp_path):
    found, _, config = made(tmp_path, trust_root_file="root.json", models_bytes_per_s="1MB")
    bounds = found.delivery.reception._bounds
    assert bounds.bytes_per_s == 10**6
    assert bounds.max_bytes == config.rollout.max_bundle_bytes
    assert config.state_dir == found.delivery.reception._inbox.folder.parent


def test_the_broker_is_told_how_large_a_message_may_be_here(tmp_path):
    _, _, config = made(tmp_path)
    assert broker.settings(config.sync, "caps").largest == broker.LARGEST_MESSAGE
    assert 0 < broker.LARGEST_MESSAGE - LARGEST_PIECE <= 1 << 16


def test_a_disk_that_pictures_have_filled_has_room_for_a_model(tmp_path, monkeypatch):
    full = Disk(total=32 * 10**9, free=10**9)
    _, _, config = made(tmp_path)
    monkeypatch.setattr("edge.sync_models.disk", lambda folder: full)
    assert full.free <= full.reserve
    assert room(config) == 5 * 10**8


class Kernel:
    synced = False
    asked = 0
    time = 0.0

    def wall(self):
        return self.time

    def refresh(self):
        self.asked += 1
        self.synced = True


def test_the_clock_is_asked_for_now_and_then():
    kernel, now = Kernel(), [0.0]
    synced = Synced(kernel, lambda: now[0])
    assert [synced() for _ in range(100)] == [False] * 100
    now[0] = 61.0
    assert synced()
    assert synced()
    assert kernel.asked == 1


def test_a_clock_that_is_set_or_becomes_synchronised_is_noticed_once():
    kernel, now = Kernel(), [0.0]
    synced = Synced(kernel, lambda: now[0])
    assert not synced.changed()
    kernel.time += 10.0
    now[0] += 10.0
    assert [synced.changed(), synced.changed()] == [True, False]  # the kernel was asked again
    kernel.time += 5.0
    assert not synced.changed()
    asked = kernel.asked
    kernel.time += 86400.0
    assert [synced.changed(), synced.changed()] == [True, False]
    assert kernel.asked == asked + 1  # how good a clock is that was set is known at once
