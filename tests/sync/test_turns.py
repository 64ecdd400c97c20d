"""Several journals over one connection: what is new first, and everybody in turn."""

from __future__ import annotations

import json

import pytest

from sync.journal import Source
from sync.position import PositionFile
from sync.transport import Acknowledged, Connected
from tests.simulators.loopback import MemoryJournal
from tests.sync.bench import Bench, through


@pytest.fixture(params=[False, True], ids=["broker", "collector"])
def bench(tmp_path, request):
    return Bench(tmp_path, 400, collector=request.param, max_rows=10, window=4, live_after=100)


def with_queue(bench, records):
    queue = MemoryJournal(records, "epoch-q", "queue")
    bench.sources.append(Source("queue", "queue", queue))
    return queue


def salvage(bench, epoch, records):
    journal = MemoryJournal(records, epoch)
    bench.sources.append(Source(f"salvage/line-{epoch}.db", "line", journal, True))
    return journal


def firsts(bench, stream="line"):
    return [one.first for one in bench.sent(stream)]


# Live and backlog


def test_with_a_long_backlog_what_is_new_goes_first(bench):
    bench.connect()
    bench.step()
    bench.journal.add(5)
    bench.step(3)
    assert 401 in firsts(bench)
    assert 1 in firsts(bench)
    bench.drain()
    assert {seq for _, _, seq in bench.records()} == set(range(1, 406))
    assert bench.position.seq == 405


def test_a_short_backlog_goes_in_order(tmp_path):
    bench = Bench(tmp_path, 90, max_rows=10, window=4, live_after=100)
    bench.connect()
    bench.journal.add(5)
    bench.drain()
    assert firsts(bench) == sorted(firsts(bench))


def test_new_records_leave_room_for_the_backlog_and_the_other_way_round(bench):
    bench.connect()
    for _ in range(10):
        bench.journal.add(10)
        bench.step()
    live = [first for first in firsts(bench) if first > 400]
    assert len(live) == 2  # half the window
    assert len(firsts(bench)) == 4


def test_the_backlog_alone_leaves_room_for_a_new_record(bench):
    bench.connect()
    bench.step(20)
    assert len(firsts(bench)) == 3
    bench.journal.add(1)
    bench.step(3)
    assert firsts(bench)[-1] == 401


def test_the_live_cursor_begins_anew_with_each_connection(bench):
    bench.connect()
    bench.step(2)
    bench.transport.lose()
    bench.journal.add(300)
    bench.connect()
    before = len(bench.sent())
    bench.journal.add(1)
    bench.step(5)
    assert 701 in firsts(bench)[before:]
    assert 401 not in firsts(bench)[before:]
    bench.drain()


def test_a_backlog_that_grew_while_no_collector_was_there_does_not_hide_the_present(tmp_path):
    bench = Bench(tmp_path, 20, collector=True, max_rows=10, window=4, live_after=100)
    bench.connect()
    for _ in range(300):
        bench.step()
        bench.transport.acknowledge_all()
        bench.journal.add(2)
    head = bench.journal.head()
    bench.say(through(bench.journal, 10))
    bench.step(15)
    bench.transport.acknowledge_all()
    bench.journal.add(1)
    bench.step(10)
    assert any(first >= head - 40 for first in firsts(bench))
    bench.drain()


# Several streams


def test_both_streams_share_what_the_broker_takes(bench):
    with_queue(bench, 100)
    bench.connect(Connected(receive_maximum=3))
    for _ in range(8):
        bench.step(3)
        assert len(bench.transport._unanswered) <= 3
        bench.transport.acknowledge_all()
    assert len(firsts(bench, "queue")) >= 3
    assert len(firsts(bench)) >= 3


def test_the_queue_does_not_starve_behind_a_line_that_is_always_busy(tmp_path):
    bench = Bench(tmp_path, 4000, max_rows=10, window=8, live_after=100)
    queue = with_queue(bench, 50)
    bench.connect(Connected(receive_maximum=2))
    for _ in range(60):
        bench.journal.add(20)
        bench.step()
        bench.transport.acknowledge_all()
    position = bench.uplink.streams.current["queue"].position
    assert position.seq == queue.head()
    assert bench.position.seq > 0  # nor does the backlog of the line


def test_a_queue_that_begins_later_is_found(bench):
    bench.connect()
    bench.drain()
    queue = with_queue(bench, 7)
    bench.step(11)
    bench.drain()
    assert ("queue", "epoch-q", 7) in bench.records()
    bench.step(10)
    stored = PositionFile(bench.path).read().streams["queue"]
    assert (stored.mark.seq, stored.mark.hash) == (7, queue.last_hash(7))


def test_a_queue_that_cannot_be_read_holds_up_nothing_else(bench):
    with_queue(bench, 7).unreadable = True
    bench.connect()
    for _ in range(300):
        bench.step()
        bench.transport.acknowledge_all()
        if bench.settings.collector:
            bench.collect()
    assert bench.position.seq == 400
    assert "the disk is gone" in bench.troubles[0].what
    assert not bench.uplink.drained


# Epochs that ended


def test_what_was_salvaged_is_delivered_from_where_delivery_had_been(bench):
    bench.connect()
    bench.drain()
    bench.journal.add(50)
    saved = MemoryJournal(0)
    saved.held = list(bench.journal.held)
    saved.remove(420, 421)
    bench.journal.begin("epoch-2")
    bench.journal.add(5)
    bench.step(12)
    stored = PositionFile(bench.path).read()
    assert stored.salvaged["epoch-1"].mark.seq == 400
    before = len(bench.sent())
    bench.sources.append(Source("salvage/line-epoch-1.db", "line", saved, True))
    until_saved(bench)
    later = [one for one in bench.sent()[before:] if one.epoch == "epoch-1"]
    assert later[0].first == 401
    assert [(gap.first, gap.last, gap.why) for gap in bench.gaps()] == [(420, 422, "lost")]
    bench.step(10)
    said = json.loads(bench.path.read_text())
    assert said["salvaged"]["epoch-1"]["seq"] == 450
    assert said["streams"]["line"]["epoch"] == "epoch-2"


def until_saved(bench):
    bench.step(12)  # the shelf is looked at
    bench.drain()


def test_a_salvaged_epoch_is_in_the_status_and_gone_with_its_file(bench):
    salvage(bench, "epoch-0", 30)
    bench.connect()
    until_saved(bench)
    assert bench.uplink.streams.progress()["salvaged"]["epoch-0"]["seq"] == 30
    assert bench.uplink.streams.progress()["acknowledged"]["line"]["epoch"] == "epoch-1"
    bench.sources.pop()
    bench.step(12)
    assert bench.uplink.streams.progress()["salvaged"] == {}
    assert bench.uplink.drained
    assert PositionFile(bench.path).read().salvaged["epoch-0"].mark.seq == 30


def test_a_restart_goes_on_in_every_stream(bench):
    with_queue(bench, 20)
    salvage(bench, "epoch-0", 30)
    bench.connect()
    until_saved(bench)
    bench.step(10)
    bench.start()
    bench.connect()
    bench.step(30)
    assert bench.sent() == []
    assert bench.uplink.drained


def test_an_epoch_that_ended_while_sync_was_down_is_remembered(bench):
    bench.connect()
    bench.drain()
    bench.step(10)
    bench.journal.begin("epoch-2")
    bench.start()
    bench.step(10)
    bench.journal.add(3)
    bench.connect()
    bench.drain()
    bench.step(10)
    assert PositionFile(bench.path).read().salvaged["epoch-1"].mark.seq == 400


def test_a_late_puback_of_the_old_epoch_is_not_one_of_the_new(bench):
    bench.connect()
    bench.step(3)
    token = bench.transport.segments()[0].token
    bench.journal.begin("epoch-2")
    bench.journal.add(10)
    bench.step(12)
    bench.transport.answer(Acknowledged(token))
    bench.step()
    assert (bench.position.epoch, bench.position.seq) == ("epoch-2", 0)


def test_an_epoch_that_is_there_twice_is_acknowledged_twice(bench):
    """As when a salvaged database was put back in its place."""
    salvage(bench, "epoch-1", 400)
    bench.connect()
    until_saved(bench)
    assert [one.position.seq for one in bench.uplink.streams.all] == [400, 400]
