"""Orders for the record thread: done between batches, also while the disk refuses the batch."""

import sqlite3
from pathlib import Path

import pytest

from edge.channel import Channel
from edge.store.journal import Journal
from edge.store.pruning import Acknowledged, Prune
from edge.store.tidying import Tidying
from edge.workers.entry import Entry
from edge.workers.errands import Bound, Errand, Errands
from edge.workers.openings import Openings
from edge.workers.record import Recorder
from tests.edge.store.builders import sure

DAY = "2026-11-20T12:00:00.000Z"


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal.open(tmp_path / "line.db", "boot-1", 0)
    yield opened
    opened.close()


def test_one_errand_at_a_time(journal: Journal) -> None:
    errands, first, second = Errands(), Errand(), Errand()
    assert errands.give(first)
    assert not errands.give(second)
    errands.run(journal)
    assert first.done
    errands.run(journal)
    assert errands.give(second)
    assert not second.done


def test_what_is_refused_is_said_and_not_raised(journal: Journal) -> None:
    journal.append(sure(2))
    elsewhere = Errand(tidying=Tidying("another", state={"a": "b"}))
    elsewhere.carry_out(journal)
    assert "no longer epoch" in str(elsewhere.refused)
    foreign = Acknowledged(journal.head[0], 2, "0" * 64, "store")
    mixed = Errand(
        Tidying(journal.head[0], state={"a": "b"}), prune=Prune(4, DAY, acknowledged=foreign)
    )
    mixed.carry_out(journal)
    assert "nothing is deleted" in str(mixed.not_ours)
    assert (mixed.tidied, journal.state("a"), mixed.pruned.deleted) == (True, "b", 0)


def test_a_damaged_file_is_told_to_the_record_thread(journal: Journal) -> None:
    class Damaged:
        head = journal.head

        def tidy(self, wanted: Tidying) -> None:
            raise sqlite3.DatabaseError("database disk image is malformed")

    errands, errand = Errands(), Errand(Tidying("e", state={"a": "b"}))
    errands.give(errand)
    with pytest.raises(sqlite3.DatabaseError):
        errands.run(Damaged())
    assert errand.done
    assert errands.give(Errand())


def test_room_is_made_while_the_disk_refuses_records(journal: Journal) -> None:
    entries: Channel[Entry] = Channel(1000)
    errands = Errands()
    recorder = Recorder(entries, journal, Openings(), retry_s=0, errands=errands)
    errands.give(Errand(bound=Bound(120, 50)))
    recorder.step()
    while recorder.failing is None:
        entries.put(Entry(tuple(sure(20))))
        recorder.step()
    assert "full" in recorder.failing
    recorder.step()
    assert recorder.failing
    errand = Errand(prune=Prune(1 << 40, DAY, waits=False, most=80))
    errands.give(errand)
    recorder.step()
    assert errand.pruned.deleted == 80
    assert recorder.failing is None
    entries.close()
    recorder.step()
    assert not recorder.step()
