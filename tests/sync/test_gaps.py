"""What cannot be delivered is answered for, and the chain goes on behind it."""

from __future__ import annotations

import random

import pytest

from sync.gap import Gap
from sync.transport import Connected, Refused
from tests.sync.bench import Bench, through


@pytest.fixture(params=[False, True], ids=["broker", "collector"])
def bench(tmp_path, request):
    return Bench(tmp_path, 40, collector=request.param, max_rows=8)


def ranges(bench):
    return [(gap.first, gap.last, gap.why) for gap in bench.gaps()]


def joined(bench):
    """How far the pieces that were sent hang together, by their own hashes."""
    seq, last = 0, "0" * 64
    for one in sorted(bench.sent(), key=lambda one: one.first):
        if one.first == seq + 1:
            assert one.previous_hash in (last, None)
            seq, last = one.last, one.hash
    return seq


def test_what_was_deleted_is_a_pruned_gap(bench):
    bench.journal.prune(11, by="store-9")
    bench.connect()
    bench.drain()
    [gap] = bench.gaps()
    assert gap == Gap(
        "line", "epoch-1", 1, 11, "0" * 64, bench.journal.anchor().hash, "pruned",
        "2026-11-20T12:00:00.000Z", "store-9",
    )  # fmt: skip
    assert joined(bench) == 40
    assert bench.troubles == []
    assert bench.uplink.streams.current["line"].gaps == {"pruned": 11}


def test_what_is_deleted_while_it_waits_is_a_gap_behind_what_was_sent(bench):
    bench.connect(Connected(receive_maximum=2))
    bench.journal.prune(30)
    bench.drain()
    assert [(first, last) for first, last, _ in ranges(bench)] == [(bench.sent()[0].last + 1, 30)]
    assert joined(bench) == 40


def test_a_changed_record_is_lost_and_nothing_else(bench):
    bench.journal.change(10, body=b'{"seq":10}')
    bench.connect()
    bench.drain()
    assert ranges(bench) == [(10, 10, "lost")]
    assert {seq for _, _, seq in bench.records()} == set(range(1, 41)) - {10}
    assert joined(bench) == 40
    assert "records 10 to 10 of line cannot be read" in bench.troubles[0].what


def test_a_changed_hash_loses_nothing(bench):
    bench.journal.change(10, hash="f" * 64)
    bench.connect()
    bench.drain()
    assert bench.gaps() == []
    assert joined(bench) == 40
    assert bench.troubles == []


@pytest.mark.parametrize("damaged", [{8}, {9}, {1}, {40}, set(range(12, 20)), {3, 17, 18, 30}])
def test_pages_that_cannot_be_read_are_lost_and_delivery_goes_on(bench, damaged):
    bench.journal.damaged = damaged
    bench.connect()
    bench.journal.add(4)
    bench.drain()
    lost = set().union(*(range(first, last + 1) for first, last, _ in ranges(bench)))
    assert lost == damaged | {seq + 1 for seq in damaged}
    assert {seq for _, _, seq in bench.records()} == set(range(1, 45)) - lost
    assert joined(bench) == 44


def test_a_record_that_can_be_read_again_in_time_is_not_lost(bench):
    bench.journal.damaged = {10}
    bench.connect()
    for _ in range(15):
        bench.step()
        bench.transport.acknowledge_all()
    assert "record 10 of line cannot be read" in bench.troubles[0].what
    assert not bench.uplink.drained
    bench.journal.damaged = set()
    bench.drain()
    assert bench.gaps() == []
    assert bench.troubles == []


def test_a_damaged_end_is_waited_for(bench):
    bench.journal.damaged = {39, 40}
    bench.connect()
    for _ in range(80):
        bench.step()
        bench.transport.acknowledge_all()
    assert bench.gaps() == []
    assert not bench.uplink.drained
    bench.journal.add(3)
    bench.drain()
    assert ranges(bench) == [(39, 41, "lost")]


def test_a_record_larger_than_the_broker_takes_is_a_gap(bench):
    bench.journal.begin("epoch-1")
    bench.journal.add(5)
    bench.journal.add(1, text=random.Random(1).randbytes(2000).hex())
    bench.journal.add(5)
    bench.connect(Connected(largest_packet=1000))
    bench.drain()
    [gap] = bench.gaps()
    assert (gap.first, gap.last, gap.why) == (6, 6, "too_large")
    assert gap.size == len(bench.journal.row(6).body)
    assert gap.hash == bench.journal.row(6).hash
    assert joined(bench) == 11
    assert "max_packet_size" in bench.troubles[0].mend


def test_a_single_record_that_the_broker_refuses_is_a_gap_until_the_next_connection(bench):
    bench.journal.begin("epoch-1")
    bench.journal.add(1)
    bench.connect()
    bench.step(2)
    [segment] = bench.transport.segments()
    bench.transport.answer(Refused(segment.token, "too large", "raise it", too_large=True))
    bench.step(2)
    assert ranges(bench) == [(1, 1, "too_large")]
    bench.transport.lose()
    bench.step()
    bench.connect()
    bench.drain()
    assert len(bench.gaps()) == 1
    assert {seq for _, _, seq in bench.records()} == {1}


def test_a_refused_gap_ends_the_connection(bench):
    """A broker that takes not even that is not asked a hundred times a second."""
    bench.journal.prune(5)
    bench.connect()
    bench.step(2)
    token = bench.transport.segments()[0].token
    bench.transport.answer(Refused(token, "too large", "raise it", too_large=True))
    bench.step()
    assert not bench.uplink.connected
    bench.connect()
    assert "too large" in [one.what for one in bench.troubles]


def test_records_that_say_another_epoch_than_their_file_stop_delivery_with_words(bench):
    bench.journal._epoch = "epoch-9"
    bench.connect()
    bench.step(50)
    assert bench.transport.segments() == []
    assert "epoch-9" in bench.troubles[0].what
    bench.journal._epoch = "epoch-1"
    bench.drain()


def test_a_loss_is_said_for_a_while(bench):
    bench.journal.change(10, body=b'{"seq":10}')
    bench.connect()
    bench.drain()
    assert bench.troubles
    assert bench.uplink.troubles(bench.now + 3700) == []


def test_a_lost_range_that_was_acknowledged_elsewhere_is_not_looked_for(tmp_path):
    bench = Bench(tmp_path, 40, collector=True, max_rows=8)
    bench.journal.damaged = {10}
    bench.connect()
    bench.step(5)
    bench.say(through(bench.journal, 30))
    bench.drain()
    assert bench.gaps() == []
    assert bench.troubles == []
