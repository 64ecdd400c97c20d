"""The child that saves records is started, watched, started again, and ended."""

from __future__ import annotations

import subprocess
from pathlib import Path

from edge.recovery import aside, salvage
from edge.recovery.aside import Case, Known
from edge.workers.salvaging import FIRST_WAIT_NS, Salvaging, start_child
from tests.edge.store import damaged
from tests.simulators.patience import until

SECOND = 10**9


class Child:
    """A process whose end the test decides."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.code: int | None = None
        self.told: list[str] = []
        self.stubborn = False

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.told.append("terminate")

    def kill(self) -> None:
        self.told.append("kill")

    def wait(self, timeout: float | None = None) -> int:
        if self.stubborn:
            raise subprocess.TimeoutExpired("salvage", timeout or 0)
        return 0


class Bench:
    """A state directory with databases that were set aside."""

    def __init__(self, folder: Path) -> None:
        self.state, self.children, self.now_ns = folder / "state", list[Child](), 0
        self.salvaging = Salvaging(self.state, self.start)

    def start(self, case: Case, state_dir: Path) -> Child:
        assert state_dir == self.state
        self.children.append(Child(case))
        return self.children[-1]

    def damage(self, name: str = "line.db") -> Case:
        damaged.fill(self.state / name, parts=2)
        return aside.set_aside(self.state / name, name[:4], "it rained", "2026", Known())

    def step(self, seconds: float = 1.0) -> None:
        self.now_ns += round(seconds * SECOND)
        assert list(self.salvaging.step(self.now_ns)) == []


def test_without_damage_nothing_is_started_and_nothing_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.step()
    assert (bench.children, bench.salvaging.trouble) == ([], None)


def test_one_after_the_other_until_all_is_saved(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    cases = [bench.damage(), bench.damage("queu.db")]
    bench.step()
    bench.step()
    assert len(bench.children) == 1
    assert bench.salvaging.trouble is not None
    assert "line.db was damaged (it rained) and lies in damaged/line-" in bench.salvaging.trouble
    for done in (1, 2):
        salvage.salvage(bench.children[-1].case, bench.state)
        bench.children[-1].code = 0
        bench.step()
        assert len(bench.children) == 2
        assert (bench.salvaging.trouble is None) == (done == 2)
    assert {child.case.folder for child in bench.children} == {case.folder for case in cases}


def test_a_child_that_fails_is_started_again_later_and_later(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.damage()
    bench.step()
    waits = []
    for number in range(1, 4):
        bench.children[-1].code = 1
        before = bench.now_ns
        while len(bench.children) == number:
            bench.step()
            assert "that fails: its process ended with 1" in str(bench.salvaging.trouble)
        waits.append(bench.now_ns - before)
    assert waits[0] >= FIRST_WAIT_NS
    assert waits == sorted(waits)
    assert waits[2] >= 4 * FIRST_WAIT_NS


def test_a_child_that_cannot_be_started_is_no_end_of_the_line(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.damage()

    def refuse(case: Case, state_dir: Path) -> Child:
        raise OSError("no memory")

    bench.salvaging = Salvaging(bench.state, refuse)
    bench.step()
    bench.step()
    assert "no memory" in str(bench.salvaging.trouble)


def test_at_the_end_the_child_is_ended(tmp_path: Path) -> None:
    for stubborn in (False, True):
        bench = Bench(tmp_path / str(stubborn))
        bench.damage()
        bench.step()
        bench.children[0].stubborn = stubborn
        bench.salvaging.close()
        assert bench.children[0].told == (["terminate", "kill"] if stubborn else ["terminate"])
        bench.salvaging.close()


def test_the_real_child_saves_it_at_the_lowest_priority(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    case = bench.damage()
    child = start_child(case, bench.state)
    until(lambda: child.poll() is not None, lambda: child.wait(60))
    assert child.poll() == 0
    assert case.salvaged
