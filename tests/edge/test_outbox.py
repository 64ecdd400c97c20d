from __future__ import annotations

import sqlite3

import pytest

from edge.outbox import Outbox, Outboxes
from edge.store.journal import Journal
from sync.backoff import Backoff
from sync.chain import GENESIS
from sync.gap import Gap, decode
from sync.journal import JournalError
from sync.position import PositionFile
from sync.uplink import Uplink
from tests.edge.store.builders import sure
from tests.simulators.loopback import Loopback
from tests.sync.bench import STATION


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


def names(sources):
    return [(source.name, source.stream, source.salvaged) for source in sources]


def test_the_shelf_follows_the_state_directory(tmp_path):
    shelf = Outboxes(tmp_path)
    [line] = shelf()
    assert (line.name, line.stream, line.salvaged) == ("line", "line", False)
    (tmp_path / "queue.db").touch()
    (tmp_path / "salvage").mkdir()
    for name in ("line-0190-ab.db", "queue-x.db", "line-x.db-wal", ".line-y.db", "other-x.db", "x"):
        (tmp_path / "salvage" / name).touch()
    assert names(shelf()) == [
        ("line", "line", False),
        ("queue", "queue", False),
        ("salvage/line-0190-ab.db", "line", True),
        ("salvage/queue-x.db", "queue", True),
    ]
    assert shelf()[0] is line
    (tmp_path / "salvage" / "queue-x.db").unlink()
    assert len(shelf()) == 3
    shelf.close()


def test_a_salvage_file_is_delivered_with_its_gaps(tmp_path):
    """Rows are missing in it; one stands for a lost record with nothing but its hash."""
    journal = Journal.open(tmp_path / "line.db", "boot", 0)
    bodies = {row.seq: row.body for row in journal.append(sure(20))}
    epoch = journal.head[0]
    journal.close()
    (tmp_path / "salvage").mkdir()
    saved = tmp_path / "salvage" / f"line-{epoch}.db"
    (tmp_path / "line.db").rename(saved)
    database = sqlite3.connect(saved)
    database.execute("DELETE FROM records WHERE seq IN (5, 6)")
    database.execute("UPDATE records SET body = x'', schema = 'lost' WHERE seq IN (20, 40)")
    database.commit()
    database.close()
    Journal.open(tmp_path / "line.db", "boot", 0).close()
    transport = Loopback()
    outboxes = Outboxes(tmp_path)
    uplink = Uplink(
        outboxes,
        transport,
        STATION,
        PositionFile(tmp_path / "sync.json"),
        Backoff(lambda: 0.5, 0.5, 4.0),
    )
    now = 0.0
    uplink.step(now)
    transport.accept()
    while not uplink.drained:
        now += 0.1
        uplink.step(now)
        transport.acknowledge_all()
        assert now < 60
    found = [decode(one.payload) for one in transport.segments()]
    gaps = [(one.first, one.last, one.why) for one in found if isinstance(one, Gap)]
    assert gaps == [(5, 7, "lost"), (20, 20, "lost"), (40, 40, "lost")]
    sent = {
        one.first + index: record
        for one in found
        if not isinstance(one, Gap)
        for index, record in enumerate(one.records)
    }
    assert sent == {seq: body for seq, body in bodies.items() if seq not in (5, 6, 7, 20, 40)}
    uplink.streams.save()
    assert PositionFile(tmp_path / "sync.json").read().salvaged[epoch].mark.seq == 40
    outboxes.close()


def test_a_page_that_cannot_be_read_is_a_part_and_no_database_is_the_whole(tmp_path):
    journal = Journal.open(tmp_path / "line.db", "boot", 0)
    journal.append(sure(40))
    epoch = journal.head[0]
    journal.close()
    path = tmp_path / "line.db"
    data = path.read_bytes()
    place = data.index(b'"seq":50,') // 4096 * 4096
    path.write_bytes(data[:place] + b"\xff" * 4096 + data[place + 4096 :])
    outbox = Outbox(path)
    with pytest.raises(JournalError) as raised:
        outbox.rows(49, 1, 1, epoch)
    assert raised.value.damaged
    assert [row.seq for row in outbox.rows(0, 3, 1 << 20, epoch)] == [1, 2, 3]
    outbox.close()
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(JournalError) as raised:
        outbox.rows(0, 3, 1 << 20, epoch)
    assert not raised.value.damaged
    outbox.close()
