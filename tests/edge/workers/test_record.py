"""The record thread: once each, in order, whatever the disk and the records do."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.channel import Channel
from edge.records import Record
from edge.store.archive import Archive
from edge.store.batch import Committed
from edge.store.errors import Unwritable
from edge.store.journal import Journal
from edge.store.verify import verify
from edge.workers.entry import Entry
from edge.workers.openings import Openings
from edge.workers.record import BATCH, TRIES_AT_THE_END, Recorder
from tests.edge.store.builders import alarm, disposition, inspection
from tests.edge.workers.parts import asked, decided, entry


class Sick:
    """A real journal that refuses chosen calls to `append`."""

    def __init__(self, journal: Journal, refuses: Callable[[int], bool]) -> None:
        self._journal = journal
        self._refuses = refuses
        self.calls = 0

    def append(self, *given: object, **more: object) -> list[Committed]:
        self.calls += 1
        if self._refuses(self.calls):
            raise sqlite3.OperationalError("database or disk is full")
        return self._journal.append(*given, **more)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)


class Bench:
    """A recorder over a real database."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "line.db"
        self.journal = Journal.open(self.path, "boot-1", 0)
        self.entries: Channel[Entry] = Channel(1000)
        self.openings = Openings()
        self.told: list[Committed] = []

    def recorder(self, refuses: Callable[[int], bool] = lambda call: False) -> Recorder:
        sick = Sick(self.journal, refuses)
        return Recorder(self.entries, sick, self.openings, self.told.extend, retry_s=0.0)  # type: ignore[arg-type]

    def give(self, *entries: Entry) -> None:
        assert all(self.entries.put(one) for one in entries)

    def stored(self) -> list[str]:
        """The ids in the database, in order."""
        with Archive.open(self.path) as archive:
            rows = archive.rows(0, 10_000, 1 << 30)
        return [json.loads(row.body)["id"] for row in rows]

    def sound(self) -> bool:
        """Whether the chain is whole."""
        with Archive.open(self.path) as archive:
            return verify(archive, self.path.parent).sound


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.journal.close()


def ids(*entries: Entry) -> list[str]:
    return [record.id for one in entries for record in one.records]


def test_entries_are_committed_together_in_order_and_then_told(bench: Bench) -> None:
    given = [decided(1), asked(2), entry(alarm(3))]
    bench.give(*given)
    recorder = bench.recorder()
    assert recorder.step()
    assert bench.stored() == ids(*given)
    assert [done.record.id for done in bench.told] == ids(*given)
    assert recorder.head == bench.journal.head
    assert (recorder.inspections, dict(recorder.decisions)) == (2, {"accept": 1, "escalate": 1})


def test_several_entries_cost_one_transaction(bench: Bench) -> None:
    bench.give(*[decided(number) for number in range(BATCH)])
    recorder = bench.recorder()
    recorder.step()
    assert len(bench.stored()) == 2 * BATCH
    assert recorder._journal.calls == 1  # type: ignore[attr-defined]


def test_it_ends_when_all_is_written_and_no_more_will_come(bench: Bench) -> None:
    bench.give(decided(1))
    bench.entries.close()
    recorder = bench.recorder()
    assert [recorder.step(), recorder.step()] == [True, False]
    recorder.close()
    assert recorder.unrecorded == 0


def test_while_the_disk_refuses_nothing_is_lost_and_nothing_is_taken(bench: Bench) -> None:
    given = [decided(number) for number in range(3)]
    recorder = bench.recorder(lambda call: call <= 50)
    bench.give(given[0])
    for _ in range(50):
        assert recorder.step()
        assert recorder.failing == "database or disk is full"
        assert bench.told == []
    bench.give(*given[1:])
    assert len(bench.entries) == 2
    assert recorder.step()
    assert recorder.failing is None
    recorder.step()
    assert bench.stored() == ids(*given)


def test_what_was_committed_before_the_failure_is_not_written_again(bench: Bench) -> None:
    asks = entry(alarm(2), request_id="request-1", state={"degree": "shadow"})
    given = [decided(1), asks, decided(3)]
    bench.give(*given)
    recorder = bench.recorder(lambda call: call in (2, 4))
    for _ in range(3):
        recorder.step()
    assert bench.stored() == ids(*given)
    assert [done.record.id for done in bench.told] == ids(*given)
    assert bench.sound()


def test_a_request_is_one_transaction_of_its_own_and_written_once(bench: Bench) -> None:
    done: list[str] = []

    def ask(number: int) -> Entry:
        return entry(
            alarm(number),
            request_id="request-1",
            state={"degree": f"d{number}"},
            done=lambda: done.append(f"d{number}"),
        )

    first, second = ask(1), ask(2)
    bench.give(decided(0), first, second, decided(9))
    bench.recorder().step()
    assert set(ids(first)) < set(bench.stored())
    assert not set(ids(second)) & set(bench.stored())
    assert bench.journal.state("degree") == "d1"
    assert done == ["d1", "d2"], "who asked twice is answered twice"
    assert len(bench.stored()) == 5


def test_a_disposition_too_many_is_dropped_alone(bench: Bench) -> None:
    part = inspection(1, "escalate", asked=True)
    first, second = disposition(part, "fallback", "hold"), disposition(part, "person", "accept")
    recorder = bench.recorder()
    bench.give(entry(part), entry(first))
    recorder.step()
    bench.give(decided(2), entry(second), asked(3))
    recorder.step()
    assert first.id in bench.stored()
    assert second.id not in bench.stored()
    assert (len(bench.stored()), recorder.unrecorded) == (5, 0)
    assert len(bench.openings) == 1


def test_of_two_dispositions_in_one_batch_the_first_counts(bench: Bench) -> None:
    part = inspection(1, "escalate", asked=True)
    first, second = disposition(part, "fallback", "hold"), disposition(part, "person", "accept")
    bench.give(entry(part), entry(first), entry(second))
    bench.recorder().step()
    assert bench.stored() == [part.id, first.id]


def test_a_record_that_can_never_be_written_is_dropped_alone_and_counted(bench: Bench) -> None:
    bad = entry(replace(inspection(2), score=float("nan")))
    good = [decided(1), decided(3)]
    bench.give(good[0], bad, good[1])
    recorder = bench.recorder()
    assert recorder.step()
    assert bench.stored() == ids(*good)
    assert recorder.unrecorded == 1


def test_a_record_given_twice_is_written_once(bench: Bench) -> None:
    one = inspection(1)
    bench.give(entry(one), entry(one), decided(2))
    recorder = bench.recorder()
    recorder.step()
    assert bench.stored().count(one.id) == 1
    assert (len(bench.stored()), recorder.unrecorded) == (3, 1)


def test_escalations_are_open_once_they_are_on_the_disk_until_their_disposition(
    bench: Bench,
) -> None:
    part = inspection(1, "escalate", asked=True, part="p-1")
    recorder = bench.recorder(lambda call: call == 1)
    bench.give(entry(part, asked_for_s=5.0))
    recorder.step()
    assert len(bench.openings) == 0
    recorder.step()
    assert bench.openings.take_due(5 * 10**9) == [(part.id, "p-1")]
    bench.give(entry(disposition(part, "fallback", "hold")))
    recorder.step()
    assert len(bench.openings) == 0


def test_at_the_end_it_gives_up_after_some_time_and_counts_what_is_left(bench: Bench) -> None:
    recorder = bench.recorder(lambda call: True)
    bench.give(decided(1))
    for _ in range(2 * TRIES_AT_THE_END):
        assert recorder.step(), "while the line runs it never gives up"
    bench.give(asked(2))
    recorder.finish()
    steps = 1
    while recorder.step():
        steps += 1
    assert steps == TRIES_AT_THE_END
    bench.entries.close()
    recorder.close()
    assert recorder.unrecorded == 3
    assert bench.stored() == []


def test_a_disk_that_recovers_at_the_end_gets_everything(bench: Bench) -> None:
    recorder = bench.recorder(lambda call: call < TRIES_AT_THE_END)
    given = [decided(1), asked(2)]
    bench.give(*given)
    recorder.finish()
    bench.entries.close()
    while recorder.step():
        pass
    recorder.close()
    assert recorder.unrecorded == 0
    assert bench.stored() == ids(*given)


def test_a_disk_that_refuses_much_at_a_time_gets_it_in_pieces(bench: Bench) -> None:
    recorder = bench.recorder()
    append, sizes = bench.journal.append, list[int]()

    def small_ones_only(records: Sequence[Record], **more: Any) -> list[Committed]:
        if len(records) > 8:
            raise sqlite3.OperationalError("database or disk is full")
        sizes.append(len(records))
        return append(records, **more)

    bench.journal.append = small_ones_only  # type: ignore[method-assign]
    given = [decided(number) for number in range(100)]
    bench.give(*given)
    recorder.finish()
    bench.entries.close()
    while recorder.step():
        pass
    recorder.close()
    assert recorder.unrecorded == 0
    assert bench.stored() == ids(*given)
    assert max(sizes) == 8


def test_a_mistake_in_the_program_is_not_tried_again_for_ever(bench: Bench) -> None:
    class Odd:
        head = ("e", 0, "0" * 64)

        def append(self, *given: object, **more: object) -> list[Committed]:
            raise Unwritable("never seen", object())

    bench.give(decided(1))
    recorder = Recorder(bench.entries, Odd(), bench.openings)  # type: ignore[arg-type]
    with pytest.raises(Unwritable, match="never seen"):
        recorder.step()


def test_challenge_parts_are_in_no_figure_of_the_production(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    made = replace(inspection(1), tags={"challenge": "c-1"})
    bench.give(entry(made, disposition(made, fate="hold")), decided(2))
    bench.entries.close()
    recorder = bench.recorder()
    while recorder.step():
        pass
    assert (recorder.inspections, dict(recorder.decisions)) == (2, {"accept": 1})
    recorder.close()
