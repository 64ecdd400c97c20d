"""Bundles and records over one connection: records first, and what `model/state` says when."""

from __future__ import annotations

import json

import pytest

from sync.backoff import Backoff
from sync.delivery import Delivery
from sync.inbox import Inbox
from sync.position import PositionFile
from sync.reception import Bounds, Reception
from sync.sharing import EVERY, Sharing, word_on_models
from sync.transport import Connected, Message, Refused
from sync.uplink import Uplink
from sync.want import chunks, decode_want
from tests.simulators.loopback import Loopback
from tests.simulators.signer import assignment_of, bundle_file
from tests.sync.bench import STATION, Bench
from tests.sync.parcels import PlainTrust, content

DATA = content(300_000)
BUNDLE = bundle_file(DATA, piece=1000)


class Station(Bench):
    """A bench that also takes models."""

    def __init__(self, folder, records=0, trusts=True, **more):
        self.folder = folder / "inbox"
        self.trusts = trusts
        self.line = {}
        self.answered = 0
        super().__init__(folder, records, **more)

    def start(self):
        self.transport = Loopback()
        self.reception = self.trusts and Reception(
            Inbox(self.folder),
            PlainTrust(),
            lambda: 10**12,
            lambda: "then",
            Bounds(),
            lambda: 0.5,
        )
        delivery = Delivery(self.reception or None, self.transport, STATION)
        word = word_on_models(self.transport, STATION, lambda: {"at": self.now})
        self.sharing = Sharing(None, delivery, word, lambda: {**self.line, **delivery.state()})
        self.uplink = Uplink(
            lambda: self.sources,
            self.transport,
            STATION,
            PositionFile(self.path),
            Backoff(lambda: 0.5, 0.5, 4.0),
            settings=self.settings,
            key=self.key,
            sharing=self.sharing,
        )

    def assign(self):
        self.transport.say(STATION.model_assignment, assignment_of(bundle=BUNDLE).as_bytes())
        self.step(2)

    def answer(self):
        """The fleet answers all that was asked for, at once."""
        new = self.transport.published[self.answered :]
        self.answered = len(self.transport.published)
        for one in new:
            if one.topic == STATION.model_want:
                for n in decode_want(one.payload).numbers:
                    self.transport.say(
                        STATION.model_chunk(BUNDLE.sha256, n), DATA[n * 1000 : (n + 1) * 1000]
                    )

    def order(self):
        """What went out: r for records, w for a request of pieces."""
        letters = {STATION.results("line"): "r", STATION.model_want: "w"}
        return "".join(letters.get(one.topic, "") for one in self.transport.published)

    def words(self):
        """What was said on `model/state`."""
        found = [one for one in self.transport.published if one.topic == STATION.model_state]
        assert all(one.retain for one in found)
        return [json.loads(one.payload) for one in found]


def test_a_record_that_comes_during_a_delivery_goes_out_at_once(tmp_path):
    station = Station(tmp_path)
    station.connect()
    station.assign()
    added = 0
    for turn in range(100):
        station.transport.acknowledge_all()
        station.answer()
        if turn % 10 == 5:
            station.journal.add(1)
            added += 1
            station.answer()
            station.step(11)  # the journal is looked at every second
            assert station.order().count("r") == added
        station.step()
    assert "w" * 3 in station.order()


def test_while_records_wait_requests_go_one_turn_in_a_few(tmp_path):
    station = Station(tmp_path, 1000, max_rows=5, window=1000)
    station.connect()
    station.assign()
    for _ in range(400):
        station.step()
        station.transport.acknowledge_all()
        station.answer()
        if station.order().count("r") == 200:
            break
    mixed = station.order()
    assert 200 // (EVERY - 1) - 4 <= mixed.count("w") <= 200 // (EVERY - 1) + 2
    assert "ww" not in mixed.strip("w")


def test_a_collector_that_is_dead_holds_no_model_up(tmp_path):
    station = Station(tmp_path, 1000, collector=True, max_rows=10, window=4)
    station.connect()
    station.assign()
    for _ in range(400):
        station.transport.acknowledge_all()
        station.answer()
        station.step()
    assert station.uplink.streams.full
    assert station.reception.entry.state == "verified"


def test_with_pieces_under_way_the_broker_s_maximum_is_kept_to(tmp_path):
    station = Station(tmp_path, 50, max_rows=5)
    station.connect(Connected(receive_maximum=1))
    station.assign()
    for _ in range(1000):
        before = len(station.transport.published)
        station.step()
        assert len(station.transport.published) <= before + 1
        station.answer()
        station.transport.acknowledge_all()
    assert station.uplink.drained
    assert station.reception.entry.state == "verified"


def test_a_lost_connection_begins_again_where_it_was(tmp_path):
    station = Station(tmp_path, 10)
    station.connect()
    station.assign()
    for _ in range(100):
        station.answer()
        station.step()
        station.transport.acknowledge_all()
    here = station.reception.here
    assert 0 < here < len(DATA)
    station.transport.lose()
    station.step(2)
    station.connect()
    assert station.reception.here == here
    for _ in range(400):
        station.answer()
        station.step()
        station.transport.acknowledge_all()
    assert station.reception.entry.state == "verified"
    assert station.uplink.drained


def test_a_subscription_that_is_refused_is_told(tmp_path):
    station = Station(tmp_path)
    while not station.transport.connects:
        station.step()
    station.transport.accept()
    station.step()
    tokens = {name: token for name, token in station.transport.subscribed}
    station.transport.answer(Refused(tokens[chunks(STATION)], "not authorised", "see the ACL"))
    station.step()
    assert any("not authorised" in one.what for one in station.troubles)
    station.transport.answer(Message(STATION.model_assignment, b"{}", False))
    station.step(3)
    assert station.sharing.delivery.state()["refusal"]["code"] == "malformed"


def test_without_a_root_of_trust_nothing_is_subscribed_to_and_that_is_said(tmp_path):
    station = Station(tmp_path, trusts=False)
    station.connect()
    station.step(5)
    assert station.transport.subscribed == []
    assert station.words()[-1]["delivery"]["state"] == "no_trust_root"
    assert station.troubles == []


# model/state


def test_the_state_is_said_at_each_connection_and_when_it_changes(tmp_path):
    station = Station(tmp_path)
    station.connect()
    station.step(50)
    assert len(station.words()) == 1
    station.transport.acknowledge_all()
    station.step(50)
    assert len(station.words()) == 1
    station.line = {"running": {"bundle": "x"}}
    station.step(20)
    assert [one.get("running") for one in station.words()] == [None, {"bundle": "x"}]
    station.transport.lose()
    station.step(2)
    station.connect()
    station.step(2)
    assert len(station.words()) == 3
    assert station.words()[-1]["at"] > station.words()[0]["at"]


def test_what_changes_all_the_time_is_said_once_a_second(tmp_path):
    station = Station(tmp_path)
    station.connect()
    began = station.now
    for turn in range(100):
        station.line = {"turn": turn}
        station.step()
        station.transport.acknowledge_all()
    assert (station.now - began) * 0.8 <= len(station.words()) <= station.now - began + 2


def test_progress_is_said_while_a_file_comes(tmp_path):
    station = Station(tmp_path)
    station.connect()
    station.assign()
    while station.reception.entry.state != "verified":
        station.transport.acknowledge_all()
        station.answer()
        station.step()
    station.transport.acknowledge_all()
    station.step(30)
    said = [(one["delivery"]["state"], one["delivery"]["bytes"]) for one in station.words()]
    assert said[-1] == ("verified", len(DATA))
    assert sorted(number for _, number in said) == [number for _, number in said]
    assert any(state == "downloading" for state, _ in said)
    assert station.words()[-1]["desired"]["digest"] == BUNDLE.digest


@pytest.mark.parametrize("member", ["desired", "refusal", "delivery"])
def test_what_sync_says_is_in_it_from_the_start(tmp_path, member):
    station = Station(tmp_path)
    station.connect()
    station.step(5)
    assert member in station.words()[0]
