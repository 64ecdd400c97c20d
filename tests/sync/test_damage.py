from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import chain
from sync.damage import Search, Sound, row_at
from sync.journal import JournalError
from sync.window import UNKNOWN, Mark
from tests.simulators.loopback import MemoryJournal

WRONG = "f" * 64


def start(journal, seq):
    return Mark("epoch-1", seq, journal.last_hash(seq))


def look(journal, seq, last=None, bounded=False):
    search = Search(start(journal, seq), 0.0)
    return search.step(journal, last or journal.held[-1].seq, bounded)


def test_a_changed_body_costs_one_record():
    journal = MemoryJournal(20)
    journal.change(10, body=b'{"seq":10}')
    assert look(journal, 9) == start(journal, 10)


def test_a_changed_hash_costs_none():
    journal = MemoryJournal(20)
    right = journal.row(10)
    for wrong in (WRONG, "", "ab"):
        journal.change(10, hash=wrong)
        assert look(journal, 9) == Sound(10, right.body, right.hash)


def test_a_missing_row_costs_the_next_one_too():
    """Its bytes hang on a hash that is gone."""
    journal = MemoryJournal(20)
    journal.remove(10)
    assert look(journal, 9) == start(journal, 11)


def test_a_row_that_cannot_be_read_is_as_one_that_is_missing():
    journal = MemoryJournal(20)
    journal.damaged = {10, 11}
    found = look(journal, 9)
    assert found == start(journal, 12)


def test_at_the_end_the_stored_hash_is_believed():
    journal = MemoryJournal(20)
    journal.change(20, body=b"{}")
    assert look(journal, 19) == start(journal, 20)


def test_an_end_without_a_hash_is_waited_for_unless_more_is_known_behind_it():
    journal = MemoryJournal(20)
    journal.change(20, hash="")
    journal.change(19, body=b"{}")
    assert look(journal, 18) is None
    assert look(journal, 18, bounded=True) == Mark("epoch-1", 20, UNKNOWN)
    journal.damaged = {19, 20}
    assert look(journal, 18, last=20) is None


def test_nothing_is_believed_behind_an_unknown_hash():
    journal = MemoryJournal(20)
    search = Search(Mark("epoch-1", 9, UNKNOWN), 0.0)
    assert search.step(journal, 20, False) == start(journal, 10)


def test_a_long_search_goes_on_where_it_was():
    journal = MemoryJournal(2000)
    journal.damaged = set(range(10, 1500))
    search = Search(start(journal, 9), 0.0)
    steps = [search.step(journal, 2000, False) for _ in range(3)]
    assert steps[:2] == [None, None]
    assert steps[2] == start(journal, 1500)


def test_a_search_that_found_nothing_begins_anew():
    journal = MemoryJournal(20)
    journal.damaged = set(range(10, 21))
    search = Search(start(journal, 9), 0.0)
    assert search.step(journal, 20, False) is None
    journal.damaged = set()
    assert isinstance(search.step(journal, 20, False), Sound)


def test_a_disk_that_fails_once_is_asked_again():
    class Shaky(MemoryJournal):
        fails = 2

        def rows(self, *asked):
            self.fails -= 1
            if self.fails >= 0:
                raise JournalError("once", "again", damaged=True)
            return super().rows(*asked)

    journal = Shaky(20)
    assert row_at(journal, 10, "epoch-1").seq == 10
    journal.fails = 3
    assert row_at(journal, 10, "epoch-1") is None


def test_an_error_of_the_whole_file_is_no_loss():
    journal = MemoryJournal(20)
    journal.unreadable = True
    with pytest.raises(JournalError):
        row_at(journal, 10, "epoch-1")


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_damaged_only_unusable_records_are_lost(data):
    """Every record that still follows from the hash before it, or that the next one proves, is
    found; and no changed body ever is."""
    journal = MemoryJournal(12)
    bodies = {row.seq: row.body for row in journal.held}
    hashes = {0: chain.GENESIS} | {row.seq: row.hash for row in journal.held}
    harm = data.draw(
        st.dictionaries(
            st.integers(1, 11), st.sampled_from(["body", "hash", "row", "page"]), max_size=4
        )
    )
    for seq, what in harm.items():
        if what == "page":
            journal.damaged.add(seq)
        elif what == "row":
            journal.remove(seq)
        else:
            journal.change(seq, **{what: {"body": b"{}", "hash": WRONG}[what]})
    place, found, lost = Mark("epoch-1", 0, chain.GENESIS), {}, set()
    while place.seq < 12:
        next_ = Search(place, 0.0).step(journal, 12, False)
        assert next_ is not None
        if isinstance(next_, Sound):
            found[next_.seq] = next_.body
            place = Mark("epoch-1", next_.seq, next_.hash)
        else:
            lost |= set(range(place.seq + 1, next_.seq + 1))
            place = next_
        assert place.hash == hashes[place.seq]
    assert all(bodies[seq] == body for seq, body in found.items())
    hit = {seq for seq, what in harm.items() if what != "hash"}
    assert hit <= lost
    # A record is lost without being hit only next to others that were.
    for seq in lost - hit:
        assert {seq - 1, seq + 1, seq} & set(harm)
