"""One picture after the other over a transport that the test answers for."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.allowance import Allowance
from sync.backoff import Backoff
from sync.gallery import Missing
from sync.picture import MOST_DATA, MOST_SIZE, Received, decode_piece, encode_received, joined
from sync.pictures import Pictures
from sync.topics import Station
from sync.transport import NO_LIMIT, Message, Refused
from tests.simulators.gallery import MemoryGallery
from tests.simulators.loopback import Loopback

STATION = Station("plant-a", "line-3", "caps")
WORD = STATION.ack("pictures")
KEY = b"k" * 32


class Subscribed(Loopback):
    """Keeps the topics that are subscribed to."""

    def __init__(self):
        super().__init__()
        self.topics = []

    def subscribe(self, topic):
        self.topics.append(topic)
        self.last = super().subscribe(topic)
        return self.last


class Bench:
    def __init__(self, *contents, cap=10**9, collector=True, key=None, limit=NO_LIMIT):
        self.gallery = MemoryGallery(*contents)
        self.limit = limit
        self.now = 0.0
        self.day = "2026-11-23"
        self.transport = Subscribed()
        self.allowance = Allowance(cap)
        self.told = []
        self.read_key = lambda: key
        self.pictures = Pictures(
            self.gallery,
            self.transport,
            STATION,
            self.allowance,
            lambda: self.day,
            Backoff(lambda: 0.5, 10.0, 600.0),
            collector,
            lambda: self.read_key(),
            lambda topic, why: self.told.append((topic, why)),
        )
        self.connect()

    def connect(self):
        self.transport.connect()
        self.pictures.connected()

    def take(self):
        for event in self.transport.events():
            self.pictures.take(event, self.now)

    def step(self, times=1):
        for _ in range(times):
            self.now += 0.1
            self.pictures.step(self.now, self.limit)

    def acknowledge(self):
        self.transport.acknowledge_all()
        self.take()

    def go(self, steps=30):
        for _ in range(steps):
            self.step()
            self.acknowledge()

    def say(self, inspection, data, retained=False, key=None):
        said = Received(inspection, hashlib.sha256(data).hexdigest(), "store")
        payload = encode_received(WORD, said, key)
        self.transport.answer(Message(WORD, payload, retained))
        self.take()

    @property
    def sent(self):
        return [decode_piece(one.payload) for one in self.transport.published]


def whole(pieces):
    return joined(pieces[0].size, [(piece.offset, piece.data) for piece in pieces])


def test_a_picture_goes_out_in_pieces_and_is_done_when_a_collector_says_so():
    data = bytes(range(256)) * 700
    bench = Bench(data, b"second")
    bench.go()
    assert whole(bench.sent) == data
    assert [piece.inspection for piece in bench.sent] == ["i0"] * 3
    assert all(len(one.payload) <= MOST_DATA for one in bench.transport.published)
    assert {one.topic for one in bench.transport.published} == {STATION.pictures}
    assert not any(one.retain for one in bench.transport.published)
    assert bench.gallery.seq == 0
    bench.say("i0", data)
    assert bench.gallery.seq == 1
    bench.go()
    assert bench.sent[-1].data == b"second"
    bench.say("i1", b"second")
    assert bench.pictures.drained
    assert bench.pictures.counts.sent == 2
    assert all(file.closed for file in bench.gallery.files)
    assert bench.transport.topics == [WORD]


def test_one_piece_is_under_way_at_a_time():
    bench = Bench(b"x" * 200_000)
    bench.step(20)
    assert len(bench.sent) == bench.pictures.in_flight == 1
    bench.acknowledge()
    assert bench.pictures.in_flight == 0


def test_where_the_brokers_word_counts_the_last_puback_ends_a_picture():
    bench = Bench(b"x" * 100_000, b"second", collector=False)
    bench.go()
    assert bench.gallery.seq == 2
    assert bench.pictures.drained
    assert bench.transport.topics == []


def test_without_an_answer_it_goes_out_again_later_and_later():
    bench = Bench(b"data")
    out = []
    while bench.now < 200:
        bench.step()
        bench.acknowledge()
        if len(bench.sent) > len(out):
            out.append(bench.now)
    waits = [round(late - early) for early, late in pairwise(out)]
    # Three quarters of 10, 20, 40 and 80 seconds.
    assert waits == [8, 15, 30, 60]
    [trouble] = bench.pictures.troubles
    assert "no collector" in trouble.what
    bench.say("i0", b"data")
    assert bench.pictures.troubles == []


@pytest.mark.parametrize(
    ("inspection", "data", "key", "retained"),
    [
        ("i1", b"data", KEY, False),
        ("i0", b"other", KEY, False),
        ("i0", b"data", None, False),
        ("i0", b"data", b"z" * 16, False),
        ("i0", b"data", KEY, True),
    ],
    ids=["another inspection", "another picture", "no key", "another key", "retained"],
)
def test_words_that_do_not_fit_move_nothing(inspection, data, key, retained):
    bench = Bench(b"data", key=KEY)
    bench.go()
    bench.say(inspection, data, retained, key)
    assert bench.gallery.seq == 0
    bench.say("i0", b"data", key=KEY)
    assert bench.gallery.seq == 1


def test_a_word_before_it_was_asked_for_moves_nothing_and_one_in_the_middle_ends_it():
    bench = Bench(b"x" * 200_000, b"second")
    bench.say("i0", b"x" * 200_000)
    assert bench.gallery.seq == 0
    bench.step()
    bench.say("i0", b"x" * 200_000)  # the collector had it already
    assert bench.gallery.seq == 1
    bench.step(5)
    assert len(bench.sent) == 1  # the first piece is still under way
    bench.go()
    assert [piece.inspection for piece in bench.sent] == ["i0", "i1"]


def test_where_the_brokers_word_counts_nobody_elses_does():
    bench = Bench(b"x" * 200_000, collector=False)
    bench.step()
    bench.say("i0", b"x" * 200_000)
    assert bench.gallery.seq == 0


def test_after_a_lost_connection_a_collector_gets_the_rest_and_a_broker_all_of_it():
    for collector, expected in [(True, 1), (False, 0)]:
        bench = Bench(b"x" * 200_000, collector=collector)
        bench.step()
        bench.acknowledge()
        bench.step()
        first = len(bench.sent[0].data)
        bench.transport.lose()
        bench.pictures.lost()
        bench.connect()
        bench.step()
        assert bench.sent[2].offset == first * expected
        bench.go()
        assert whole(sorted(bench.sent, key=lambda piece: piece.offset)) == b"x" * 200_000


def test_the_cap_holds_over_a_restart_and_ends_with_the_day():
    bench = Bench(*[b"x" * 1000] * 5, cap=3000, collector=False)
    bench.go()
    assert len(bench.sent) == 2  # each costs its header too
    assert bench.pictures.status() == {
        "sent": 2,
        "missing": 0,
        "too_large": 0,
        "waiting": 3,
        "bytes_today": sum(len(one.payload) for one in bench.transport.published),
        "capped": True,
    }
    assert bench.pictures.drained
    kept = bench.pictures.as_json()
    assert kept["line"] == {"epoch": "epoch", "seq": 2}
    again = Bench(*[b"x" * 1000] * 3, collector=False)
    again.pictures = Pictures(
        again.gallery,
        again.transport,
        STATION,
        Allowance(3000, kept["day"], kept["bytes"]),
        lambda: again.day,
        Backoff(lambda: 0.5, 10.0, 600.0),
    )
    again.go()
    assert again.sent == []
    assert again.pictures.capped
    again.day = "2026-11-24"
    assert not again.pictures.capped
    again.go()
    assert len(again.sent) == 2


def test_no_day_sees_more_bytes_than_the_cap_even_when_nobody_answers():
    bench = Bench(b"x" * 1000, cap=3000)
    while bench.now < 400:
        bench.step()
        bench.acknowledge()
    assert len(bench.sent) == 2
    assert bench.pictures.capped


def test_a_picture_larger_than_the_cap_is_skipped_and_counted():
    bench = Bench(b"x" * 5000, b"small", cap=4000, collector=False)
    bench.go()
    assert [piece.inspection for piece in bench.sent] == ["i1"]
    assert bench.pictures.counts.too_large == 1


def test_a_picture_that_no_collector_would_take_is_skipped():
    bench = Bench(b"x", b"small", cap=10 * MOST_SIZE, collector=False)
    bench.gallery.size_of_first = MOST_SIZE + 1
    bench.go()
    assert [piece.inspection for piece in bench.sent] == ["i1"]
    assert bench.pictures.counts.too_large == 1


def test_after_an_answer_the_next_one_is_not_waited_for_as_long():
    bench = Bench(b"one", b"two")
    while bench.now < 100:
        bench.step()
        bench.acknowledge()
    bench.say("i0", b"one")
    before = len(bench.sent)
    bench.go(120)
    assert len(bench.sent) - before == 2


def test_a_picture_that_is_gone_is_skipped_and_counted():
    bench = Bench(None, b"small", None, collector=False)
    bench.go()
    assert [piece.inspection for piece in bench.sent] == ["i1"]
    assert bench.pictures.counts.missing == 2


def test_a_picture_that_goes_while_it_waits_for_its_answer_is_skipped():
    bench = Bench(b"data", b"second")
    bench.go()
    bench.gallery.contents[0] = None
    bench.go(100)
    assert bench.pictures.counts.missing == 1
    assert bench.sent[-1].inspection == "i1"


def test_a_file_that_cannot_be_read_on_is_skipped():
    bench = Bench(b"x" * 200_000, b"second")
    bench.go(1)

    def read(offset, most):
        raise Missing("input/output error")

    bench.gallery.files[0].read = read
    bench.go()
    assert bench.pictures.counts.missing == 1
    assert bench.sent[-1].data == b"second"


@given(st.integers(600, 5000), st.binary(max_size=6000))
def test_no_packet_is_larger_than_the_broker_takes(limit, data):
    bench = Bench(data, collector=False, limit=limit)
    bench.go()
    assert whole(bench.sent) == data
    assert all(len(one.payload) + len(one.topic) + 10 < limit for one in bench.transport.published)


def test_a_broker_that_takes_next_to_nothing_is_a_trouble_and_nothing_is_skipped():
    bench = Bench(b"data", collector=False, limit=200)
    bench.go()
    assert bench.sent == []
    assert bench.gallery.seq == 0
    assert "packet" in bench.pictures.troubles[0].mend
    bench.limit = NO_LIMIT
    bench.go()
    assert bench.gallery.seq == 1
    assert bench.pictures.troubles == []


def test_what_the_broker_refuses_is_tried_again_later_in_smaller_pieces():
    bench = Bench(b"x" * 60_000, collector=False)
    bench.step()
    token = bench.transport.published[0].token
    bench.transport.answer(Refused(token, "too large", "allow more", too_large=True))
    bench.take()
    bench.step(20)
    assert len(bench.sent) == 1
    assert bench.pictures.troubles[0].what == "pictures: too large"
    bench.now += 600
    bench.transport.acknowledge_all()
    bench.go()
    assert whole(bench.sent[1:]) == b"x" * 60_000
    assert len(bench.sent) == 3
    assert bench.pictures.troubles == []


def test_while_the_key_cannot_be_read_nobody_is_believed():
    bench = Bench(b"data", key=KEY)

    def unreadable():
        raise OSError("no such file")

    bench.read_key = unreadable
    bench.connect()
    bench.go()
    bench.say("i0", b"data", key=KEY)
    bench.say("i0", b"data")
    assert bench.gallery.seq == 0
    assert bench.pictures.ignored == 2
    bench.read_key = lambda: KEY
    bench.connect()
    bench.go()
    bench.say("i0", b"data", key=KEY)
    assert bench.gallery.seq == 1


def test_a_refused_subscription_is_said():
    bench = Bench(b"data")
    bench.transport.answer(Refused(bench.transport.last, "not authorised", "fleet acl"))
    bench.take()
    assert WORD in bench.pictures.troubles[0].what
    assert bench.pictures.troubles[0].mend == "fleet acl"


def test_databases_that_cannot_be_read_are_a_trouble_until_they_can():
    bench = Bench(b"data", collector=False)
    bench.gallery.unreadable = True
    bench.step()
    assert [trouble.what for trouble in bench.pictures.troubles] == ["pictures: the disk is gone"]
    bench.gallery.unreadable = False
    bench.go()
    assert bench.pictures.troubles == []
    assert bench.gallery.seq == 1


NONSENSE = st.binary(max_size=80) | st.builds(
    lambda name, sha256: encode_received(WORD, Received(name, sha256, "store"), b"forged" * 4),
    st.sampled_from(["i0", "i1"]),
    st.sampled_from(["a" * 64, hashlib.sha256(b"data").hexdigest()]),
)


@settings(max_examples=500)
@given(st.lists(NONSENSE, min_size=20, max_size=25))
def test_ten_thousand_forged_and_arbitrary_words_move_nothing(payloads):
    bench = Bench(b"data", key=KEY)
    bench.go(3)
    for payload in payloads:
        bench.transport.answer(Message(WORD, payload, False))
    bench.take()
    assert bench.pictures.ignored == len(bench.told) == len(payloads)
    assert bench.gallery.seq == 0


def test_the_first_piece_tells_all_that_a_picture_of_no_bytes_has():
    bench = Bench(b"", collector=False)
    bench.go()
    assert [(piece.size, piece.data) for piece in bench.sent] == [(0, b"")]
    assert bench.gallery.seq == 1
