"""A real database with damaged bits: everything sound arrives, everything else is said."""

from __future__ import annotations

import random
import shutil

import pytest

from edge.outbox import Outboxes
from edge.store.journal import Journal
from sync.backoff import Backoff
from sync.gap import Gap, decode
from sync.position import PositionFile
from sync.stream import Bounds
from sync.transport import Acknowledged
from sync.uplink import Settings, Uplink
from tests.edge.store.builders import sure
from tests.simulators.loopback import Loopback
from tests.sync.bench import STATION

FLIPS = 150
STEPS = 150


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A database that was closed, and the bodies of its records by number."""
    path = tmp_path_factory.mktemp("original") / "line.db"
    journal = Journal.open(path, "boot", 0)
    bodies = {row.seq: row.body for _ in range(4) for row in journal.append(sure(20))}
    journal.close()
    assert not path.with_name("line.db-wal").exists()
    return path, bodies


def deliver(folder):
    """What goes out of the database in `folder`, to a broker that takes everything."""
    transport, outboxes = Loopback(), Outboxes(folder)
    uplink = Uplink(
        outboxes,
        transport,
        STATION,
        PositionFile(folder / "sync.json"),
        Backoff(lambda: 0.5, 0.5, 4.0),
        settings=Settings(bounds=Bounds(max_rows=20)),
    )
    now = 0.0
    uplink.step(now)
    transport.accept()
    for _ in range(STEPS):
        now += 0.1
        uplink.step(now)
        for token in transport._unanswered:
            transport.answer(Acknowledged(token))
        transport._unanswered.clear()
        if uplink.drained:
            break
    outboxes.close()
    return uplink, [decode(one.payload) for one in transport.segments()], uplink.troubles(now)


def check(folder, bodies):
    """The number of records that were lost; None where the whole file cannot be read."""
    uplink, pieces, troubles = deliver(folder)
    sent, lost = {}, set()
    for one in pieces:
        if isinstance(one, Gap):
            lost |= set(range(one.first, one.last + 1))
        else:
            sent.update(enumerate(one.records, one.first))
    assert all(bodies[seq] == record for seq, record in sent.items())
    assert not lost & set(sent)
    if uplink.drained:
        assert set(sent) | lost == set(range(1, max(set(sent) | lost) + 1))
        assert bool(lost) == bool(troubles)
        # Only a page that is gone, with all that it led to, costs more than two records.
        return len(lost) + len(bodies) - max(set(sent) | lost)
    assert troubles
    return None


@pytest.mark.slow
def test_single_flipped_bits(original, tmp_path):
    path, bodies = original
    data, draw = path.read_bytes(), random.Random(7)
    costs = []
    for number in range(FLIPS):
        folder = tmp_path / str(number)
        folder.mkdir()
        harmed, place = bytearray(data), draw.randrange(100, len(data))
        harmed[place] ^= 1 << draw.randrange(8)
        (folder / "line.db").write_bytes(harmed)
        costs.append(check(folder, bodies))
        shutil.rmtree(folder)
    known = [cost for cost in costs if cost is not None]
    assert len(known) > FLIPS * 0.9
    assert sum(known) <= FLIPS  # most bits lie in one record, in an index, or nowhere
    assert sum(cost == 1 for cost in known) > FLIPS * 0.2


def test_a_page_of_zeros(original, tmp_path):
    """As a disk leaves it that lost a write."""
    path, bodies = original
    data = path.read_bytes()
    place = data.index(bodies[80]) // 4096 * 4096
    (tmp_path / "line.db").write_bytes(data[:place] + bytes(4096) + data[place + 4096 :])
    cost = check(tmp_path, bodies)
    assert cost is not None
    assert 1 <= cost <= 10


def test_a_sound_one(original, tmp_path):
    path, bodies = original
    shutil.copy(path, tmp_path / "line.db")
    assert check(tmp_path, bodies) == 0
