"""Pictures and records over one connection: who goes first, and what ends it."""

from __future__ import annotations

import pytest

from sync.allowance import Allowance
from sync.backoff import Backoff
from sync.pictures import Pictures
from sync.position import PositionFile
from sync.sharing import Sharing
from sync.transport import Connected, Disconnected
from sync.uplink import Uplink
from tests.simulators.gallery import MemoryGallery
from tests.simulators.loopback import Loopback
from tests.sync.bench import STATION, Bench

PICTURE = b"x" * 200_000


class Studio(Bench):
    """A bench that also has pictures."""

    def __init__(self, folder, records, *contents, **more):
        self.gallery = MemoryGallery(*contents)
        super().__init__(folder, records, **more)

    def start(self):
        self.transport = Loopback()
        self.pictures = Pictures(
            self.gallery,
            self.transport,
            STATION,
            Allowance(10**9),
            lambda: "2026-11-23",
            Backoff(lambda: 0.5, 10.0, 600.0),
            self.settings.collector,
        )
        self.uplink = Uplink(
            lambda: self.sources,
            self.transport,
            STATION,
            PositionFile(self.path),
            Backoff(lambda: 0.5, 0.5, 4.0),
            settings=self.settings,
            key=self.key,
            sharing=Sharing(self.pictures),
        )

    def order(self):
        """What went out, status words aside: r for records, p for a piece of a picture."""
        topics = [one.topic for one in self.transport.published]
        letters = {STATION.results("line"): "r", STATION.pictures: "p"}
        return "".join(letters.get(topic, "") for topic in topics)


def test_records_go_before_pictures(tmp_path):
    studio = Studio(tmp_path, 100, PICTURE, max_rows=10, window=4)
    studio.connect()
    studio.drain()
    assert studio.order().rstrip("p").count("r") == 10
    assert studio.order().endswith("p" * 4)
    assert studio.gallery.seq == 1


def test_a_full_window_lets_no_picture_pass(tmp_path):
    studio = Studio(tmp_path, 100, PICTURE, max_rows=10, window=4)
    studio.connect()
    studio.step(30)
    assert studio.order() == "r" * 4


def test_a_record_that_comes_meanwhile_goes_before_the_next_piece(tmp_path):
    studio = Studio(tmp_path, 10, PICTURE)
    studio.connect()
    studio.step(3)
    assert studio.order() == "rp"
    studio.journal.add(5)
    studio.transport.acknowledge_all()
    studio.step(2)
    assert studio.order().startswith("rpr")
    studio.drain()
    assert studio.gallery.seq == 1


def test_a_broker_that_takes_one_message_gets_one(tmp_path):
    studio = Studio(tmp_path, 10, PICTURE)
    studio.connect(Connected(receive_maximum=1))
    for _ in range(200):
        before = len(studio.transport.published)
        studio.step()
        assert len(studio.transport.published) <= before + 1
        studio.transport.acknowledge_all()
    assert studio.uplink.drained


def test_a_broker_that_does_not_take_a_piece_is_left(tmp_path):
    studio = Studio(tmp_path, 0, PICTURE)
    studio.connect()
    studio.step(3)
    assert studio.order() == "p"
    studio.step(200)
    assert not studio.uplink.connected
    assert "acknowledged nothing" in studio.uplink.troubles(studio.now)[0].what
    studio.connect()
    studio.drain()
    assert studio.gallery.seq == 1


def test_a_lost_connection_forgets_what_was_under_way(tmp_path):
    studio = Studio(tmp_path, 0, PICTURE)
    studio.connect()
    studio.step(3)
    studio.transport.answer(Disconnected("lost", "wait"))
    studio.step()
    assert studio.pictures.in_flight == 0
    studio.connect()
    studio.drain()
    assert studio.gallery.seq == 1


@pytest.mark.parametrize("collector", [True, False])
def test_how_far_pictures_are_is_kept_with_the_positions(tmp_path, collector):
    studio = Studio(tmp_path, 10, b"one", b"two", collector=collector)
    studio.connect()
    for _ in range(20):
        studio.step()
        studio.transport.acknowledge_all()
        if collector:
            studio.collect()
    studio.step(10)
    kept = PositionFile(tmp_path / "sync.json").read()
    assert kept.streams["line"].mark.seq == 10
    assert kept.pictures["line"] == {"epoch": "epoch", "seq": 0 if collector else 2}
    assert kept.pictures["day"] == "2026-11-23"
    assert kept.pictures["bytes"] > 6


def test_what_an_earlier_service_kept_stays_where_no_pictures_are_asked_for(tmp_path):
    studio = Studio(tmp_path, 10, b"one")
    studio.connect()
    studio.drain()
    studio.step(10)
    plain = Bench(tmp_path, 20)
    plain.connect()
    plain.drain()
    plain.step(10)
    assert PositionFile(tmp_path / "sync.json").read().pictures["line"]["seq"] == 1
