from __future__ import annotations

import pytest

from edge.outbox import Outbox
from edge.store.journal import Journal
from sync.chain import GENESIS
from sync.journal import JournalError
from tests.edge.store.builders import sure


def test_it_reads_what_the_journal_wrote(tmp_path):
    journal = Journal.open(tmp_path / "line.db", "boot", 0)
    journal.append(sure(3))
    epoch, seq, last = journal.head
    outbox = Outbox(journal.path)
    assert outbox.epoch() == epoch
    assert outbox.anchor() == (0, GENESIS, None, None)
    assert outbox.head() == seq == 6
    assert outbox.last_hash(6) == last
    assert outbox.last_hash(7) is None
    rows = outbox.rows(2, 3, 1 << 20, epoch)
    assert [row.seq for row in rows] == [3, 4, 5]
    with pytest.raises(JournalError):
        outbox.rows(0, 3, 1 << 20, "another epoch")
    outbox.close()
    journal.close()


def test_no_file_yet(tmp_path):
    outbox = Outbox(tmp_path / "line.db")
    with pytest.raises(JournalError, match="nothing is recorded"):
        outbox.epoch()


def test_a_damaged_file_is_a_journal_error(tmp_path):
    path = tmp_path / "line.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    outbox = Outbox(path)
    with pytest.raises(JournalError) as raised:
        outbox.epoch()
    assert raised.value.mend
    outbox.close()
