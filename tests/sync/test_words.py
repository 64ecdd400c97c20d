"""What a collector's word does, and everybody else's does not."""

from __future__ import annotations

import itertools
import json

import pytest

from sync.acknowledgement import Span, Through
from sync.journal import Source
from sync.transport import Acknowledged, Refused
from tests.simulators.loopback import MemoryJournal
from tests.sync.bench import STATION, STORE, Bench, through

KEY = b"0123456789abcdef"
WRONG = "f" * 64


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, 40, collector=True, max_rows=8, window=4)


def taken(bench, steps=5):
    """The broker has everything that is under way."""
    bench.connect()
    bench.step(steps)
    bench.transport.acknowledge_all()
    bench.step()


# What moves


def test_a_puback_moves_nothing(bench):
    taken(bench)
    assert bench.position.seq == 0
    assert bench.uplink.streams.all[0].waiting_for == "collector"
    bench.say(through(bench.journal, 32))
    bench.step()
    assert bench.position.seq == 32
    assert bench.uplink.streams.all[0].by == STORE


def test_a_word_in_the_middle_of_a_segment_counts(bench):
    taken(bench)
    bench.say(through(bench.journal, 13))
    bench.step()
    assert bench.position.seq == 13


def test_spans_ahead_count_and_are_not_sent_again(bench):
    taken(bench)
    bench.say(through(bench.journal, 0, [(9, 16), (25, 32)]))
    bench.step(20)
    assert bench.uplink.streams.backlog == 24
    before = len(bench.sent())
    bench.transport.lose()
    bench.connect()
    bench.step(20)
    assert [(s.first, s.last) for s in bench.sent()[before:]] == [(1, 8), (17, 24), (33, 40)]


def test_a_retained_word_counts_too(bench):
    bench.connect()
    bench.say(through(bench.journal, 40), retained=True)
    bench.step()
    assert bench.position.seq == 40


def test_nothing_is_sent_before_the_subscriptions_are_granted(bench):
    while not bench.transport.connects:
        bench.step()
    bench.transport.accept()
    bench.step(20)
    assert bench.transport.segments() == []
    assert [topic for topic, _ in bench.transport.subscribed] == [
        STATION.ack("line"), STATION.ack("queue"), STATION.rewind,
    ]  # fmt: skip
    bench.transport.acknowledge_all()
    bench.step(10)
    assert bench.transport.segments()


def test_a_refused_subscription_is_a_trouble_and_delivery_goes_on(bench):
    while not bench.transport.connects:
        bench.step()
    bench.transport.accept()
    bench.step()
    (_, first), *others = bench.transport.subscribed
    bench.transport.answer(Refused(first, "not allowed", "look at the access list"))
    for _, token in others:
        bench.transport.answer(Acknowledged(token))
    bench.step(10)
    assert bench.transport.segments()
    assert any("ack/line" in one.what for one in bench.troubles)


def test_topics_are_subscribed_to_again_after_every_connection(bench):
    bench.connect()
    bench.transport.lose()
    bench.connect()
    assert len(bench.transport.subscribed) == 6


def test_with_acknowledge_broker_nothing_is_subscribed_and_nobody_is_believed(tmp_path):
    bench = Bench(tmp_path, 40, max_rows=8)
    bench.connect()
    bench.say(through(bench.journal, 40))
    bench.step()
    assert bench.transport.subscribed == []
    assert bench.position.seq == 0
    assert bench.uplink.ignored == 1


def test_a_position_by_the_broker_is_no_collectors_word(tmp_path):
    bench = Bench(tmp_path, 40)
    bench.connect()
    bench.drain()
    bench.step(10)
    later = Bench(tmp_path, 0, collector=True)
    later.journal = bench.journal
    later.sources = [Source("line", "line", bench.journal)]
    later.connect()
    assert later.position.seq == 0
    later.step(10)
    assert later.stored() is None  # nor may anything be deleted because of it
    later.drain()
    later.step(10)
    assert later.uplink.streams.all[0].by == STORE


# What does not


def test_a_word_that_does_not_fit_moves_nothing_and_names_both_hashes(bench):
    taken(bench)
    bench.say(Through("epoch-1", 20, WRONG))
    bench.step()
    assert bench.position.seq == 0
    [trouble] = bench.troubles
    assert WRONG in trouble.what
    assert bench.journal.last_hash(20) in trouble.what
    bench.say(through(bench.journal, 20))
    bench.step()
    assert bench.position.seq == 20
    assert bench.troubles == []


def test_a_span_that_does_not_fit_is_as_bad(bench):
    taken(bench)
    bench.say(Through("epoch-1", 0, "0" * 64, (Span(9, 16, WRONG),)))
    bench.step()
    assert bench.uplink.streams.backlog == 40
    assert WRONG in bench.troubles[0].what


def test_a_word_beyond_the_end_does_not_fit(bench):
    taken(bench)
    bench.say(Through("epoch-1", 41, WRONG))
    bench.step()
    assert bench.position.seq == 0
    assert "has no such record" in bench.troubles[0].what


def test_a_lower_word_is_ignored(bench):
    taken(bench)
    bench.say(through(bench.journal, 20))
    bench.step()
    for retained in (True, False):
        bench.say(through(bench.journal, 19), retained=retained)
    bench.step()
    assert bench.position.seq == 20
    assert bench.uplink.ignored == 2


def test_a_word_about_what_is_deleted_here_is_neither_right_nor_wrong(bench):
    first = through(bench.journal, 5)
    bench.journal.prune(10)
    bench.connect()
    bench.say(first)
    bench.step()
    assert bench.position.seq == 0
    assert bench.troubles == []
    bench.drain()


def test_an_epoch_that_is_no_more_is_not_waited_for(bench):
    taken(bench)
    old = through(bench.journal, 20)
    bench.journal.begin("epoch-2")
    bench.journal.add(5)
    bench.step(11)
    bench.say(old, through(bench.journal, 0))
    bench.step()
    assert (bench.position.epoch, bench.position.seq) == ("epoch-2", 0)
    assert bench.uplink.ignored == 0
    bench.drain()
    bench.step(10)
    stored = json.loads(bench.path.read_text())
    assert stored["streams"]["line"]["epoch"] == "epoch-2"


def test_a_record_whose_stored_hash_is_damaged_is_acknowledged_by_the_right_one(bench):
    right = through(bench.journal, 20)
    bench.journal.change(20, hash=WRONG)
    bench.connect()
    bench.say(right)
    bench.step()
    assert bench.position.seq == 20


def test_a_journal_that_cannot_be_read_now_moves_nothing(bench):
    taken(bench)
    word = through(bench.journal, 20)  # no segment ends there: the rows must be asked
    bench.journal.unreadable = True
    bench.say(word)
    bench.step()
    assert bench.position.seq == 0
    bench.journal.unreadable = False
    bench.say(word)
    bench.step()
    assert bench.position.seq == 20


# The key


def test_with_a_key_only_those_who_have_it_are_believed(tmp_path):
    bench = Bench(tmp_path, 40, collector=True, key=lambda: KEY)
    taken(bench)
    bench.say(through(bench.journal, 40))
    bench.say(through(bench.journal, 40), key=b"x" * 16)
    bench.ask(1)
    bench.step()
    assert bench.position.seq == 0
    assert bench.uplink.ignored == 3
    assert "HMAC" in bench.told[0][1]
    bench.say(through(bench.journal, 40), key=KEY)
    bench.step()
    assert bench.position.seq == 40


def test_the_word_for_one_stream_is_none_for_another(tmp_path):
    bench = Bench(tmp_path, 40, collector=True, key=lambda: KEY)
    bench.sources.append(Source("queue", "queue", MemoryJournal(40, stream="queue")))
    taken(bench)
    bench.say(through(bench.journal, 40), stream="queue", key=KEY)
    moved = bench.transport._queue.get_nowait()[1]
    bench.transport.say(STATION.ack("line"), moved.payload)
    bench.step()
    assert bench.position.seq == 0
    assert bench.uplink.ignored == 1


def test_without_its_key_nobody_is_believed_and_it_is_read_again_at_each_connection(tmp_path):
    keys = [OSError("no such file"), ValueError("too short"), KEY]

    def key():
        found = keys.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    bench = Bench(tmp_path, 40, collector=True, key=key)
    for _ in range(2):
        bench.connect()
        bench.say(through(bench.journal, 40), key=KEY)
        bench.step()
        assert bench.position.seq == 0
        assert any("ack_key_file" in one.what for one in bench.troubles)
        bench.transport.lose()
        bench.step()
    assert bench.uplink.ignored == 2
    bench.connect()
    bench.say(through(bench.journal, 40), key=KEY)
    bench.step()
    assert bench.position.seq == 40
    assert bench.troubles == []


# Rewind


def test_a_rewind_goes_back(bench):
    taken(bench)
    bench.say(through(bench.journal, 32))
    bench.step(10)
    assert bench.stored().seq == 32
    bench.ask(9)
    bench.step(10)
    assert bench.position.seq == 8
    assert bench.stored().seq == 8
    assert 9 in [s.first for s in bench.sent()[4:]]
    bench.drain()


def test_a_rewind_behind_what_is_deleted_is_answered_with_a_gap(bench):
    taken(bench)
    bench.say(through(bench.journal, 32))
    bench.step()
    bench.journal.prune(20)
    bench.step(10)
    bench.ask(9)
    bench.step(10)
    [gap] = bench.gaps()
    assert (gap.first, gap.last, gap.why, gap.previous_hash) == (9, 20, "pruned", None)
    assert bench.stored().seq == 8
    bench.start()  # what is not known any more is no reason to begin at the beginning
    bench.connect()
    assert bench.position.seq == 8
    bench.drain()


def test_rewinds_that_are_none_are_ignored(bench):
    taken(bench)
    bench.say(through(bench.journal, 16))
    bench.step()
    bench.ask(9, retained=True)
    bench.ask(30)
    bench.ask(9, stream="queue")
    bench.ask(9, epoch="epoch-0")
    bench.step()
    assert bench.position.seq == 16
    assert bench.uplink.ignored == 4
    bench.ask(17)  # changes nothing
    bench.step()
    assert bench.position.seq == 16


def test_two_collectors_that_ask_for_the_same_are_obeyed_once(bench):
    taken(bench)
    bench.say(through(bench.journal, 32))
    bench.step()
    bench.ask(1)
    bench.step(5)
    bench.say(through(bench.journal, 16))
    bench.ask(1)
    bench.step()
    assert bench.position.seq == 16
    bench.step(50)
    bench.ask(1)
    bench.step()
    assert bench.position.seq == 0


# Sending again


def test_what_the_broker_took_and_nobody_acknowledged_comes_again_later_and_later(bench):
    taken(bench)
    times, before = [], len(bench.sent())
    for _ in range(1500):
        bench.step()
        bench.transport.acknowledge_all()
        if len(bench.sent()) > before:
            before = len(bench.sent())
            times.append(bench.now)
    waits = [round(later - earlier) for earlier, later in itertools.pairwise(times)]
    assert waits == sorted(waits)
    assert times[0] < 6
    assert 30 < max(waits) <= 61
    assert bench.transport.connects == 1
    # Only a probe each time: a broker that keeps messages must not fill with the same ones.
    assert all(s.first == 1 for s in bench.sent()[4:])
    assert len(bench.sent()) - 4 == len(times)
    bench.drain()


def test_after_progress_the_waits_are_short_again(bench):
    taken(bench)
    for _ in range(1000):
        bench.step()
        bench.transport.acknowledge_all()
    bench.say(through(bench.journal, 10))
    bench.step(3)
    bench.transport.acknowledge_all()
    bench.step()
    before = len(bench.sent())
    for _ in range(100):
        bench.step()
        bench.transport.acknowledge_all()
    assert any(s.first == 11 for s in bench.sent()[before:])


def test_a_collector_that_comes_back_gets_what_it_lacks_at_once(bench):
    taken(bench)
    bench.step(12)
    before = len(bench.sent())
    bench.say(through(bench.journal, 8))
    bench.step(12)
    bench.say(through(bench.journal, 8))
    bench.step(10)
    assert [s.first for s in bench.sent()[before:]][:4] == [33, 9, 17, 25]
    bench.drain()


def test_what_lies_before_something_held_is_taken_for_lost(bench):
    taken(bench)
    bench.step(12)
    before = len(bench.sent())
    bench.say(through(bench.journal, 0, [(17, 32)]))
    bench.step(10)
    assert {s.first for s in bench.sent()[before:]} == {1, 9, 33}


def test_a_word_at_once_after_the_broker_took_it_is_not_waited_out(bench):
    """It may have been said before the segments arrived."""
    taken(bench)
    before = len(bench.sent())
    bench.say(through(bench.journal, 0))
    bench.step(5)
    assert len(bench.sent()) == before


def test_words_without_progress_make_no_storm(bench):
    taken(bench)
    for _ in range(300):
        bench.say(through(bench.journal, 0))
        bench.step()
        bench.transport.acknowledge_all()
    assert len(bench.sent()) <= 4 * 8


def test_a_lost_piece_of_the_backlog_comes_again_though_new_ones_are_acknowledged(tmp_path):
    bench = Bench(tmp_path, 100, collector=True, max_rows=8, window=4, live_after=20)
    bench.connect()
    for _ in range(200):
        bench.step()
        bench.transport.acknowledge_all()
        bench.journal.add(1)
        head = bench.journal.head()
        bench.say(through(bench.journal, 0, [(101, head)] if head > 100 else []))
    assert len([s for s in bench.sent() if s.first == 1]) >= 2


def test_a_retained_word_is_no_sign_of_life(bench):
    taken(bench)
    bench.step(12)
    before = len(bench.sent())
    bench.say(through(bench.journal, 0), retained=True)
    bench.step(5)
    assert len(bench.sent()) == before


# Until empty


def test_only_a_collector_makes_it_empty(bench):
    bench.journal.begin("epoch-1")
    bench.journal.add(3)
    taken(bench, 10)
    assert not bench.uplink.drained
    bench.say(through(bench.journal, 3))
    bench.step(3)
    assert bench.uplink.drained
