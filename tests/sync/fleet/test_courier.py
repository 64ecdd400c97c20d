from __future__ import annotations

import json

import pytest

from edge.records import utc
from edge.serving import Packs
from sync.backoff import Backoff
from sync.fleet import courier as module
from sync.fleet.advance import Advance
from sync.fleet.courier import LEAVE_WITHIN_S, Courier
from sync.fleet.database import Away, Database
from sync.fleet.herald import SETTLE_S, Herald
from sync.fleet.pieces import Pieces
from sync.fleet.publisher import Publisher
from sync.pack import pack, unpack
from sync.transport import Refused
from sync.want import Want, encode_want
from tests.simulators.loopback import Loopback
from tests.sync.fleet.depot import NOON, Depot, bundle, state, trial

CAPS = "a/b/caps"
TOPIC = f"ei/v1/{CAPS}/model"


class Bench:
    """A courier whose broker is the test."""

    def __init__(self, folder, database):
        self.now, self.database = 0.0, database
        self.depot = Depot(folder / "repository", database)
        self.file = self.depot.add(bundle())
        self.depot.begin("r1", [CAPS])
        self.wire = Loopback()
        self.advance = Advance(database, self.depot.repository, lambda: NOON + self.now, utc)
        packs = Packs(database, self.depot.repository)
        self.courier = Courier(
            self.wire,
            self.advance,
            Publisher(self.wire, Pieces(database).read),
            Herald(self.wire, packs.make, packs.version),
            lambda: Backoff(lambda: 0.5, 0.25, 10.0),
            "fleet",
        )

    def step(self, seconds=0.0):
        self.now += seconds
        return self.courier.step(self.now)

    def connect(self):
        self.step()
        self.wire.accept()
        self.step()
        for _, token in self.wire.subscribed:
            self.wire.answer(module.Acknowledged(token))
        self.step()

    def settle(self):
        """Everything that is to go out, goes out and is taken."""
        for _ in range(4):
            self.step(SETTLE_S)
            self.wire.acknowledge_all()
            self.step()

    def topics(self):
        return [one.topic for one in self.wire.published]


@pytest.fixture
def bench(tmp_path, database):
    return Bench(tmp_path, database)


def test_wants_are_shared_and_states_are_heard_by_all(bench):
    bench.connect()
    names = [name for name, _ in bench.wire.subscribed]
    assert names == [
        "$share/fleet-models/ei/v1/+/+/+/model/want",
        "ei/v1/+/+/+/model/state",
        "ei/v1/+/+/+/model/assignment",
    ]


def test_from_a_push_to_a_piece(bench):
    bench.connect()
    bench.settle()
    assert bench.topics() == [f"{TOPIC}/assignment"]
    assert unpack(bench.wire.published[0].payload).files
    file = bench.file
    bench.wire.say(
        f"{TOPIC}/want", encode_want(Want(file.sha256, file.size, file.piece, ((0, 0),), 4))
    )
    bench.step()
    assert bench.topics()[-1] == f"{TOPIC}/chunk/{file.sha256}/0"
    assert bench.wire.published[-1].payload == bundle().data[: file.piece]


def test_what_a_station_says_is_kept(bench):
    bench.connect()
    bench.wire.say(f"{TOPIC}/state", state(CAPS).encode(), retained=True)
    bench.step(1.0)
    bench.step(1.0)
    assert bench.advance._knowing._heard[CAPS].said is not None


@pytest.mark.parametrize(
    ("leaf", "payload"),
    [
        ("state", b"{"),
        ("state", state("a/b/lids").encode()),
        ("state/x", b""),
        ("want", b"nonsense"),
    ],
)
def test_nonsense_is_counted(bench, leaf, payload):
    bench.connect()
    bench.wire.say(f"{TOPIC}/{leaf}", payload)
    bench.wire.say("ei/v1/nobody", payload)
    bench.step(1.0)
    assert bench.courier.nonsense + bench.courier.publisher.counters.ignored == 2
    assert bench.courier.listening


def test_a_retained_want_is_none(bench):
    bench.connect()
    bench.settle()
    file = bench.file
    payload = encode_want(Want(file.sha256, file.size, file.piece, ((0, 0),), 4))
    bench.wire.say(f"{TOPIC}/want", payload, retained=True)
    bench.step()
    assert not [one for one in bench.topics() if "chunk" in one]


def test_while_the_database_is_away_stations_get_what_is_in_memory(bench, monkeypatch):
    bench.connect()
    bench.settle()
    file = bench.file
    payload = encode_want(Want(file.sha256, file.size, file.piece, ((0, 0),), 4))
    bench.wire.say(f"{TOPIC}/want", payload)
    bench.step()

    def away(self):
        raise Away("the database is away", "wait")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", away)
        bench.wire.say(f"{TOPIC}/state", state(CAPS).encode())
        bench.step(1.0)
        assert [one.what for one in bench.courier.troubles] == ["the database is away"]
        bench.wire.say(f"{TOPIC}/want", payload)
        bench.wire.acknowledge_all()
        bench.step()
        bench.wire.say(f"{TOPIC}/want", payload)
        bench.step()
        assert len([one for one in bench.topics() if "chunk" in one]) >= 2
    bench.wire.acknowledge_all()
    bench.step(5.0)
    assert not bench.courier.troubles
    assert CAPS in bench.advance._knowing._heard, "what was heard meanwhile was not lost"


def test_after_a_lost_connection_all_begins_anew(bench):
    bench.connect()
    bench.settle()
    bench.wire.lose()
    bench.step()
    assert not bench.courier.listening
    bench.wire.subscribed.clear()
    bench.step(20.0)
    bench.connect()
    assert bench.courier.listening
    bench.settle()
    assert bench.topics() == [f"{TOPIC}/assignment"] * 2, "this broker holds nothing"


def test_what_was_said_before_the_connection_was_lost_is_not_kept_afterwards(bench, monkeypatch):
    """Another `serve` has heard, and kept, what the station said since."""
    bench.connect()
    bench.settle()
    word = bench.depot.assigned()[CAPS]

    def away(self):
        raise Away("the database is away", "wait")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", away)
        active = state(CAPS, word, running=word.bundle.digest, last=trial(word, "active"))
        bench.wire.say(f"{TOPIC}/state", active.encode())
        bench.step(1.0)
        bench.wire.lose()
        bench.step()
    gone = state(CAPS, word, last=trial(word, "rolled_back", code="escalation"))
    bench.advance.turn({CAPS: gone}, {})
    bench.step(20.0)
    assert bench.courier.turns, "the database is there again, the broker is not"
    assert bench.depot.members("r1")[CAPS].state == "rolled_back"


def test_a_refused_subscription_is_a_trouble(bench):
    bench.step()
    bench.wire.accept()
    bench.step()
    bench.wire.answer(Refused(bench.wire.subscribed[0][1], "not authorised", "mend"))
    bench.step()
    assert "the subscription was refused" in bench.courier.troubles[0].what
    assert not bench.courier.listening


def test_it_leaves_when_what_is_under_way_has_gone(bench):
    bench.connect()
    bench.step(SETTLE_S)
    assert bench.courier.herald.under_way
    bench.courier.stop(bench.now)
    bench.step()
    assert not bench.courier.stopped
    bench.wire.acknowledge_all()
    bench.step()
    assert bench.courier.stopped
    assert bench.wire.closed


def test_it_leaves_in_time_also_when_the_broker_is_silent(bench):
    bench.connect()
    bench.step(SETTLE_S)
    bench.courier.stop(bench.now)
    bench.step(LEAVE_WITHIN_S)
    assert bench.courier.stopped


def test_news_are_told_once(bench):
    bench.connect()
    bench.step(1.0)
    word = bench.depot.assigned()[CAPS]
    said = state(CAPS, word, running=word.bundle.digest)
    bench.wire.say(f"{TOPIC}/state", json.dumps(json.loads(said)).encode())
    bench.step(1.0)
    bench.step(1.0)
    assert bench.courier.news() == ["r1 is done, wave 1"]
    assert bench.courier.news() == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_state_in_another_encoding_is_nonsense_and_ends_no_connection(bench, encoding):
    bench.connect()
    bench.wire.say(f"{TOPIC}/state", state(CAPS).encode(encoding))
    bench.step(1.0)
    assert bench.courier.nonsense == 1
    assert bench.courier.listening
    assert CAPS not in bench.advance._knowing._heard


def test_what_stations_say_between_two_turns_is_bounded(bench, monkeypatch):
    said = state(CAPS).encode()
    monkeypatch.setattr(module, "MOST_HEARD_BYTES", 2 * len(said))
    bench.connect()
    bench.step(1.0)
    for name in ("caps", "caps", "caps", "lid", "cup"):  # the same one again counts once
        bench.wire.say(f"ei/v1/a/b/{name}/model/state", state(f"a/b/{name}").encode())
    bench.step()
    assert bench.courier.nonsense == 1
    bench.step(1.0)
    bench.wire.say("ei/v1/a/b/cup/model/state", state("a/b/cup").encode())
    bench.step()
    assert bench.courier.nonsense == 1, "a turn makes room"


def test_names_that_somebody_makes_up_are_kept_up_to_a_number(bench, monkeypatch):
    monkeypatch.setattr(module, "MOST_STATIONS", 2)
    bench.connect()
    for name in ("caps", "x1", "x2", "x3"):
        bench.wire.say(f"ei/v1/a/b/{name}/model/state", state(f"a/b/{name}").encode())
        bench.step(1.0)
    bench.wire.say(f"{TOPIC}/state", state(CAPS).encode())
    bench.step(1.0)
    assert bench.courier.nonsense == 2


def test_what_only_looks_like_our_pack_is_replaced(bench):
    """Its timestamp is ours, and nothing else: the station would refuse it, for ever."""
    bench.connect()
    bench.settle()
    files = dict(unpack(bench.wire.published[-1].payload).files)
    forged = pack({**files, f"targets/assignments/{CAPS}.json": "{}"}, "2026-11-20T12:00:00Z")
    bench.wire.say(f"{TOPIC}/assignment", forged, retained=True)
    for _ in range(4):
        bench.step(1.0)
    assert bench.topics() == [f"{TOPIC}/assignment"] * 2
    assert bench.courier.herald.foreign == 1
