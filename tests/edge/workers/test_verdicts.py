"""From a person's answer to the part's fate: exactly one, the first."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.records import Disposition, Inspection
from edge.review.verdicts import FILE, give
from edge.store.archive import Archive
from edge.store.journal import Journal
from edge.workers.entry import Entry
from edge.workers.verdicts import EVERY_NS, STATE_THROUGH, VerdictReader
from tests.edge.review.test_verdicts import verdict
from tests.edge.store.builders import ORIGIN, disposition, due, inspection
from tests.edge.workers.parts import FakeClock


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, FakeClock()
        self.journal = Journal.open(folder / "line.db", "boot-1", 0)
        self.reader = self.new_reader()

    def new_reader(self) -> VerdictReader:
        queue, line = Archive(self.folder / FILE), Archive(self.folder / "line.db")
        return VerdictReader(queue, line, self.clock, ORIGIN, self.journal.state)

    def wait_for(self, made: Inspection) -> None:
        self.journal.append([made], deadlines=due(made) if made.asked else {})

    def look(self) -> list[Entry]:
        self.clock.now_ns += EVERY_NS
        return list(self.reader.step(self.clock.now_ns))

    def commit(self, entries: list[Entry]) -> None:
        for entry in entries:
            self.journal.append(entry.records, state=entry.state)


@pytest.fixture
def bench(tmp_path: Path):
    bench = Bench(tmp_path)
    yield bench
    bench.reader.close()
    bench.journal.close()


def test_an_answer_decides_an_open_escalation(bench: Bench) -> None:
    made = inspection(1, "escalate", asked=True, part="P-1")
    bench.wait_for(made)
    assert bench.look() == []
    give(bench.folder, verdict(1, made.id, "reject"))
    (entry,) = bench.look()
    (record,) = entry.records
    assert isinstance(record, Disposition)
    assert (record.inspection, record.part_id, record.verdict) == (made.id, "P-1", "verdict-1")
    assert (record.disposition, record.by) == ("reject", "person")
    bench.commit([entry])
    assert bench.look() == []


def test_the_first_of_two_answers_counts(bench: Bench) -> None:
    made = inspection(1, "escalate", asked=True)
    bench.wait_for(made)
    give(bench.folder, verdict(1, made.id, "accept"))
    bench.commit(bench.look())
    give(bench.folder, verdict(2, made.id, "reject"))
    assert bench.look() == []
    final = bench.journal.state(STATE_THROUGH)
    assert final is not None
    assert final.endswith(" 1")


def test_what_the_fall_back_decided_stays_so(bench: Bench) -> None:
    made = inspection(1, "escalate", asked=True)
    bench.wait_for(made)
    bench.journal.append([disposition(made, by="fallback", fate="hold")])
    give(bench.folder, verdict(1, made.id))
    assert bench.look() == []


def test_labels_move_nothing(bench: Bench) -> None:
    sure, waiting = inspection(1), inspection(2, "escalate", asked=True)
    unasked = inspection(3, "escalate")
    bench.journal.append([sure, disposition(sure), unasked])
    bench.wait_for(waiting)
    give(bench.folder, verdict(1, sure.id, "reject"))
    give(bench.folder, verdict(2, waiting.id, "unsure"))
    give(bench.folder, verdict(3, unasked.id, "accept"))
    give(bench.folder, verdict(4, "nobody knows this one"))
    assert bench.look() == []
    give(bench.folder, verdict(5, waiting.id, "accept"))
    assert len(bench.look()) == 1


def test_an_answer_that_was_not_committed_counts_after_a_restart(bench: Bench) -> None:
    made = inspection(1, "escalate", asked=True)
    bench.wait_for(made)
    give(bench.folder, verdict(1, made.id))
    assert len(bench.look()) == 1
    bench.reader.close()
    bench.reader = bench.new_reader()
    assert len(bench.look()) == 1, "the entry was never committed"


def test_a_restart_goes_on_behind_the_last_committed_answer(bench: Bench) -> None:
    parts = [inspection(n, "escalate", asked=True) for n in range(3)]
    for number, made in enumerate(parts):
        bench.wait_for(made)
        give(bench.folder, verdict(number, made.id))
    first = bench.look()
    assert len(first) == 3
    bench.commit(first[:2])
    bench.reader.close()
    bench.reader = bench.new_reader()
    (entry,) = bench.look()
    assert isinstance(entry.records[0], Disposition)
    assert entry.records[0].inspection == parts[2].id


def test_a_new_queue_is_read_from_its_beginning(bench: Bench) -> None:
    made = [inspection(n, "escalate", asked=True) for n in range(2)]
    for one in made:
        bench.wait_for(one)
    give(bench.folder, verdict(1, made[0].id))
    bench.commit(bench.look())
    for path in bench.folder.glob("queue.db*"):
        path.unlink()
    give(bench.folder, verdict(2, made[1].id))
    assert len(bench.look()) == 1


def test_a_damaged_queue_is_a_trouble_that_ends(bench: Bench) -> None:
    (bench.folder / FILE).write_bytes(b"no database at all" * 1000)
    assert bench.look() == []
    assert bench.reader.failing is not None
    (bench.folder / FILE).unlink()
    assert bench.look() == []
    assert bench.reader.failing is None


def test_it_looks_a_few_times_a_second(bench: Bench) -> None:
    made = inspection(1, "escalate", asked=True)
    bench.wait_for(made)
    assert bench.look() == []
    give(bench.folder, verdict(1, made.id))
    assert list(bench.reader.step(bench.clock.now_ns + 1)) == []
    assert len(bench.look()) == 1


def test_an_answer_is_not_lost_when_a_file_cannot_be_read_for_a_moment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = inspection(1, "escalate", asked=True)
    bench.wait_for(made)
    give(bench.folder, verdict(1, made.id, "reject"))

    def locked(archive: Archive, name: str) -> None:
        raise sqlite3.OperationalError("database is locked")

    with monkeypatch.context() as now:
        now.setattr(Archive, "find", locked)
        assert bench.look() == []
        assert bench.reader.failing == "database is locked"
    (entry,) = bench.look()
    assert entry.state[STATE_THROUGH].endswith(" 1")
    assert bench.reader.failing is None
