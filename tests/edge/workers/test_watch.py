"""The watch over records and answers: what it latches, remembers, and begins anew."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.monitor.bounds import Wanted
from edge.records import Automation, Cuts, Decision, Inspection
from edge.review.questions import OPEN_CHECKS, open_checks
from edge.review.verdicts import FILE, give
from edge.store.archive import Archive
from edge.store.journal import Journal
from edge.workers.ruler import Basis, Ruler
from edge.workers.watch import ROWS, SAVE_NS, STATE, Undo, Watch
from tests.edge.review.test_verdicts import correction, verdict
from tests.edge.store.builders import ORIGIN, disposition, inspection
from tests.edge.workers.parts import FakeClock

CUTS = Cuts(0.1, 0.9, calibration="cal-1")
WANTED = Wanted(0.01, 0.05, 0.95, 20)


class Bench:
    """A real journal and queue; what the watch hands on is committed at once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, FakeClock()
        self.undo = Undo()
        self.journal = Journal.open(folder / "line.db", "boot-1", 0)
        self.numbers = iter(range(10_000_000))
        self.asked_for: list[str] = []
        self.start()

    def start(self) -> None:
        basis = Basis("full", True, CUTS, None)
        self.ruler = Ruler(basis, ORIGIN, self.clock.new_id, self.journal.state)
        queue, line = Archive(self.folder / FILE), Archive(self.folder / "line.db")
        self.watch = Watch(
            line,
            queue,
            self.ruler,
            self.clock,
            lambda key: WANTED,
            self._unsure,
            self.journal.state,
            self.undo,
        )

    def _unsure(self, key: str) -> float | None:
        self.asked_for.append(key)
        return None

    def restart(self) -> None:
        self.watch.close()
        self.start()

    def part(self, decision: Decision = "accept", **more: Any) -> Inspection:
        made = inspection(next(self.numbers), decision)
        fields: dict[str, Any] = {
            "cuts": CUTS,
            "would_be": decision,
            "spot_check": {"p": 0.5, "drawn": True},
            **more,
        }
        return replace(made, **fields)

    def record(self, *parts: Inspection) -> None:
        self.journal.append([r for part in parts for r in (part, disposition(part, fate="hold"))])

    def challenges(self, decision: Decision, times: int) -> None:
        self.record(
            *(
                self.part(decision, tags={"challenge": "c"}, truth="defect", spot_check=None)
                for _ in range(times)
            )
        )

    def look(self, seconds: float = 11.0) -> list[Automation]:
        self.clock.move(seconds)
        made = []
        for entry in self.watch.step(self.clock.now_ns):
            self.journal.append(entry.records, state=entry.state)
            made += entry.records
        assert all(isinstance(one, Automation) for one in made)
        return made  # type: ignore[return-value]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.watch.close()
    bench.journal.close()


def test_challenge_parts_that_are_accepted_latch_assist(bench: Bench) -> None:
    bench.challenges("reject", 5)
    assert bench.look() == []
    bench.challenges("accept", 6)
    (limit,) = bench.look()
    assert (limit.action, limit.limit, limit.degree, limit.in_force) == (
        "limit", "challenge", "assist", "assist"
    )  # fmt: skip
    assert "more than 0.01 of the defects are accepted" in limit.reason
    assert bench.ruler.now.degree == "assist"
    assert bench.look() == [], "once"


def test_a_cleared_limit_begins_anew(bench: Bench) -> None:
    bench.challenges("accept", 6)
    assert len(bench.look()) == 1
    bench.ruler.clear("challenge", "lamp replaced", "anna", None, "r", bench.clock.moment())
    assert bench.look() == []
    assert bench.ruler.now.degree == "full"
    bench.challenges("reject", 1)
    assert bench.look() == []
    bench.challenges("accept", 6)
    assert len(bench.look()) == 1


def test_spot_checks_are_open_until_they_are_answered(bench: Bench) -> None:
    checked = [bench.part() for _ in range(3)]
    bench.record(*checked, bench.part(spot_check={"p": 0.5, "drawn": False}))
    bench.look(0.3)
    with Archive(bench.folder / "line.db") as line:
        assert open_checks(line) == [made.id for made in checked], "at once, not within 10 s"
        give(bench.folder, verdict(1, checked[1].id))
        bench.look(0.3)
        assert open_checks(line) == [checked[0].id, checked[2].id]


def test_an_answer_whose_record_is_damaged_costs_itself_only(bench: Bench) -> None:
    lost, kept = bench.part(), bench.part()
    bench.record(lost, kept)
    bench.look()
    give(bench.folder, verdict(1, lost.id))
    give(bench.folder, verdict(2, kept.id))
    queue = sqlite3.connect(bench.folder / FILE, isolation_level=None)
    queue.execute("UPDATE records SET body = x'7b' WHERE seq = 1")
    queue.close()
    bench.look(1.0)
    assert bench.watch.failing is None
    assert answered(bench) == 1


def answered(bench: Bench) -> int:
    """How many drawn parts have an answer that counts."""
    bounds = bench.watch.bounds
    assert bounds is not None
    return 2 - len(bounds.open_checks)


def test_an_answer_that_was_undone_does_not_count(bench: Bench) -> None:
    bench.undo = Undo(ORIGIN.boot_id, 2.0)
    bench.restart()
    kept, gone = bench.part(), bench.part()
    bench.record(kept, gone)
    bench.look()
    first, second = (
        replace(verdict(number, made.id), given=bench.clock.moment())
        for number, made in enumerate((kept, gone))
    )
    give(bench.folder, first)
    give(bench.folder, second)
    bench.look(2.5)
    assert answered(bench) == 0, "both may still be undone"
    give(bench.folder, correction(3, second, undo=True))
    bench.look(1.0)
    assert answered(bench) == 1
    give(bench.folder, replace(verdict(4, gone.id), given=bench.clock.moment()))
    bench.look(5.0)
    assert answered(bench) == 2


def test_what_is_corrected_after_the_model_s_answer_was_seen_still_counts(bench: Bench) -> None:
    made, other = bench.part(), bench.part()
    bench.record(made, other)
    given = verdict(1, made.id, "reject")
    give(bench.folder, given)
    give(bench.folder, correction(2, given, to="accept"))
    bench.look()
    assert answered(bench) == 1
    bounds = bench.watch.bounds
    assert bounds is not None
    before = json.dumps(bounds.as_json())
    give(bench.folder, correction(3, given))
    bench.look()
    assert json.dumps(bounds.as_json()) == before


def test_an_answer_given_in_view_of_the_model_s_leaves_the_check_open(bench: Bench) -> None:
    made, other = bench.part(), bench.part()
    bench.record(made, other)
    give(bench.folder, replace(verdict(1, made.id), answer_shown=True))
    bench.look()
    assert answered(bench) == 0
    give(bench.folder, verdict(2, made.id))
    bench.look()
    assert answered(bench) == 1


def test_answers_become_figures(bench: Bench) -> None:
    checked = [bench.part() for _ in range(4)]
    bench.record(*checked)
    for number, made in enumerate(checked[:3]):
        give(bench.folder, verdict(number, made.id, "reject" if number == 0 else "accept"))
    bench.look()
    figures: Any = bench.watch.figures
    assert figures["calibration"] == "cal-1"
    slip = figures["slip"]
    assert (slip["answered"], slip["unanswered"], slip["found"]) == (3, 1, 1)
    assert slip["estimate"] == pytest.approx(1 / 3)
    assert json.dumps(figures, allow_nan=False)


def test_a_new_calibration_begins_a_new_sequence(bench: Bench) -> None:
    old = bench.part()
    bench.record(old)
    bench.look()
    new = bench.part(cuts=replace(CUTS, calibration="cal-2"))
    bench.record(new)
    give(bench.folder, verdict(1, old.id))
    bench.look()
    assert bench.watch.bounds is not None
    assert (bench.watch.bounds.parts, bench.watch.bounds.rates["slip"].answered) == (1, 0)
    assert bench.asked_for == ["cal-1", "cal-2"]
    typed = Cuts(0.2, 0.8, certified=False)
    bench.record(bench.part(cuts=typed), bench.part(cuts=None, spot_check=None))
    bench.look()
    figures: Any = bench.watch.figures
    assert figures["calibration"] == "0.2/0.8"


def test_after_a_restart_nothing_is_counted_twice_and_nothing_lost(bench: Bench) -> None:
    checked = [bench.part() for _ in range(6)]
    bench.record(*checked[:3])
    give(bench.folder, verdict(0, checked[0].id))
    bench.look()
    bench.record(*checked[3:])
    give(bench.folder, verdict(1, checked[3].id))
    bench.clock.move(1)
    list(bench.watch.step(bench.clock.now_ns))  # read, but never committed
    bench.restart()
    bench.look()
    assert bench.watch.bounds is not None
    slip = bench.watch.bounds.rates["slip"]
    assert (slip.seen, slip.answered, bench.watch.bounds.parts) == (6, 2, 6)


def test_a_latched_limit_stays_latched_over_a_restart_and_is_not_latched_twice(
    bench: Bench,
) -> None:
    bench.challenges("accept", 6)
    assert len(bench.look()) == 1
    bench.restart()
    assert bench.ruler.now.degree == "assist"
    assert bench.look() == []
    bench.ruler.clear("challenge", "why", "anna", None, "r", bench.clock.moment())
    assert bench.look() == []


@pytest.mark.parametrize("kept", ["no json", "{}", '{"key": "k", "places": 3, "bounds": {}}'])
def test_a_state_that_cannot_be_read_is_worked_out_again(bench: Bench, kept: str) -> None:
    bench.record(bench.part(), bench.part())
    bench.look()
    bench.journal.append([], state={STATE: kept})
    bench.restart()
    bench.look()
    assert bench.watch.bounds is not None
    assert bench.watch.bounds.parts == 2


def test_a_long_backlog_is_read_piece_by_piece_and_answers_wait_for_it(bench: Bench) -> None:
    checked = bench.part()
    bench.record(*(bench.part(spot_check=None) for _ in range(ROWS)), checked)
    give(bench.folder, verdict(1, checked.id, "reject"))
    bench.look()
    assert bench.watch.bounds is not None
    assert bench.watch.bounds.parts == ROWS // 2
    bench.look(0)
    bench.look(0)
    bench.look(0.2)
    assert bench.watch.bounds.parts == ROWS + 1
    assert bench.watch.bounds.rates["slip"].found == 1


def test_while_nothing_happens_nothing_is_written(bench: Bench) -> None:
    bench.record(bench.part(spot_check=None))
    bench.look()
    assert bench.journal.state(OPEN_CHECKS) == "[]"
    bench.clock.now_ns += SAVE_NS
    assert list(bench.watch.step(bench.clock.now_ns)) == []


def test_a_file_that_cannot_be_read_is_a_trouble_that_ends(bench: Bench) -> None:
    bench.record(bench.part())
    (bench.folder / FILE).write_bytes(b"no database" * 1000)
    assert bench.look() == []
    assert bench.watch.failing is not None
    (bench.folder / FILE).unlink()
    bench.look()
    assert bench.watch.failing is None
    assert bench.watch.bounds is not None
    assert bench.watch.bounds.parts == 1


def test_a_file_that_was_replaced_is_read_from_its_beginning(bench: Bench) -> None:
    first, second = bench.part(), bench.part()
    bench.record(first, second)
    give(bench.folder, verdict(1, first.id))
    bench.look()
    for path in bench.folder.glob("queue.db*"):
        path.unlink()
    give(bench.folder, verdict(2, second.id))
    bench.look()
    assert bench.watch.bounds is not None
    assert bench.watch.bounds.rates["slip"].answered == 2
