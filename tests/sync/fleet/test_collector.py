import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.acknowledgement import Through, decode_acknowledgement, decode_rewind
from sync.backoff import Backoff
from sync.fleet.central import Central, Commit
from sync.fleet.collector import GREET_AGAIN_S, NO_PROGRESS_S, Collector
from sync.fleet.database import Away, Database
from sync.fleet.hearing import ASK_AGAIN_S
from sync.fleet.inbox import COMMIT_ROWS
from sync.fleet.speaker import EVERY_S, MOST_UNDER_WAY
from sync.transport import Connected, Message, Refused
from tests.simulators.loopback import Loopback
from tests.sync.fleet.plant import EPOCH, STATION, Chain

ACK = STATION.ack("line")
KEY = b"a key that collectors and stations share"


class Held(Loopback):
    """Messages are held back until they are released."""

    def __init__(self):
        super().__init__()
        self.released = []

    def release(self, token):
        self.released.append(token)


class Hall:
    """A collector with a clock that the test turns, and a broker that the test plays."""

    def __init__(self, url, key=None):
        self.key, self.now, self.token = key, 0.0, 1000
        self.transport = Held()
        self.database = Database(url)
        self.central = Central(self.database, lambda: f"{self.now:09.3f}")
        self.collector = Collector(
            self.transport, self.central, lambda: Backoff(lambda: 0.5, 0.5, 4.0), "group", key
        )

    def step(self, times=1, seconds=0.1):
        for _ in range(times):
            self.now += seconds
            for _ in range(50):  # as the service does: at once again while there is more to do
                if self.collector.step(self.now) > 0 or self.collector.stopped:
                    break

    def connect(self, limits=None):
        before, end = self.transport.connects, self.now + 600
        while self.transport.connects == before:
            assert self.now < end, "it never tries again"
            self.step()
        self.transport.accept(limits)
        self.step()
        self.transport.acknowledge_all()
        self.step()
        assert self.collector.listening

    def send(self, topic, payload, retained=False):
        self.token += 1
        self.transport.answer(Message(topic, payload, retained, self.token))
        return self.token

    def say(self, **streams):
        content = {"schema": "station-status/1", "station": str(STATION), "sync": "up"}
        content["acknowledge"] = "collector"
        content["acknowledged"] = {
            stream: {"epoch": EPOCH, "seq": seq, "by": "x"} for stream, seq in streams.items()
        }
        self.send(STATION.status, json.dumps(content).encode(), retained=True)
        self.step()

    def acks(self, topic=ACK):
        return [
            decode_acknowledgement(one.topic, one.payload, self.key)
            for one in self.transport.published
            if one.topic == topic
        ]

    def rewinds(self):
        return [
            decode_rewind(one.topic, one.payload, self.key)
            for one in self.transport.published
            if one.topic == STATION.rewind
        ]


def gone(*arguments):
    raise Away("the disk is gone", "plug it in")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/fleet.db"


@pytest.fixture
def hall(url):
    opened = Hall(url)
    yield opened
    opened.database.close()


def test_it_shares_results_and_hears_every_status(hall):
    hall.connect()
    assert [topic for topic, _ in hall.transport.subscribed] == [
        "$share/group/ei/v1/+/+/+/results/+",
        "ei/v1/+/+/+/status",
    ]


def test_what_is_committed_is_acknowledged_retained_and_only_then_released(hall):
    line = Chain(20)
    hall.connect()
    tokens = [
        hall.send(line.topic, line.payload(1, 10)),
        hall.send(line.topic, line.payload(11, 20)),
    ]
    hall.step()
    assert hall.acks()[-1].epochs == (Through(EPOCH, 20, line.hashes[20]),)
    assert hall.acks()[-1].store == hall.database.store
    assert all(one.retain for one in hall.transport.published)
    assert hall.transport.released == tokens
    assert hall.central.standing()[(str(STATION), "line")].epochs[0].through == 20


def test_what_was_not_committed_is_neither_acknowledged_nor_released(hall, monkeypatch):
    line = Chain(20)
    hall.connect()
    monkeypatch.setattr(hall.central, "begin", gone)
    hall.send(line.topic, line.payload(1, 10))
    hall.step(50)
    assert hall.acks() == []
    assert hall.transport.released == []
    assert [one.what for one in hall.collector.troubles] == ["the disk is gone"]


def test_what_came_on_a_connection_that_is_gone_is_left_to_come_again(hall):
    line = Chain(20)
    hall.connect()
    hall.send(line.topic, line.payload(1, 10))
    hall.transport.lose()
    hall.step()
    assert hall.collector.counters.segments == 0
    assert hall.transport.released == []


def test_a_commit_that_fails_counts_for_nothing(hall, monkeypatch):
    """The rows were taken; making them durable was not."""

    def refused(commit):
        error = Away("the disk is gone", "")
        commit._open.__exit__(Away, error, None)  # rolled back, as a COMMIT that fails is
        raise error

    line = Chain(20)
    hall.connect()
    with monkeypatch.context() as patch:
        patch.setattr(Commit, "finish", refused)
        hall.send(line.topic, line.payload(1, 10))
        hall.step()
    assert hall.acks() == []
    assert hall.transport.released == []
    hall.connect()
    assert hall.central.standing() == {}
    hall.send(line.topic, line.payload(1, 10))
    hall.step()
    assert hall.acks()[-1].epochs[0].through == 10


def test_while_the_database_is_away_it_leaves_the_broker_to_others(hall, monkeypatch):
    line = Chain(20)
    hall.connect()
    with monkeypatch.context() as patch:
        patch.setattr(hall.central, "begin", gone)
        patch.setattr(hall.central, "open", gone)
        hall.send(line.topic, line.payload(1, 10))
        connects = hall.transport.connects
        hall.step(200)
        assert hall.transport.connects == connects
        assert not hall.collector.listening
    hall.connect()
    assert hall.collector.troubles == []
    hall.send(line.topic, line.payload(1, 20))
    hall.step()
    assert hall.acks()[-1].epochs[0].through == 20


def test_a_connection_begins_with_how_far_everything_is_held(hall, url):
    line, queue = Chain(20), Chain(5, stream="queue")
    hall.central.commit([line.piece(1, 20), queue.piece(1, 5)])
    hall.connect()
    assert hall.acks()[-1].epochs[0].through == 20
    assert hall.acks(STATION.ack("queue"))[-1].epochs[0].through == 5
    hall.transport.lose()
    before = len(hall.acks())
    hall.connect()
    assert len(hall.acks()) == before + 1
    hall.step(int(GREET_AGAIN_S * 10) + 1)
    assert len(hall.acks()) == before + 2
    hall.step(100)
    assert len(hall.acks()) == before + 2


def test_acknowledgements_are_sealed_with_the_key(url):
    hall, line = Hall(url, KEY), Chain(3)
    hall.connect()
    hall.send(line.topic, line.payload(1, 3))
    hall.say(line=9)
    hall.step(20)
    assert hall.acks()[-1].epochs[0].through == 3
    assert hall.rewinds()
    assert all(b'"hmac"' in one.payload for one in hall.transport.published)
    hall.database.close()


def test_the_newest_is_said_and_not_too_often(hall):
    line = Chain(60)
    hall.connect()
    for seq in range(1, 61):
        hall.send(line.topic, line.payload(seq, seq))
        hall.step(seconds=EVERY_S / 10)
        hall.transport.acknowledge_all()
    hall.step()
    assert hall.acks()[-1].epochs[0].through == 60
    assert 6 <= len(hall.acks()) <= 8


def test_never_more_is_under_way_than_the_broker_takes(hall):
    chains = [Chain(1, stream=f"s{number}") for number in range(MOST_UNDER_WAY + 10)]
    hall.connect(Connected(receive_maximum=5))
    for one in chains:
        hall.send(one.topic, one.payload(1, 1))
    hall.step(5)
    assert len(hall.transport.published) == 5  # no more
    for _ in range(20):
        hall.transport.acknowledge_all()
        hall.step()
    assert {one.topic for one in hall.transport.published} == {
        STATION.ack(one.stream) for one in chains
    }


def test_repeated_segments_are_acknowledged_again(hall):
    """The station sends again because it did not hear us."""
    line = Chain(10)
    hall.connect()
    for _ in range(3):
        hall.send(line.topic, line.payload(1, 10))
        hall.step()
    assert [one.epochs[0].through for one in hall.acks()] == [10, 10, 10]
    assert hall.collector.counters.tally.duplicates == 20


def test_a_station_that_believes_further_is_asked_again(hall):
    line = Chain(100)
    hall.central.commit([line.piece(1, 60)])
    hall.connect()
    hall.say(line=60)
    hall.step(20)
    assert hall.rewinds() == []
    hall.say(line=100)
    hall.step(20)
    (wanted,) = hall.rewinds()
    assert (wanted.stream, wanted.epoch, wanted.first) == ("line", EPOCH, 61)
    assert wanted.store == hall.database.store
    assert not [
        one for one in hall.transport.published if one.topic == STATION.rewind and one.retain
    ]
    hall.transport.acknowledge_all()
    hall.step(int(ASK_AGAIN_S * 10))
    assert len(hall.rewinds()) == 2
    hall.send(line.topic, line.payload(61, 100))
    hall.transport.acknowledge_all()
    hall.step(int(ASK_AGAIN_S * 10) + 20)
    assert len(hall.rewinds()) == 2


def test_a_hole_that_nobody_fills_is_asked_for(hall):
    line = Chain(100)
    hall.connect()
    for first in (1, 41, 61):
        hall.send(line.topic, line.payload(first, first + 19))
    hall.say(line=80)
    hall.step(20)
    assert [one.first for one in hall.rewinds()] == [21]
    assert [(one.first, one.last) for one in hall.acks()[-1].epochs[0].ahead] == [(41, 80)]


def test_nonsense_is_counted_released_and_has_no_effect(hall):
    line = Chain(10)
    hall.connect()
    tokens = [
        hall.send(line.topic, b"nonsense"),
        hall.send(STATION.results("queue"), line.payload(1, 10)),
        hall.send(STATION.status, b"[]"),
        hall.send("ei/v1/x", b""),
        hall.send(STATION.results("line").replace("caps", "other"), line.payload(1, 10)),
    ]
    hall.step()
    assert hall.collector.counters.nonsense == 5
    assert "other" in hall.collector.counters.strange
    assert hall.transport.released == tokens
    assert hall.central.standing() == {}


def test_a_record_that_the_database_refuses_does_not_hold_up_others(hall, monkeypatch):
    line, other = Chain(10), Chain(10, epoch="poison")
    begin = hall.central.begin

    def fussy(arrivals):
        if any(one.key.epoch == "poison" for one in arrivals):
            raise ValueError("no")
        return begin(arrivals)

    monkeypatch.setattr(hall.central, "begin", fussy)
    hall.connect()
    for one in (other, line):
        hall.send(one.topic, one.payload(1, 10))
    hall.step()
    assert hall.acks()[-1].epochs == (Through(EPOCH, 10, line.hashes[10]),)
    assert hall.collector.counters.refused == 1
    assert len(hall.transport.released) == 2


def test_a_large_backlog_is_committed_piece_by_piece(hall):
    line = Chain(3 * COMMIT_ROWS)
    hall.connect()
    for first in range(1, 3 * COMMIT_ROWS, 500):
        hall.send(line.topic, line.payload(first, first + 499))
    hall.step()
    assert hall.collector.counters.commits == 3
    assert len(hall.transport.released) == 3 * COMMIT_ROWS // 500
    assert hall.central.through(next(iter(hall.collector._held))) == 3 * COMMIT_ROWS


def test_a_refused_subscription_is_said_and_tried_again(hall):
    while not hall.transport.connects:
        hall.step()
    hall.transport.accept()
    hall.step()
    _, token = hall.transport.subscribed[0]
    hall.transport.answer(Refused(token, "not allowed", "change the list"))
    hall.step()
    assert "subscription was refused" in hall.collector.troubles[0].what
    assert not hall.collector.listening
    hall.connect()
    assert hall.collector.troubles == []


def test_a_broker_that_answers_nothing_is_left(hall):
    while not hall.transport.connects:
        hall.step()
    hall.transport.accept()
    hall.step(int(NO_PROGRESS_S * 10) + 20)
    assert "acknowledged nothing" in hall.collector.troubles[0].what
    hall.connect()


def test_a_refused_acknowledgement_names_the_access_list(hall):
    line = Chain(3)
    hall.connect()
    hall.send(line.topic, line.payload(1, 3))
    hall.step()
    hall.transport.answer(Refused(hall.transport.published[-1].token, "not allowed", ""))
    hall.step()
    assert "fleet acl" in hall.collector.troubles[0].mend


def test_stopping_commits_what_has_come_and_says_so(hall):
    line = Chain(10)
    hall.connect()
    hall.send(line.topic, line.payload(1, 10))
    hall.collector.stop(hall.now)
    hall.step()
    assert hall.acks()[-1].epochs[0].through == 10
    assert not hall.collector.stopped
    hall.transport.acknowledge_all()
    hall.step()
    assert hall.collector.stopped
    assert hall.transport.closed == 1


def test_stopping_does_not_wait_for_ever(hall):
    line = Chain(10)
    hall.connect()
    hall.send(line.topic, line.payload(1, 10))
    hall.collector.stop(hall.now)
    hall.step(60)
    assert hall.collector.stopped


topics = st.sampled_from(
    [
        STATION.results("line"),
        STATION.status,
        ACK,
        STATION.rewind,
        "ei/v1/a/b/c/results/line/x",
        "x",
        "",
    ]
)


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(topics, st.binary(max_size=120), st.booleans()), max_size=20))
def test_arbitrary_payloads_change_nothing(hall, messages):
    """Ten thousand of them, on every topic."""
    if not hall.collector.listening:
        hall.connect()
    for topic, payload, retained in messages:
        hall.send(topic, payload, retained)
    before = hall.collector.counters.nonsense
    hall.step()
    assert hall.collector.counters.nonsense == before + len(messages)
    assert hall.collector.listening
    assert hall.transport.published == []
    assert hall.central.standing() == {}


def test_a_station_that_waited_for_any_collector_hears_that_nothing_is_held(tmp_path):
    hall = Hall(f"sqlite:///{tmp_path / 'central.db'}")
    hall.connect()
    hall.say(line=0)
    assert hall.acks() == []
    hall.step(times=20)
    [said] = hall.acks()
    assert said.epochs == (Through(EPOCH, 0, "0" * 64),)
    assert said.store == hall.database.store


def test_a_connection_that_was_given_up_is_forgotten_and_the_next_one_is_greeted(hall):
    """The peer answers no more: no event says that the connection is gone."""
    hall.connect()
    one = Chain(2)
    hall.send(one.topic, one.payload(1, 2))
    hall.step(3)  # the acknowledgement goes out, and is never taken
    before = hall.transport.connects
    hall.step(int(NO_PROGRESS_S * 10) + 2)
    assert not hall.collector.listening
    while hall.transport.connects == before:
        hall.step()
    hall.transport.accept()
    hall.step()
    hall.transport.acknowledge_all()
    hall.step(30)
    hall.transport.acknowledge_all()
    hall.step()
    assert hall.collector.idle
    hall.step(int(NO_PROGRESS_S * 10) + 20)
    assert hall.transport.connects == before + 1


def test_a_status_with_names_that_are_none_stops_nobody(hall):
    hall.connect()
    hall.say(**{"Line 1": 5, "\ud800": 5})
    hall.step(40)
    hall.transport.acknowledge_all()
    hall.step(30)
    assert hall.collector.listening
