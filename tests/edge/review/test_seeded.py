"""Pictures of earlier challenge parts, shown again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.records import Inspection
from edge.review.case import Case
from edge.review.seeded import DAY_S, MOST_WAITING, ROWS, Seeding
from edge.store.images import ImageStore
from edge.store.journal import Journal
from tests.edge.store.builders import NOON, disposition, inspection, sure
from tests.edge.workers.parts import FakeClock


class Queue:
    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.answered: set[str] = set()

    def case(self, inspection: str) -> Case | None:
        return self.cases.get(inspection)

    def fill(self, cases: list[tuple[Case, float]]) -> None:
        self.cases |= {case.inspection: case for case, _ in cases}

    def waits(self, inspection: str) -> bool:
        return inspection in self.cases and inspection not in self.answered


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.queue, self.dice = folder, FakeClock(), Queue(), 0.0
        self.journal = Journal.open(folder / "line.db", "boot-1", 0)
        self.seeding = self.begin(10)

    def begin(self, per_day: int) -> Seeding:
        return Seeding(self.folder, per_day, self.queue, self.clock, lambda: self.dice)

    def challenge(self, number: int, kept: bool = True) -> Inspection:
        made = replace(inspection(number), tags={"challenge": "c"}, truth="defect")
        if kept:
            image = ImageStore(self.folder).keep(made.id, NOON, b"picture")
            made = replace(made, image=image)
        self.journal.append([made, disposition(made, fate="hold")])
        return made

    def step(self, seconds: float = 1.0) -> set[str]:
        self.clock.move(seconds)
        self.seeding.step()
        return set(self.queue.cases)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.seeding.close()
    bench.journal.close()


def test_a_picture_of_known_truth_is_shown_alone(bench: Bench) -> None:
    bench.journal.append(sure(3))
    made = bench.challenge(7)
    assert bench.step() == {made.id}
    case = bench.queue.cases[made.id]
    assert (case.kind, case.alone, case.shows, case.deadline_ns) == ("seeded", True, False, None)
    assert case.picture is not None


def test_they_come_as_often_as_wanted_at_random(bench: Bench) -> None:
    bench.challenge(7)
    bench.dice = 10 / DAY_S * 1.01
    assert bench.step() == set()
    bench.dice = 10 / DAY_S * 0.99
    assert len(bench.step()) == 1


def test_none_come_where_none_are_wanted(bench: Bench) -> None:
    bench.challenge(7)
    bench.seeding = bench.begin(0)
    assert bench.step() == set()


def test_ordinary_parts_and_those_without_a_picture_are_not_shown(bench: Bench) -> None:
    bench.journal.append(sure(3))
    bench.challenge(7, kept=False)
    gone = bench.challenge(8)
    assert gone.image is not None
    (bench.folder / gone.image.path).unlink()
    assert bench.step() == set()


def test_a_night_does_not_heap_them_up(bench: Bench) -> None:
    names = [bench.challenge(number).id for number in range(9)]
    for number in range(9):
        bench.dice = 0.0
        bench.step()
        bench.seeding._known.remove(names[number])
    assert len(bench.queue.cases) == MOST_WAITING
    bench.queue.answered = set(bench.queue.cases)
    bench.seeding._known = names[5:]
    assert len(bench.step()) == MOST_WAITING + 1


def test_a_long_history_is_looked_through_a_little_at_a_time(bench: Bench) -> None:
    bench.journal.append(sure(ROWS))
    made = bench.challenge(ROWS + 1)
    assert bench.step() == set()
    assert bench.step() == set()
    assert bench.step() == {made.id}
