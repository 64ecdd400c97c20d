from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import chain
from sync.gap import Gap
from sync.gap import decode as decode_any
from sync.packing import TooLarge, pack, pack_gap, sound_beginning
from sync.segment import decode
from sync.window import UNKNOWN, Mark
from tests.simulators.loopback import MemoryJournal

START = Mark("epoch-1", 0, chain.GENESIS)


@given(st.integers(1, 60), st.integers(0, 500), st.integers(300, 4000))
def test_a_payload_never_exceeds_the_limit(records, size, most):
    journal = MemoryJournal()
    journal.add(records, size)
    try:
        piece = pack("line", START, journal.held, most)
    except TooLarge:
        with pytest.raises(TooLarge):
            pack("line", START, journal.held[:1], most)
        return
    found = decode(piece.payload)
    assert len(piece.payload) <= most
    assert (found.first, found.last, found.hash) == (1, piece.end.seq, piece.end.hash)
    assert piece.records == piece.end.seq


def test_with_room_everything_goes_into_one():
    journal = MemoryJournal(300)
    piece = pack("line", START, journal.held, 1 << 20)
    assert piece.end == Mark("epoch-1", 300, journal.held[-1].hash)


def test_a_gap_says_null_where_a_hash_is_not_known():
    piece = pack_gap("line", Mark("e", 4, UNKNOWN), Mark("e", 9, "ab" * 32), "pruned", by="x")
    assert decode_any(piece.payload) == Gap(
        "line", "e", 5, 9, None, "ab" * 32, "pruned", None, "x", None
    )
    assert piece.records == 5
    piece = pack_gap("line", START, Mark("epoch-1", 1, UNKNOWN), "lost")
    assert decode_any(piece.payload).hash is None


def test_a_record_that_no_segment_may_hold_is_too_large_for_any_broker(monkeypatch):
    monkeypatch.setattr("sync.packing.MAX_BYTES", 100)
    journal = MemoryJournal()
    journal.add(2, size=200)
    with pytest.raises(TooLarge):
        pack("line", START, journal.held, 1 << 20)


@given(st.integers(1, 10), st.sampled_from(["seq", "body", "hash"]), st.data())
def test_no_wrong_body_is_sound(count, field, data):
    rows = list(MemoryJournal(count).held)
    place = data.draw(st.integers(0, count - 1))
    wrong = {"seq": rows[place].seq + 1, "body": b"{}", "hash": "f" * 64}[field]
    changed = [*rows]
    changed[place] = rows[place]._replace(**{field: wrong})
    # A wrong number or hash on the way does not matter while the end proves every body.
    end = place if field == "body" or place == count - 1 else count
    assert list(sound_beginning(START, changed)) == changed[:end]


@given(st.integers(2, 10), st.data())
def test_a_missing_row_ends_the_sound_beginning(count, data):
    rows = list(MemoryJournal(count).held)
    place = data.draw(st.integers(0, count - 2))
    assert list(sound_beginning(START, rows[:place] + rows[place + 1 :])) == rows[:place]


def test_a_start_of_another_chain_has_no_sound_beginning():
    assert list(sound_beginning(Mark("epoch-1", 0, "1" * 64), MemoryJournal(3).held)) == []
