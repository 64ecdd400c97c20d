from __future__ import annotations

import json

import pytest

from sync.position import PositionFile
from sync.transport import Acknowledged, Connected, Message, Refused
from tests.sync.bench import STATION, Bench


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, 20, max_rows=4, window=2)


def test_everything_is_sent_in_order_and_the_position_follows(bench):
    bench.connect()
    bench.drain()
    bench.step(10)
    assert [(s.first, s.last) for s in bench.sent()] == [(n, n + 3) for n in range(1, 20, 4)]
    assert bench.transport.segments()[0].topic == STATION.results("line")
    assert bench.stored().seq == 20
    assert bench.stored().hash == bench.journal.held[-1].hash
    assert bench.uplink.streams.backlog == 0


def test_no_more_than_the_window_is_under_way(bench):
    bench.connect()
    bench.step(30)
    assert len(bench.sent()) == 2
    assert bench.position.seq == 0
    assert not bench.uplink.drained


def test_the_brokers_receive_maximum_counts_status_and_segments(tmp_path):
    bench = Bench(tmp_path, 20, max_rows=1, window=8)
    bench.connect(Connected(receive_maximum=3))
    bench.step(30)
    assert len(bench.transport.published) == 3
    bench.transport.acknowledge_all()
    bench.step(30)
    assert len(bench.transport.published) == 6


def test_after_a_lost_connection_all_unacknowledged_comes_again(bench):
    bench.connect()
    bench.step(5)
    first, second = bench.transport.segments()
    bench.transport.answer(Acknowledged(second.token))
    bench.step()
    assert bench.position.seq == 0  # the first one is still missing
    bench.transport.lose()
    bench.step()
    bench.transport.answer(Acknowledged(first.token))
    bench.connect()
    bench.step(5)
    assert [s.first for s in bench.sent()] == [1, 5, 9, 1, 9]  # 5 to 8 were acknowledged
    bench.drain()
    assert bench.position.seq == 20


def test_a_lost_connection_with_everything_sent_is_not_drained(tmp_path):
    bench = Bench(tmp_path, 3)
    bench.connect()
    bench.step(20)
    bench.transport.lose()
    bench.step(2)
    assert not bench.uplink.drained
    bench.connect()
    bench.drain()


def test_without_a_broker_the_backlog_is_known(bench):
    bench.step(3)
    assert bench.uplink.streams.backlog == 20
    bench.journal.add(5)
    bench.step(15)
    assert bench.uplink.streams.backlog == 25
    assert not bench.uplink.connected


def test_a_restart_goes_on_behind_the_position(bench):
    bench.connect()
    bench.drain()
    bench.step(10)
    bench.start()
    bench.journal.add(1)
    bench.connect()
    bench.drain()
    assert [(s.first, s.last) for s in bench.sent()] == [(21, 21)]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", None])
def test_a_lost_position_means_from_the_beginning(bench, content):
    bench.connect()
    bench.drain()
    bench.step(10)
    bench.path.unlink() if content is None else bench.path.write_bytes(content)
    bench.start()
    bench.connect()
    bench.drain()
    assert bench.sent()[0].first == 1


def test_a_position_that_the_journal_does_not_have_is_not_believed(bench):
    """As after the restore of an older disk image."""
    bench.connect()
    bench.drain()
    bench.step(10)
    bench.journal.begin("epoch-1")
    bench.journal.add(7, size=3)
    bench.start()
    bench.connect()
    bench.drain()
    assert [s.first for s in bench.sent()] == [1, 5]


def test_what_was_deleted_before_is_answered_with_a_gap(bench):
    bench.journal.prune(9)
    bench.connect()
    bench.drain()
    [gap] = bench.gaps()
    assert (gap.first, gap.last, gap.why, gap.by) == (1, 9, "pruned", "somebody")
    assert bench.sent()[1].first == 10
    assert bench.position.seq == 20
    assert bench.troubles == []


def test_a_new_epoch_is_sent_from_its_beginning(bench):
    bench.connect()
    bench.step(5)
    bench.journal.begin("epoch-2")
    bench.journal.add(6)
    bench.drain()
    bench.step(10)
    assert [(s.epoch, s.first) for s in bench.sent()][-2:] == [("epoch-2", 1), ("epoch-2", 5)]
    assert (bench.stored().epoch, bench.stored().seq) == ("epoch-2", 6)


def test_what_the_old_epoch_had_under_way_counts_for_nothing(bench):
    bench.connect()
    bench.step(5)
    bench.journal.begin("epoch-2")
    bench.journal.add(3)
    bench.step(12)
    assert bench.transport.acknowledge_all() == 4
    bench.step()
    assert (bench.position.epoch, bench.position.seq) == ("epoch-2", 3)
    bench.step(300)
    assert bench.transport.connects == 1


def test_a_journal_pruned_under_our_hands_goes_on_at_its_anchor(tmp_path):
    bench = Bench(tmp_path, 20, max_rows=4, window=1)
    bench.connect()
    bench.journal.prune(15)
    bench.drain()
    assert bench.position.seq == 20


def test_an_unreadable_journal_is_a_trouble_that_ends(bench):
    bench.journal.unreadable = True
    bench.connect()
    bench.step(20)
    assert [t.mend for t in bench.troubles] == ["plug it in"]
    assert not bench.uplink.drained
    bench.journal.unreadable = False
    bench.drain()
    assert bench.troubles == []


def test_segments_fit_the_brokers_packet(bench):
    limits = Connected(largest_packet=800)
    bench.journal.begin("epoch-1")
    bench.journal.add(40, size=1)
    bench.connect(limits)
    bench.drain()
    assert all(len(p.payload) + len(p.topic) + 16 <= 800 for p in bench.transport.segments())
    assert bench.sent()[-1].last == 40


def test_a_broker_that_takes_next_to_nothing_stops_delivery_with_words(bench):
    bench.connect(Connected(largest_packet=100))
    bench.step(20)
    assert bench.transport.segments() == []
    assert "messages of" in bench.troubles[0].what
    bench.transport.lose()
    bench.connect()
    bench.drain()
    assert bench.troubles == []


def test_too_large_for_the_broker_makes_smaller_segments_that_grow_again(bench):
    bench.journal.add(300)
    bench.connect()
    bench.step(2)
    token = bench.transport.segments()[0].token
    bench.transport.answer(Refused(token, "too large", "raise it", too_large=True))
    bench.step()
    assert bench.troubles == []
    assert bench.transport.connects == 1
    bench.step(3)
    sizes = [s.last - s.first + 1 for s in bench.sent()]
    assert sizes[2] == 2
    bench.drain()
    assert bench.sent()[-1].last - bench.sent()[-1].first + 1 == 2
    bench.step(300)
    bench.journal.add(40)
    bench.drain()
    assert bench.sent()[-1].last - bench.sent()[-1].first + 1 == 4
    assert {seq for _, _, seq in bench.records()} == set(range(1, 361))


def test_a_refused_status_does_not_stop_delivery(bench):
    bench.connect()
    token = bench.transport.statuses()[0].token
    bench.transport.answer(Refused(token, "not allowed", "allow it"))
    bench.drain()
    assert bench.transport.connects == 1


def test_a_silent_broker_is_left(bench):
    bench.connect()
    bench.step(200)
    assert bench.transport.connects == 2
    assert bench.position.seq == 0


def test_messages_that_nobody_asked_for_are_counted_and_nothing_else(bench):
    bench.connect()
    for payload in (b"", b"{}", b'{"epochs":[{"epoch":"epoch-1","through":20}]}', b"\xff" * 99):
        bench.transport.answer(Message(STATION.topic("ack/line"), payload, True))
    bench.step()
    assert bench.uplink.ignored == 4
    assert bench.position.seq == 0
    bench.drain()


def test_the_status_tells_how_far_it_is(bench):
    bench.connect()
    bench.drain()
    bench.step(60)
    bench.transport.acknowledge_all()
    said = json.loads(bench.transport.statuses()[-1].payload)
    assert said == {
        "acknowledged": {"line": {"epoch": "epoch-1", "seq": 20, "by": "broker", "head": 20}},
        "backlog": 0, "backlogs": {"line": 0}, "salvaged": {}, "sync": "up",
    }  # fmt: skip


def test_stop_waits_for_what_is_under_way_and_says_good_bye(bench):
    bench.connect()
    bench.step(3)
    bench.uplink.stop(bench.now)
    bench.step(3)
    assert not bench.uplink.stopped
    bench.transport.acknowledge_all()
    bench.step()
    assert bench.uplink.stopped
    assert bench.stored().seq == 8
    assert len(bench.sent()) == 2
    assert json.loads(bench.transport.statuses()[-1].payload)["sync"] == "down"
    assert bench.transport.closed


def test_stop_does_not_wait_for_ever(bench):
    bench.connect()
    bench.step(3)
    bench.uplink.stop(bench.now)
    bench.step(31)
    assert bench.uplink.stopped


def test_the_position_is_written_a_few_times_a_second_only(tmp_path):
    bench = Bench(tmp_path, 2000, max_rows=1)
    written = []
    real = PositionFile.write
    bench.uplink.streams._file.write = lambda marks: (
        written.append(bench.now), real(PositionFile(bench.path), marks)
    )  # fmt: skip
    bench.connect()
    for _ in range(500):
        bench.now += 0.01
        bench.uplink.step(bench.now)
        bench.transport.acknowledge_all()
    assert bench.position.seq > 400
    assert 5 <= len(written) <= 11
